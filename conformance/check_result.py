"""What a check found."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class CheckResult:
    """What was looked at, in words, and everything that the platform would not take."""

    summary: str
    faults: tuple[str, ...]

    @classmethod
    def of(cls, summary: str, faults: Iterable[str]) -> "CheckResult":
        """Return the verdict, each fault once."""
        return cls(summary, tuple(dict.fromkeys(faults)))
