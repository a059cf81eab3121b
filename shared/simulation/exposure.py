"""What of a leak reaches the sensors at every moment: as a plume in the open, and through a semi-closed box."""

from dataclasses import dataclass, replace

import numpy as np

from shared.arrays import Floats, Indices
from shared.domain.environment import Environment
from shared.domain.template import MARGIN_M, Template
from shared.errors import InvalidInput
from shared.simulation.ambient import resolve
from shared.simulation.enclosure import ALWAYS, Enclosure, confinement, zone_responses
from shared.simulation.harmonics import concentration
from shared.simulation.physics import Physics
from shared.simulation.plume import Flow, flow_of
from shared.simulation.solubility import kg_m3_per_ppmv


@dataclass(frozen=True, eq=False, slots=True)
class Sea:
    """The flow in the template's axes, and the concentration [kg/m3] behind 1 ppmv, at the same moments [n]."""

    flow: Flow
    kg_m3_per_ppmv: Floats

    def held(self, steps: Indices) -> "Sea":
        """Return the sea at the moments of these indices [k]."""
        flow = self.flow
        parts = {name: getattr(flow, name)[steps] for name in ("speed", "angle", "friction_ratio", "isotropic")}
        return Sea(replace(flow, **parts), self.kg_m3_per_ppmv[steps])


def sea_of(
    template: Template, environment: Environment, seconds: Floats, physics: Physics, turn_deg: float = 0.0
) -> Sea:
    """Return the sea at ``seconds`` [n] since 1970, with ``turn_deg`` added to the current's direction."""
    resolved = resolve(environment, (1000 * seconds).astype(np.int64).astype("datetime64[ms]"), template)
    behind = kg_m3_per_ppmv(resolved.temperature, physics.salinity, template.depth)
    return Sea(flow_of(resolved, template.angle_from_north - turn_deg), behind)


def plume_exposure(template: Template, places: Floats, sea: Sea, physics: Physics) -> Floats:
    """Return what reaches the sensors [p, sensors, n] in ppmv per kg/s from ``places`` [p, 3] as in the open.

    A steady plume at every moment, times the share of the release that the template does not confine.
    """
    per_rate = concentration(places, template.sensor_positions, sea.flow, physics)
    per_rate *= (1 - confinement(template)) / sea.kg_m3_per_ppmv
    return per_rate


def box_exposure(
    enclosure: Enclosure, share: float, sea: Sea, seconds: Floats, onsets: list[float], physics: Physics
) -> Floats:
    """Return what reaches the sensors [o, zones, sensors, n] in ppmv per kg/s of leaks that mix through the box.

    ``share`` of the release does. Onsets in seconds: each is one of ``seconds`` [n], or before or after them all; one
    before them always was.
    """
    begins = np.array(onsets)
    starts = np.where(begins < seconds[0], ALWAYS, np.searchsorted(seconds, begins))
    per_rate = zone_responses(enclosure, sea.flow, seconds, starts, physics)
    per_rate *= share / sea.kg_m3_per_ppmv
    return per_rate


def refuse_outside(template: Template, places: Floats) -> None:
    """Raise InvalidInput for places of another shape than [p, 3], or more than 5 m outside the template's box."""
    if places.ndim != 2 or places.shape[1] != 3:
        raise InvalidInput(f"places must have the shape [p, 3], not {places.shape}")
    inside = template.holds(places)
    if not inside.all():
        x, y, z = places[int(np.argmin(inside))]
        raise InvalidInput(
            f"leak at ({x:g}, {y:g}, {z:g}) m is more than {MARGIN_M:g} m outside {template.id}: "
            f"|x| <= {template.width / 2 + MARGIN_M:g}, |y| <= {template.length / 2 + MARGIN_M:g}, "
            f"0 <= z <= {template.height + MARGIN_M:g}"
        )
