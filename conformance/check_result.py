"""What a check found."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class CheckResult:
    """What was looked at, in words, and everything that the platform would not take."""

    summary: str
    faults: tuple[str, ...]
    skipped: bool = False  # nothing was looked at; the summary says why

    @classmethod
    def of(cls, summary: str, faults: Iterable[str]) -> "CheckResult":
        """Return the verdict, each fault once."""
        return cls(summary, tuple(dict.fromkeys(faults)))

    @classmethod
    def skip(cls, reason: str) -> "CheckResult":
        """Return that the check could not be made here, and why: no fault."""
        return cls(reason, (), skipped=True)
