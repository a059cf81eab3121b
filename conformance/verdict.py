"""What a check found."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """What was looked at, in words, and everything that the platform would not take."""

    summary: str
    faults: tuple[str, ...]

    @classmethod
    def of(cls, summary: str, faults: Iterable[str]) -> "Verdict":
        """Return the verdict, each fault once."""
        return cls(summary, tuple(dict.fromkeys(faults)))
