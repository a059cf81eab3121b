"""Snorre: the digits of a tag are template and sensor."""

import re
from dataclasses import dataclass

from shared.errors import InvalidInput
from shared.platforms.rules import OMNIA

_TAG = re.compile(r"^19H-QI___(?P<template>[2-7])(?P<sensor>[1-9])72$")
_TEMPLATES = {"2": "M", "3": "N", "4": "V", "5": "W", "6": "X", "7": "Z"}


@dataclass(frozen=True)
class SnorreRules:
    """19H-QI___5472 is sensor 4 of template W."""

    source: str = OMNIA

    def locate(self, tag: str) -> tuple[str, int]:
        """Return (template name, sensor number) of a tag; raises InvalidInput."""
        found = _TAG.match(tag)
        if found is None:
            raise InvalidInput(f"tag {tag!r}: a Snorre tag reads 19H-QI___<2-7><1-9>72")
        return _TEMPLATES[found["template"]], int(found["sensor"])


RULES = SnorreRules()
