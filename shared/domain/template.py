"""The subsea structure and what is mounted on it.

Coordinates are the template's own: x to starboard, y to fore, z up from the seabed, origin at the footprint's
centre [m]; ``angle_from_north`` turns them to the earth's (degrees clockwise from true north to the fore axis).
"""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from shared.arrays import Flags, Floats
from shared.domain.validation import Bounded, Model, Text

Wall = Literal["fore", "aft", "port", "starboard"]
WALLS: tuple[Wall, ...] = ("fore", "aft", "port", "starboard")

Fraction = Annotated[float, Bounded(0, 1)]
Area = Annotated[float, Bounded(0, 10_000, "m2")]
Inclination = Annotated[float, Bounded(0, 90, "degrees", below=True)]
Offset = Annotated[float, Bounded(-100, 100, "m")]
Height = Annotated[float, Bounded(0, 100, "m")]
Size = Annotated[float, Bounded(0, 200, "m", above=True)]

MARGIN_M = 5.0  # so far outside the box a leak is still one of the template
MOST_LEAK_POINTS = 100

PLATFORM_PATTERN = r"^[a-z][a-z0-9]{1,31}$"
TEMPLATE_PATTERN = r"^[a-z][a-z0-9]{1,31}-[a-z0-9]{1,16}$"
SENSOR_PATTERN = r"^[a-z][a-z0-9]{1,31}-[a-z0-9]{1,16}-[0-9]{1,3}$"


class FractionPerWall(Model):
    """One share in [0, 1] per wall."""

    fore: Fraction
    aft: Fraction
    port: Fraction
    starboard: Fraction


class AreaPerWall(Model):
    """One area [m2] per wall."""

    fore: Area
    aft: Area
    port: Area
    starboard: Area


class InclinationPerWall(Model):
    """One inclination from the vertical [degrees] per wall."""

    fore: Inclination
    aft: Inclination
    port: Inclination
    starboard: Inclination


class Point(Model):
    """A named place in template coordinates [m]."""

    name: Text = Field(min_length=1, max_length=64)
    x: Offset
    y: Offset
    z: Height


class Sensor(Model):
    """One dissolved-methane sensor (METS type) at x, y, z [m] of its template; reads ppmv."""

    id: str = Field(pattern=SENSOR_PATTERN)
    tag: Text = Field(min_length=1, max_length=64)
    name: Text = Field(default="", max_length=64)  # what people call it; empty: its tag
    number: int = Field(ge=1, le=999)
    x: Offset
    y: Offset
    z: Height
    pinned: bool = False
    interactive_feedback: bool = False


class Template(Model):
    """A subsea template: geometry, walls, sensors and the places where a leak is most likely."""

    id: str = Field(pattern=TEMPLATE_PATTERN)
    platform: str = Field(pattern=PLATFORM_PATTERN)
    name: Text = Field(min_length=1, max_length=32)
    angle_from_north: Annotated[float, Bounded(0, 360, "degrees", below=True)]
    height: Size
    length: Size
    width: Size
    depth: Annotated[float, Bounded(1, 4000, "m")]
    porosity: FractionPerWall
    wall_area: AreaPerWall
    inclination: InclinationPerWall
    internal_volume: Annotated[float, Bounded(0, 1_000_000, "m3")]
    roof: bool = False
    example_geometry: bool = False
    leak_points: tuple[Point, ...] = Field(default=(), max_length=MOST_LEAK_POINTS)
    sensors: tuple[Sensor, ...] = Field(default=(), max_length=100)

    @property
    def slug(self) -> str:
        """The template's part of its id, as blob paths use it."""
        return self.id.removeprefix(f"{self.platform}-")

    @property
    def sensor_positions(self) -> Floats:
        """Where the sensors are [sensors, 3] in m."""
        return np.array([[one.x, one.y, one.z] for one in self.sensors], dtype=np.float64).reshape(-1, 3)

    def holds(self, places: Floats) -> Flags:
        """Return which of the places [p, 3] in m belong to the template [p]: in its box, or at most 5 m outside."""
        half = np.array([self.width / 2, self.length / 2]) + MARGIN_M
        inside = (np.abs(places[:, :2]) <= half).all(axis=1)
        return np.asarray(inside & (places[:, 2] >= 0) & (places[:, 2] <= self.height + MARGIN_M))

    @property
    def misplaced(self) -> tuple[Point, ...]:
        """The known leak points that do not belong to it: nothing can be said of a leak there."""
        places = np.array([[one.x, one.y, one.z] for one in self.leak_points], dtype=np.float64).reshape(-1, 3)
        return tuple(one for one, held in zip(self.leak_points, self.holds(places), strict=True) if not held)

    def without_misplaced(self) -> Self:
        """Return the template without the known leak points that do not belong to it."""
        misplaced = self.misplaced
        return self.model_copy(update={"leak_points": tuple(one for one in self.leak_points if one not in misplaced)})

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if not self.id.startswith(f"{self.platform}-"):
            raise ValueError(f"id must start with its platform, '{self.platform}-', not {self.id!r}")
        ids = [sensor.id for sensor in self.sensors]
        tags = [sensor.tag for sensor in self.sensors]
        if len(set(ids)) < len(ids) or len(set(tags)) < len(tags):
            raise ValueError(f"sensors must have different ids and tags, not {ids} with {tags}")
        misnumbered = [sensor.id for sensor in self.sensors if sensor.id != f"{self.id}-{sensor.number}"]
        if misnumbered:
            raise ValueError(f"sensors must have ids that end with their number, not {misnumbered}")
        return self
