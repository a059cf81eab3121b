"""What an estimation says: where the leak is, how large, since when, and how sure we are."""

from dataclasses import dataclass
from typing import Literal

from pydantic import AwareDatetime, Field

from shared.arrays import Floats, Times
from shared.domain.validation import Model

Verdict = Literal["CONFIRMED", "EXTERNAL_CAUSE", "UNDEFINED"]


@dataclass(frozen=True, eq=False)
class Observations:
    """What the template's sensors read: ppmv [sensors, n] at times [n], NaN where missing.

    Rows follow ``template.sensors``.
    """

    times: Times
    ppmv: Floats


class Interval(Model):
    """A quantity's posterior: median with the central 50 % and 90 % credible intervals."""

    median: float
    low_50: float
    high_50: float
    low_90: float
    high_90: float


class PlaceProbability(Model):
    """A cell of the template's volume (centre, metres) or a known leak point, and its posterior probability."""

    name: str = ""
    x: float
    y: float
    z: float
    probability: float = Field(ge=0, le=1)


class PlaceMode(Model):
    """One of the separate places that the data cannot choose between: all of its probability, at its likeliest place.

    Beside it the known leak point that is nearest, and how far that is; empty and null without any.
    """

    x: float
    y: float
    z: float
    probability: float = Field(ge=0, le=1)
    nearest_leak_point: str
    distance_m: float | None


class OnsetInterval(Model):
    """When the leak began: median and the 90 % interval."""

    median: AwareDatetime
    low_90: AwareDatetime
    high_90: AwareDatetime


class Curve(Model):
    """What the sensors would read by one hypothesis, background included: ppmv [sensors, n] at the curves' times."""

    place: PlaceProbability
    onset: AwareDatetime
    dissolved_rate_kg_s: float
    ppmv: tuple[tuple[float, ...], ...]


class Curves(Model):
    """The curves of the likeliest hypotheses, the likeliest first; rows follow the estimation's ``sensors``."""

    times: tuple[AwareDatetime, ...]
    hypotheses: tuple[Curve, ...]


class RateStep(Model):
    """What was released from ``start`` to ``end``: the dissolved rate, 0 where nothing was."""

    start: AwareDatetime
    end: AwareDatetime
    probability_leaking: float = Field(ge=0, le=1)
    dissolved_rate_kg_s: Interval


class SensorFit(Model):
    """How well the likeliest leak fits one sensor: by its curve times the sensor's own ``gain``."""

    sensor: str
    p: float = Field(ge=0, le=1)  # of a misfit at least as large, were the model right
    residual_ppmv: float  # root mean square
    gain: float | None  # what it reads of the leak over what it should; None where that is next to nothing


class Estimation(Model):
    """The answer to "is a leak of this template behind it, and if so where, how large, since when?"."""

    verdict: Verdict
    probability: float = Field(ge=0, le=1)  # of a leak here
    probability_external: float = Field(
        0.0, ge=0, le=1
    )  # of one cause from outside; the rest is none, a sensor's own, or one that no model holds
    log_bayes_factor: float  # leak here over nothing here
    log_bayes_factor_external: float | None = None  # leak here over an external cause
    place: PlaceProbability | None  # the cell or leak point nearest to where it may be
    nearest_leak_point: PlaceProbability | None  # most likely known leak point
    places: tuple[PlaceProbability, ...] = ()  # the cells of the 90 % region, most likely first
    region_50_m3: float = 0.0
    region_90_m3: float = 0.0
    location_error_m: float | None = None  # posterior root mean square distance from ``place``
    dissolved_rate_kg_s: Interval | None
    total_rate_kg_s: Interval | None
    onset: OnsetInterval | None
    rate_over_time: tuple[RateStep, ...] = ()  # from the earliest onset on; the rates above are a steady leak's
    dissolved_mass_kg: Interval | None = None  # of all these steps
    total_mass_kg: Interval | None = None
    curves: Curves | None = None
    fits: tuple[SensorFit, ...] = ()
    sensors: tuple[str, ...]
    samples: int
    environment: str  # what of the environment it rests on, in words
    warnings: tuple[str, ...] = ()


class EstimationStep(Model):
    """One of the estimations that an incident had, in short: with the data up to ``at``."""

    at: AwareDatetime
    verdict: Verdict
    probability: float = Field(ge=0, le=1)
    probability_external: float = Field(ge=0, le=1)
    place: PlaceProbability | None
    location_error_m: float | None
    dissolved_rate_kg_s: Interval | None
