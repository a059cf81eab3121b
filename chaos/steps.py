"""What happens in a history, step by step; each step is one line of a test."""

from dataclasses import dataclass
from typing import Literal

from chaos.faults import Fault

# --- what changes


@dataclass(frozen=True)
class Later:
    """Time goes on."""

    hours: float


@dataclass(frozen=True)
class Corrected:
    """The source has other readings of a sensor in slots [first, end) of a day: higher by so much than at first."""

    sensor: int
    day: int
    first: int
    end: int
    by: float


@dataclass(frozen=True)
class Removed:
    """The source has no readings of a sensor in slots [first, end) of a day any more."""

    sensor: int
    day: int
    first: int
    end: int


@dataclass(frozen=True)
class Restored:
    """The source has a sensor's readings of a day as they were at first."""

    sensor: int
    day: int


@dataclass(frozen=True)
class Held:
    """From now on nothing new of a sensor is shown."""

    sensor: int


@dataclass(frozen=True)
class Released:
    """What was held back of a sensor is shown: it comes late."""

    sensor: int


@dataclass(frozen=True)
class MadeAnew:
    """The source has a sensor's series under a new id."""

    sensor: int


@dataclass(frozen=True)
class TagGone:
    """The source does not know a sensor's tag, or (``refused``) says what is wrong with it."""

    sensor: int
    refused: bool = False


@dataclass(frozen=True)
class TagBack:
    """The source knows a sensor's tag again."""

    sensor: int


@dataclass(frozen=True)
class Spoilt:
    """A day's blob cannot be read any more, or (``gone``) is not there."""

    day: int
    gone: bool = False


# --- what people do, and processes


@dataclass(frozen=True)
class Run:
    """One process works; ``faults`` befall its calls of the ports."""

    process: int = 0
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Deleted(Run):
    """A person deletes a sensor with all that is stored of it."""

    sensor: int = 1


@dataclass(frozen=True)
class Created(Run):
    """A person registers a sensor (again); ``renamed``: with another tag."""

    sensor: int = 1
    renamed: bool = False


@dataclass(frozen=True)
class Marked(Run):
    """A person marks the hours [first, end) of a day of a sensor."""

    sensor: int = 1
    day: int = 0
    first: int = 0
    end: int = 24
    verdict: Literal["no_leak", "leak"] = "no_leak"


@dataclass(frozen=True)
class MarkUndone(Run):
    """A person takes a sensor's newest mark back."""

    sensor: int = 1


@dataclass(frozen=True)
class BaselineUndone(Run):
    """A person lets a sensor's first baseline count no more, or again."""

    sensor: int = 1
    undone: bool = True


@dataclass(frozen=True)
class Ingested(Run):
    """The timer of ingest; ``jump``: by how many days the process's clock is wrong."""

    jump: int = 0


@dataclass(frozen=True)
class Scored(Run):
    """A day's blob event, which may come late, twice and out of order."""

    day: int = 0


@dataclass(frozen=True)
class Estimated(Run):
    """The oldest message of an incident; ``again``: it stays, and comes once more."""

    again: bool = False


@dataclass(frozen=True)
class Built(Run):
    """The oldest request for baselines."""


@dataclass(frozen=True)
class Daily(Run):
    """The daily run of baselines."""


Change = Later | Corrected | Removed | Restored | Held | Released | MadeAnew | TagGone | TagBack | Spoilt
Step = Change | Run


@dataclass(frozen=True)
class History:
    """Steps in order; then every event is delivered, in an order that ``order`` draws, until none is left."""

    steps: tuple[Step, ...]
    order: int = 0
