"""What the sensors would read of every hypothesis, by one member's physics."""

from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats, Indices, Singles
from shared.domain.environment import Environment
from shared.domain.template import Template
from shared.estimation.candidates import Places, onset_seconds
from shared.estimation.ensemble import Member
from shared.estimation.observed_series import ObservedSeries
from shared.simulation import box_response, plume_response

_ALL = slice(None)


@dataclass(frozen=True, eq=False, slots=True)
class Responses:
    """Readings in ppmv per kg/s dissolved, of the usable sensors at the times of the series.

    ``plume`` [p, s, t] of leaks that always were, and that part of them at the onsets [p, s, o]; ``box`` [o, z, s, t]
    from the onsets on, of what mixes through a semi-closed template, and each place's zone [p]; an open one has
    no zones.
    """

    tau: float
    plume: Singles
    at_onset: Singles
    box: Singles
    zone: Indices

    def begun(self, sensor: int, onset: int, at: Indices, since: Floats, places: slice = _ALL) -> Singles:
        """Return one sensor's readings [p, n] in ppmv per kg/s of leaks that begin at an onset.

        ``at`` [n] are indices of the series' times, ``since`` [n] the seconds from the onset to them, above 0.
        """
        fade = np.exp(-since / self.tau).astype(np.float32)
        found = self.plume[places, sensor, at] - self.at_onset[places, sensor, onset, None] * fade
        if self.box.shape[1]:
            found += self.box[onset, :, sensor, at].T[self.zone[places]]
        return found


def plumes_of(
    template: Template, environment: Environment, places: Places, series: ObservedSeries, member: Member
) -> Singles:
    """Return the readings [p, s, t] in ppmv per kg/s of leaks that always were, as far as the template is open."""
    physics, turn = member.physics, member.offset_deg
    found = plume_response(template, environment, places.positions, series.times, physics=physics, turn_deg=turn)
    return np.asarray(found[:, list(series.rows)], dtype=np.float32)


def responses_of(
    template: Template,
    environment: Environment,
    places: Places,
    series: ObservedSeries,
    member: Member,
    plume: Singles,
    onsets: Indices,
) -> Responses:
    """Return the readings of leaks that begin at the onsets [o], given those by the plume that always was [p, s, t]."""
    box, zone = box_response(
        template,
        environment,
        places.positions,
        onset_seconds(series, onsets),
        series.times,
        physics=member.physics,
        turn_deg=member.offset_deg,
    )
    return Responses(
        tau=member.physics.sensor_time_constant_s,
        plume=plume,
        at_onset=0.5 * (plume[..., onsets] + plume[..., onsets + 1]),
        box=box[:, :, list(series.rows)].astype(np.float32),
        zone=zone,
    )
