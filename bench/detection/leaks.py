"""What is put in: leaks of seven kinds, scaled to an amplitude, with the moment of the currents that carried them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.detection.currents import Currents
from bench.detection.first_order import FIRST_ORDER, STEP_H, response
from bench.detection.plumes import AFTER, LASTS, MOST_DRAWS, Signature, amplitude, lasting, simulated
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.validation import parse

PLUMES = ("simulated", "puffs")
KINDS = (*FIRST_ORDER, *PLUMES)
HELD_KINDS = ("simulated", "sustained", "puffs", "pulsed")  # that last without a pause longer than half a tide


def seeds(folder: Path) -> list[Template]:
    """Return the templates with sensors of the platforms in a folder of seeds."""
    platforms = [parse(Platform, path.read_bytes(), path.name) for path in sorted(folder.glob("*.json"))]
    return [template for platform in platforms for template in platform.templates if template.sensors]


@dataclass(frozen=True, eq=False)
class Source:
    """What leaks are drawn from: templates, the record of currents, and puffs that were worked out beforehand."""

    templates: list[Template]
    currents: Currents
    puffs: Sequence[Signature]

    def drawn(self, kind: str, rng: np.random.Generator) -> Signature:
        """Return a leak of amplitude 1; raises ValueError when none in MOST_DRAWS does more than brush the sensor."""
        for _ in range(MOST_DRAWS):
            found = self._drawn(kind, rng)
            if lasting(found.added):
                return Signature(found.added / amplitude(found.added), found.moment)
        raise ValueError(f"in {MOST_DRAWS} draws no leak of the kind {kind} reached a sensor for long")

    def _drawn(self, kind: str, rng: np.random.Generator) -> Signature:
        if kind == "simulated":
            return simulated(self.templates, self.currents, rng)
        if kind == "puffs":
            return self.puffs[int(rng.integers(len(self.puffs)))]
        hours = np.arange(1 + LASTS + AFTER, dtype=np.float64) * STEP_H
        strength = FIRST_ORDER[kind](hours, rng)
        strength[LASTS + 1 :] = 0.0
        return Signature(response(strength), int(rng.integers(self.currents.size)))
