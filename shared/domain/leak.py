"""A leak as a hypothesis: what the forward model simulates."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime

from shared.domain.template import Height, Offset
from shared.domain.validation import Bounded, Model


class Leak(Model):
    """A leak at x, y, z [m] of a template that dissolves ``rate_kg_s`` of methane from ``onset`` on."""

    x: Offset
    y: Offset
    z: Height
    rate_kg_s: Annotated[float, Bounded(0, 1_000, "kg/s")]
    onset: AwareDatetime
    end: AwareDatetime | None = None

    def active_at(self, moment: datetime) -> bool:
        """Return whether the leak is running at that moment."""
        return self.onset <= moment and (self.end is None or moment < self.end)
