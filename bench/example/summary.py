"""The answer in words."""

from datetime import UTC, datetime

from shared.domain.estimation import Estimation, Interval

CALLED = {
    "CONFIRMED": "A leak of this template",
    "EXTERNAL_CAUSE": "Something common to the template's sensors, not a leak here",
    "UNDEFINED": "The data do not decide",
}


def verdict(answer: Estimation) -> str:
    """Return the verdict with the probability of a leak here."""
    return f"{CALLED[answer.verdict]} ({answer.verdict}); probability of a leak here {answer.probability:.2f}"


def report(answer: Estimation) -> str:
    """Return verdict, place, rates, onset and warnings, a line for each."""
    lines = [verdict(answer)]
    if answer.place is not None:
        place, within = answer.place, answer.location_error_m
        error = "" if within is None else f", within {within:.1f} m"
        lines.append(f"  at x {place.x:.1f} y {place.y:.1f} z {place.z:.1f} m{error}")
        lines.append(f"  regions: 50 % in {answer.region_50_m3:.3g} m3, 90 % in {answer.region_90_m3:.3g} m3")
    if answer.nearest_leak_point is not None:
        point = answer.nearest_leak_point
        lines.append(f"  most likely known leak point: {point.name}, probability {point.probability:.2g}")
    lines += rates(answer)
    if answer.onset is not None:
        onset = answer.onset
        lines.append(f"  began {moment(onset.median)} (90 %: {moment(onset.low_90)} to {moment(onset.high_90)})")
    lines.append(f"  rests on {answer.samples} samples of {', '.join(answer.sensors)}; {answer.environment}")
    return "\n".join([*lines, *(f"  mind: {warning}" for warning in answer.warnings)])


def rates(answer: Estimation) -> list[str]:
    """Return a line for each rate that was estimated, in kg/s."""
    intervals = {"dissolved": answer.dissolved_rate_kg_s, "total": answer.total_rate_kg_s}
    return [f"  {name} {interval(one)} kg/s" for name, one in intervals.items() if one is not None]


def interval(one: Interval) -> str:
    """Return the median and the 90 % interval as text, in the interval's unit."""
    return f"{one.median:.2g} (90 %: {one.low_90:.2g} to {one.high_90:.2g})"


def moment(when: datetime) -> str:
    """Return a moment to the minute in UTC."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
