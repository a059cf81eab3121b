"""The templates of the scenarios: an open one of the seeds, and a semi-closed one."""

from typing import Literal

import numpy as np

from bench.detection.leaks import seeds
from bench.detection.study import SEEDS
from shared.domain.template import WALLS, AreaPerWall, FractionPerWall, Template

Kind = Literal["open", "semi"]
OPEN = "snorre-w"
WIDTH, LENGTH, HEIGHT = 20.0, 16.0, 6.0  # m, of the semi-closed template
FILL = 0.9  # of its box is water
LEAST_POROUS, MOST_POROUS = 0.05, 0.3


def drawn(kind: Kind, rng: np.random.Generator) -> Template:
    """Return a template with a random heading, a semi-closed one with a random porosity."""
    heading, porosity = float(rng.uniform(0, 360)), float(rng.uniform(LEAST_POROUS, MOST_POROUS))
    template = next(one for one in seeds(SEEDS) if one.id == OPEN)
    template = template.model_copy(update={"angle_from_north": heading})
    return template if kind == "open" else _walled(template, porosity)


def _walled(template: Template, porosity: float) -> Template:
    areas = dict.fromkeys(("fore", "aft"), WIDTH * HEIGHT) | dict.fromkeys(("port", "starboard"), LENGTH * HEIGHT)
    return template.model_copy(
        update={
            "width": WIDTH,
            "length": LENGTH,
            "height": HEIGHT,
            "porosity": FractionPerWall.model_validate(dict.fromkeys(WALLS, porosity)),
            "wall_area": AreaPerWall.model_validate(areas),
            "internal_volume": FILL * WIDTH * LENGTH * HEIGHT,
        }
    )
