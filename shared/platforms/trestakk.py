"""Trestakk: one digit of a tag counts the sensors of both templates."""

import re
from dataclasses import dataclass

from shared.errors import InvalidInput
from shared.platforms.rules import OMNIA

_TAG = re.compile(r"^19XT2(?P<sensor>[1-9])16$")
_FIRST_OF_B = 5


@dataclass(frozen=True)
class TrestakkRules:
    """19XT2316 is sensor 3 of template A, 19XT2516 sensor 1 of template B."""

    source: str = OMNIA

    def locate(self, tag: str) -> tuple[str, int]:
        """Return (template name, sensor number) of a tag; raises InvalidInput."""
        found = _TAG.match(tag)
        if found is None:
            raise InvalidInput(f"tag {tag!r}: a Trestakk tag reads 19XT2<1-9>16")
        number = int(found["sensor"])
        return ("A", number) if number < _FIRST_OF_B else ("B", number - _FIRST_OF_B + 1)


RULES = TrestakkRules()
