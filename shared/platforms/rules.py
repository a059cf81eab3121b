"""The rules of a platform: where its readings come from, and what its tags say."""

from dataclasses import dataclass
from typing import Protocol

OMNIA = "omnia"


class PlatformRules(Protocol):
    """What differs from platform to platform."""

    @property
    def source(self) -> str:
        """The data source of its readings, by the name that it has in ``shared.bootstrap``."""
        ...

    def locate(self, tag: str) -> tuple[str, int] | None:
        """Return (template name, sensor number) that the tag of a sensor names; None: its tags say nothing of it.

        Raises InvalidInput for a tag that breaks the platform's rule.
        """
        ...


@dataclass(frozen=True)
class FreeTags:
    """Rules of a platform with no rule in its tags: what is registered says which sensor a tag belongs to."""

    source: str = OMNIA

    def locate(self, tag: str) -> None:
        """Return None: a tag says nothing."""
