"""What a check found."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """What was looked at, in words, and everything that the platform would not take."""

    told: str
    faults: tuple[str, ...]

    @classmethod
    def of(cls, told: str, faults: Iterable[str]) -> "Verdict":
        """Return the verdict, each fault once."""
        return cls(told, tuple(dict.fromkeys(faults)))
