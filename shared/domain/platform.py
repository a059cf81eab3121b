"""A platform: an offshore installation; what is its own alone are its rules (``shared.platforms``)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.domain.template import PLATFORM_PATTERN, Template
from shared.domain.validation import Bounded, Model, Text
from shared.platforms import PlatformRules, rules_of

Quantity = Literal["current_speed", "current_direction", "wave_height", "wave_period", "temperature"]

FACILITY_PATTERN = r"^[A-Z0-9]{2,8}$"  # as OMNIA has them: SNA


class EnvironmentSeries(Model):
    """One series of the environment in its data source and how its unit becomes the project's (value x scale)."""

    tag: Text = Field(min_length=1, max_length=64)
    unit: Text = Field(min_length=1, max_length=16)
    scale: Annotated[float, Bounded(1e-6, 1e6)] = 1.0


class Platform(Model):
    """An offshore installation, named after its field, whose templates we watch."""

    id: str = Field(pattern=PLATFORM_PATTERN)
    name: Text = Field(min_length=1, max_length=32)
    facility: str = Field(pattern=FACILITY_PATTERN)  # the installation's code in its data source
    environment: dict[Quantity, EnvironmentSeries] = Field(default_factory=dict)
    templates: tuple[Template, ...] = Field(default=(), max_length=200)

    @property
    def rules(self) -> PlatformRules:
        """What is its own alone: its data source, what its tags say."""
        return rules_of(self.id)

    @property
    def ids(self) -> frozenset[str]:
        """Its own id, and those of its templates and their sensors."""
        sensors = {sensor.id for one in self.templates for sensor in one.sensors}
        return frozenset({self.id, *(one.id for one in self.templates), *sensors})

    @property
    def source_name(self) -> str:
        """Its data source as people write it, such as OMNIA."""
        return self.rules.source.upper()

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        ids = [template.id for template in self.templates]
        if len(set(ids)) < len(ids):
            raise ValueError(f"templates must have different ids, not {ids}")
        for template in self.templates:
            if template.platform != self.id:
                raise ValueError(f"template {template.id} belongs to {template.platform!r}, not to {self.id!r}")
            for sensor in template.sensors:
                place = self.rules.locate(sensor.tag)
                if place is not None and place != (template.name, sensor.number):
                    raise ValueError(
                        f"sensor {sensor.id}: tag {sensor.tag} means template {place[0]} sensor {place[1]}, "
                        f"not template {template.name} sensor {sensor.number}"
                    )
        return self
