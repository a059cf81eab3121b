"""What is promised, and whether it holds."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """What is promised, what was found, and whether that is as promised."""

    words: str
    found: str
    holds: bool


def told(claims: Iterable[Claim]) -> str:
    """Return the claims as lines."""
    return "\n".join(f"{'holds ' if one.holds else 'FAILS '} {one.words}: {one.found}" for one in claims)
