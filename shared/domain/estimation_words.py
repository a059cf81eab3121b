"""An estimation in words: phrases for its verdict, place, rate and onset, of which pages and events make sentences."""

import math
from collections.abc import Mapping
from datetime import datetime

from shared.domain.estimation import Estimation, Interval, PlaceMode, PlaceProbability, Verdict
from shared.domain.tsd import utc

NEAR_A_POINT = 0.5  # probability from which a known leak point is named instead of coordinates
NEARLY = 0.99  # more digits of a probability are worth nothing
SECONDS_PER_HOUR = 3600
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

VERDICTS: Mapping[Verdict, str] = {
    "CONFIRMED": "a leak here",
    "EXTERNAL_CAUSE": "an external cause",
    "UNDEFINED": "inconclusive",
}


def verdict_text(verdict: Verdict) -> str:
    """Return a verdict as people say it."""
    return VERDICTS[verdict]


def leak_probability(answer: Estimation) -> str:
    """Return ``probability of a leak here 98 %``."""
    return f"probability of a leak here {percent(answer.probability)}"


def external_probability(answer: Estimation) -> str:
    """Return ``probability of an external cause 2 %``."""
    return f"probability of an external cause {percent(answer.probability_external)}"


def coordinates(place: PlaceProbability | PlaceMode, error_m: float | None) -> str:
    """Return ``x 1.0 m, y 2.0 m, z 3.0 m, within 1.5 m``; without an error, the place alone."""
    within = f", within {error_m:.1f} m" if error_m is not None else ""
    return f"x {place.x:.1f} m, y {place.y:.1f} m, z {place.z:.1f} m{within}"


def leak_point(point: PlaceProbability) -> str:
    """Return ``P1 (probability 90 %)``."""
    return f"{point.name} (probability {percent(point.probability)})"


def location(answer: Estimation) -> str:
    """Return where it leaks: near a likely known leak point, else at coordinates; empty where neither is known."""
    near = answer.nearest_leak_point
    if near is not None and near.probability >= NEAR_A_POINT:
        return f"near {leak_point(near)}"
    return f"at {coordinates(answer.place, answer.location_error_m)}" if answer.place is not None else ""


def onset(answer: Estimation) -> str:
    """Return ``since about 1 Mar 2026 05:00 UTC``; empty where it is not known."""
    return f"since about {utc_text(answer.onset.median)}" if answer.onset is not None else ""


def rate_interval(rate: Interval) -> str:
    """Return ``36 g/h (90 %: 18 g/h to 144 g/h)`` of a rate in kg/s."""
    return f"{per_hour(rate.median)} {_interval_90(rate)}"


def dissolved_rate(answer: Estimation) -> str:
    """Return ``36 g/h dissolved (90 %: 18 g/h to 144 g/h)``; empty where it is not known."""
    rate = answer.dissolved_rate_kg_s
    return f"{per_hour(rate.median)} dissolved {_interval_90(rate)}" if rate is not None else ""


def _interval_90(rate: Interval) -> str:
    return f"(90 %: {per_hour(rate.low_90)} to {per_hour(rate.high_90)})"


# --- numbers and moments


def utc_text(moment: datetime) -> str:
    """Return a moment as people read it, in UTC."""
    return f"{utc(moment):%-d %b %Y %H:%M} UTC"


def percent(share: float) -> str:
    """Return a probability; what is nearly certain is not said to be."""
    if share > NEARLY:
        return "over 99 %"
    if share < 1 - NEARLY:
        return "under 1 %"
    return f"{100 * share:.0f} %"


def digits(value: float, significant: int = 2) -> str:
    """Return a number with so many significant digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    places = max(0, significant - 1 - math.floor(math.log10(abs(value))))
    return f"{round(value, places):.{places}f}"


def counted(number: int, noun: str) -> str:
    """Return ``1 sensor`` or ``2 sensors``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def kilograms(mass_kg: float) -> str:
    """Return a mass in kilograms, however small: masses beside each other have one unit."""
    return f"{digits(mass_kg)} kg"


def per_hour(rate_kg_s: float) -> str:
    """Return a rate in kg/s as g/h, however large: rates beside each other have one unit."""
    return f"{digits(1000 * SECONDS_PER_HOUR * rate_kg_s)} g/h"


def per_second(rate_kg_s: float) -> str:
    """Return a rate in SI, ``1.6·10⁻⁵ kg/s``."""
    mantissa, _, power = f"{rate_kg_s:.1e}".partition("e")
    raised = str(int(power)).translate(SUPERSCRIPT)
    return f"{mantissa}·10{raised} kg/s" if rate_kg_s else "0 kg/s"
