"""When a leak at one place and rate would be told: begun at many moments of the currents that were measured."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from shared.arrays import BUCKET_S, Floats, Indices
from shared.domain.environment import Environment
from shared.domain.leak import Leak, Release
from shared.domain.template import Template
from shared.domain.tsd import to_datetime
from shared.errors import InvalidInput
from shared.estimation.detectability import HELD_S
from shared.estimation.ensemble import ensemble_of
from shared.estimation.options import EstimationOptions
from shared.estimation.rate import common_spread
from shared.simulation import confinement, simulate

WATCHED = timedelta(hours=72)  # after its onset a leak is followed
MOMENTS = 54  # at which it begins: three times the members of the ensemble
_GAINS = 32  # drawn for each moment
_MEASURED = 0.9  # of the currents after an onset: elsewhere nobody knows where the leak would have gone
_STEPS = int(WATCHED.total_seconds() / BUCKET_S)
_DEFAULTS = EstimationOptions()


@dataclass(frozen=True, eq=False, slots=True)
class DetectionDelays:
    """Seconds [levels, n] from a leak's onset until a sensor shows it, of n leaks alike; infinite: not in 72 h.

    They begin at ``moments`` different moments, none where the currents are hardly known.
    """

    seconds: Floats
    moments: int


def detection_delays(
    template: Template,
    environment: Environment,
    release: Release,
    levels_ppmv: Floats,
    *,
    options: EstimationOptions = _DEFAULTS,
) -> DetectionDelays:
    """Return when at least one sensor shows a release, were it to begin at many moments of the environment.

    A sensor shows it once its signal was above its level for three hours in all, as for ``detectable_rates``, of which
    it also has the ensemble (each moment has a member of it, in turn) and gains; ``levels_ppmv`` [levels, sensors] are
    above 0, infinite for a sensor that shows nothing. The environment is on the 10-minute grid. The same input gives
    the same answer, and a larger rate is never shown later. Raises InvalidInput for levels of another shape or not
    above 0, and for a place outside the template.
    """
    sensors = len(template.sensors)
    if levels_ppmv.ndim != 2 or levels_ppmv.shape[1] != sensors or not (levels_ppmv > 0).all():
        raise InvalidInput(f"levels_ppmv must be [levels, {sensors}] above 0, not {levels_ppmv!r}")
    starts, members, rng = onsets_in(environment), ensemble_of(options), np.random.default_rng(0)
    held = int(HELD_S / BUCKET_S)
    seconds = np.full((len(levels_ppmv), starts.size, _GAINS), np.inf)
    for k, start in enumerate(starts.tolist()):
        member = members[k % len(members)]
        here = _part(environment, slice(start, start + _STEPS + 1), member.offset_deg)
        leak = Leak(**release.model_dump(), onset=to_datetime(here.times[0]))
        signal = simulate(template, here, leak, here.times, physics=member.physics)[:, 1:]
        gains = _gains(sensors, confinement(template), options, rng)
        shown = _until_held(signal[:, None] * gains[..., None], levels_ppmv, held)
        seconds[:, k] = np.where(shown < _STEPS, (shown + 1.0) * BUCKET_S, np.inf)
    return DetectionDelays(seconds.reshape(len(levels_ppmv), -1), starts.size)


def onsets_in(environment: Environment) -> Indices:
    """Return up to 54 indices [k], evenly among the times after which the currents of 72 h were hardly ever missing."""
    known = np.isfinite(environment.current_speed) & np.isfinite(environment.current_direction)
    counts = np.concatenate([[0], np.cumsum(known)])
    measured = (counts[_STEPS + 1 :] - counts[: -_STEPS - 1]) / (_STEPS + 1)
    possible = np.flatnonzero(measured >= _MEASURED)
    chosen = np.unique(np.linspace(0, possible.size - 1, min(MOMENTS, possible.size)).round().astype(np.intp))
    return possible[chosen]


def _part(environment: Environment, part: slice, turn_deg: float) -> Environment:
    values = {name: getattr(environment, name)[part] for name in Environment.model_fields}
    return Environment(**{**values, "current_direction": values["current_direction"] + turn_deg})


def _gains(sensors: int, confined: float, options: EstimationOptions, rng: np.random.Generator) -> Floats:
    """Return gains [sensors, draws]: each sensor's own, with a few far off, times the one that all share."""
    far = rng.random((sensors, _GAINS)) < options.outlier_share
    own = np.where(far, options.outlier_gain_error, options.gain_error) * rng.standard_normal((sensors, _GAINS))
    common = common_spread(confined, options) * rng.standard_normal(_GAINS)
    return np.asarray(options.gain_median * np.exp(own + common))


def _until_held(signal: Floats, levels_ppmv: Floats, held: int) -> Indices:
    """Return the first step [levels, draws] up to which a sensor's signal [sensors, draws, n] was above its level.

    For so many steps in all; n where none was.
    """
    first = np.full((len(levels_ppmv), signal.shape[1]), signal.shape[2], dtype=np.intp)
    for level, ppmv in enumerate(levels_ppmv):
        enough = (np.cumsum(signal > ppmv[:, None, None], axis=-1, dtype=np.int16) >= held).any(axis=0)
        first[level] = np.where(enough.any(axis=-1), enough.argmax(axis=-1), signal.shape[2])
    return first
