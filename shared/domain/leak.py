"""A leak as a hypothesis: what the forward model simulates."""

from typing import Annotated

from shared.domain.template import Height, Offset
from shared.domain.validation import Bounded, Model, Moment


class Leak(Model):
    """A leak at x, y, z [m] of a template that dissolves ``rate_kg_s`` of methane from ``onset`` on."""

    x: Offset
    y: Offset
    z: Height
    rate_kg_s: Annotated[float, Bounded(0, 1_000, "kg/s")]
    onset: Moment
    end: Moment | None = None
