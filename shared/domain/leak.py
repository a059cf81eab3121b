"""A leak as a hypothesis: what the forward model simulates."""

from typing import Annotated

from shared.domain.template import Height, Offset
from shared.domain.validation import Bounded, Model, Moment


class Release(Model):
    """A place x, y, z [m] of a template that dissolves ``rate_kg_s`` of methane, whenever it may."""

    x: Offset
    y: Offset
    z: Height
    rate_kg_s: Annotated[float, Bounded(0, 1_000, "kg/s")]


class Leak(Release):
    """A release from ``onset`` on."""

    onset: Moment
    end: Moment | None = None
