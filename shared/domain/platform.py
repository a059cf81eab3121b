"""A platform: an offshore installation and the logic of its data source."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.domain.template import PLATFORM_PATTERN, Template
from shared.domain.validation import Bounded, Model, Text
from shared.errors import InvalidInput

Quantity = Literal["current_speed", "current_direction", "wave_height", "wave_period", "temperature"]


class EnvironmentSeries(Model):
    """One OMNIA series of the environment and how its unit becomes the project's (value x scale)."""

    tag: Text = Field(min_length=1, max_length=64)
    unit: Text = Field(min_length=1, max_length=16)
    scale: Annotated[float, Bounded(1e-6, 1e6)] = 1.0


class Platform(Model):
    """An offshore installation, named after its field, whose templates we watch."""

    id: str = Field(pattern=PLATFORM_PATTERN)
    name: Text = Field(min_length=1, max_length=32)
    facility: str = Field(pattern=r"^[A-Z0-9]{2,8}$")
    environment: dict[Quantity, EnvironmentSeries] = Field(default_factory=dict)
    templates: tuple[Template, ...] = Field(default=(), max_length=200)

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        ids = [template.id for template in self.templates]
        if len(set(ids)) < len(ids):
            raise ValueError(f"templates must have different ids, not {ids}")
        for template in self.templates:
            if template.platform != self.id:
                raise ValueError(f"template {template.id} belongs to {template.platform!r}, not to {self.id!r}")
            for sensor in template.sensors:
                place = locate_tag(self.id, sensor.tag)
                if place is not None and place != (template.name, sensor.number):
                    raise ValueError(
                        f"sensor {sensor.id}: tag {sensor.tag} means template {place[0]} sensor {place[1]}, "
                        f"not template {template.name} sensor {sensor.number}"
                    )
        return self


_SNORRE_TAG = re.compile(r"^19H-QI___(?P<template>[2-7])(?P<sensor>[1-9])72$")
_SNORRE_TEMPLATES = {"2": "M", "3": "N", "4": "V", "5": "W", "6": "X", "7": "Z"}
_TRESTAKK_TAG = re.compile(r"^19XT2(?P<sensor>[1-9])16$")


def locate_tag(platform: str, tag: str) -> tuple[str, int] | None:
    """Return (template name, sensor number) that a tag of Snorre or Trestakk names.

    Askeladd and Troll have no rule in their tags: their seed entries say it, and the answer is None.
    Raises InvalidInput for a tag that breaks its platform's rule.
    """
    if platform == "snorre":
        found = _SNORRE_TAG.match(tag)
        if found is None:
            raise InvalidInput(f"tag {tag!r}: a Snorre tag reads 19H-QI___<2-7><1-9>72")
        return _SNORRE_TEMPLATES[found["template"]], int(found["sensor"])
    if platform == "trestakk":
        found = _TRESTAKK_TAG.match(tag)
        if found is None:
            raise InvalidInput(f"tag {tag!r}: a Trestakk tag reads 19XT2<1-9>16")
        number = int(found["sensor"])
        return ("A", number) if number < 5 else ("B", number - 4)
    return None
