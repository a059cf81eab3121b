"""What a template's leak detection promises, how reliable and available it was, and what all of that rests on."""

from typing import Literal, Self

from pydantic import AwareDatetime

from shared.domain.validation import Model

METHOD = 1  # raised where the same inputs lead to another statement
PROBABILITY = 0.9  # of finding a leak, that is promised

LevelWord = Literal["Warning", "Critical"]
Rate = float | None  # dissolved, in kg/s; None: none that was looked at is found so surely


class StatementInputs(Model):
    """What a statement rests on beside the currents: another one of these asks for a new statement."""

    method: int = METHOD
    engine: str  # of the detection
    baselines: dict[str, str]  # version by sensor; empty: it has none
    false_alarms: dict[str, tuple[float, float]]  # that may come a sensor-month, Warning's and Critical's, by sensor
    geometry: str  # digest of the template as it is registered
    settings: dict[str, str]  # by name

    def changes_from(self, before: Self) -> tuple[str, ...]:
        """Return in words what is otherwise than it was."""
        named = {
            "the method": self.method == before.method,
            "the detection engine": self.engine == before.engine,
            "the geometry or a sensor's place": self.geometry == before.geometry,
        }
        found = [name for name, same in named.items() if not same]
        for sensor in sorted(self.baselines.keys() | before.baselines.keys()):
            if sensor not in before.baselines:
                found.append(f"sensor {sensor} is new")
            elif sensor not in self.baselines:
                found.append(f"sensor {sensor} is gone")
            elif self.baselines[sensor] != before.baselines[sensor]:
                found.append(f"the baseline of {sensor}")
            elif self.false_alarms.get(sensor) != before.false_alarms.get(sensor):
                found.append(f"the false alarms that {sensor} may cost")
        names = sorted(self.settings.keys() | before.settings.keys())
        return (*found, *(f"the setting {one}" for one in names if self.settings.get(one) != before.settings.get(one)))


class RateMap(Model):
    """The smallest rates that are found, by place: cells' centres in template coordinates [m].

    ``rates_kg_s`` [z, y, x]; None where no rate is found so surely.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    z: tuple[float, ...]
    rates_kg_s: tuple[tuple[tuple[Rate, ...], ...], ...]


class PointRate(Model):
    """The smallest rate that is found at a known leak point."""

    name: str
    rate_kg_s: Rate


class RateQuantiles(Model):
    """The smallest rates that are found at half of the places, and at nine of ten."""

    median_kg_s: Rate
    most_kg_s: Rate


class Promise(RateQuantiles):
    """From which rates on leaks are told at a level within a time of their onset."""

    level: LevelWord
    within_hours: int


class Accuracy(Model):
    """How exactly leaks of a rate are estimated with a day of data: medians over places, and nine of ten of them.

    Distances are horizontal; rates are right but for the factor, up or down.
    """

    rate_kg_s: float
    distance_median_m: float
    distance_most_m: float
    factor_median: float
    factor_most: float


class Variant(RateQuantiles):
    """What is found within a day with a sensor less, or one more at a place [m]; ``times`` the rates as they are.

    ``times`` is the geometric mean over the places where both find one; None where there is none.
    """

    kind: Literal["lost", "added"]
    sensor: str = ""  # the one that is lost
    place: tuple[float, float, float] | None = None
    times: float | None


class Reliability(Model):
    """The alarms that were raised of the last twelve months, as they stand."""

    since: AwareDatetime
    alarms: int
    by_verdict: dict[str, int]
    by_state: dict[str, int]
    by_disposition: dict[str, int]  # of those that were withdrawn
    history: int  # found by a backfill: nobody could be told in time, so they count nowhere else
    unacknowledged: int
    median_hours_to_acknowledgement: float | None


class Availability(Model):
    """Shares of a month's time, from the first scored day on, sensors on average; None: no time of it counts."""

    month: str  # yyyy-mm
    scored: float | None  # of sensors: there is a level
    watched: float | None  # of sensors: the same, and the sensor is well
    currents: float | None


class Statement(Model):
    """The performance statement of a template; ``unknown`` says what could not be stated, and why."""

    template: str
    made: AwareDatetime
    version: str  # of the app
    inputs: StatementInputs
    start: AwareDatetime  # of the currents
    end: AwareDatetime
    currents_known: float  # share of that time
    blind: tuple[str, ...] = ()  # sensors without a baseline
    unknown: tuple[str, ...] = ()
    map: RateMap | None = None  # Critical, within a day
    points: tuple[PointRate, ...] = ()
    promises: tuple[Promise, ...] = ()
    accuracy: tuple[Accuracy, ...] = ()
    variants: tuple[Variant, ...] = ()
    reliability: Reliability
    availability: tuple[Availability, ...] = ()


class Statements(Model):
    """The newest statement of a template, and the last one that rested on something else."""

    newest: Statement
    before: Statement | None = None

    @property
    def changes(self) -> tuple[str, ...]:
        """What the newest rests on that the one before did not; empty where there is none before."""
        return self.newest.inputs.changes_from(self.before.inputs) if self.before else ()

    @classmethod
    def after(cls, known: "Statements | None", newest: Statement) -> "Statements":
        """Return the two that are kept once there is another one: the same inputs replace, others move on."""
        if known is None:
            return cls(newest=newest)
        same = known.newest.inputs == newest.inputs
        return cls(newest=newest, before=known.before if same else known.newest)
