"""When a leak would be told: against leaks simulated one by one, and what must hold whatever the sea."""

import numpy as np
import pytest

from shared.arrays import Floats
from shared.domain.environment import Environment
from shared.domain.leak import Leak, Release
from shared.domain.tsd import to_datetime
from shared.errors import InvalidInput
from shared.estimation import EstimationOptions
from shared.estimation.detection_delay import MOMENTS, detection_delays, onsets_in
from shared.estimation.ensemble import ensemble_of
from shared.simulation import simulate
from tests.support.naive_plume import template, times, turning_sea

STEPS = 700  # of 10 minutes: three days after every onset, and two of onsets
LEVELS = np.array([[6.0, 5.0, 9.0, 7.0], [12.0, 10.0, 18.0, 14.0]])
RELEASE = Release(x=1.0, y=2.0, z=1.5, rate_kg_s=1e-5)
SURE = EstimationOptions(members=1, gain_median=1.0, gain_error=0.0, outlier_share=0.0, common_error=0.0)


def delays(release: Release = RELEASE, levels: Floats = LEVELS, options: EstimationOptions = SURE) -> Floats:
    """Return the delays [levels, n] in seconds in a turning sea."""
    return detection_delays(template(), turning_sea(STEPS), release, levels, options=options).seconds


def delay_of(start: int, levels: Floats) -> float:
    """Return the seconds from an onset to the third hour above its level of the first sensor, by the forward model."""
    sea, member = turning_sea(STEPS), ensemble_of(SURE)[0]
    stamps = sea.times[start : start + 433]
    leak = Leak(**RELEASE.model_dump(), onset=to_datetime(stamps[0]))
    ppmv = simulate(template(), sea, leak, stamps, physics=member.physics)
    found = [
        [step for step, value in enumerate(row) if value > level][17:18]
        for row, level in zip(ppmv, levels, strict=True)
    ]
    return min((600.0 * one[0] for one in found if one), default=np.inf)


def test_without_what_is_not_known_it_is_the_forward_model() -> None:
    """With the physics and the gains known, each moment's delay is that of a leak simulated by hand."""
    starts = onsets_in(turning_sea(STEPS))
    found = delays().reshape(2, starts.size, -1)
    assert (found == found[..., :1]).all()
    for k in range(0, starts.size, 9):
        for level in range(2):
            assert found[level, k, 0] == delay_of(int(starts[k]), LEVELS[level])
    assert np.isfinite(found[0]).mean() > 0


def test_a_larger_rate_is_never_shown_later_nor_a_higher_level_earlier() -> None:
    """Leak by leak, with all that is not known of physics and gains."""
    usual, more = (
        delays(RELEASE.model_copy(update={"rate_kg_s": rate}), options=EstimationOptions()) for rate in (1e-5, 2e-5)
    )
    assert (more <= usual).all()
    assert (more < usual).any()
    assert (usual[0] <= usual[1]).all()


def test_nothing_is_found_without_a_sensor_that_can() -> None:
    """A sensor with an infinite level never shows anything, nor does a rate of 0."""
    blind = np.full((1, 4), np.inf)
    assert np.isinf(delays(levels=blind)).all()
    assert np.isinf(delays(RELEASE.model_copy(update={"rate_kg_s": 0.0}))).all()


def test_leaks_begin_where_the_currents_are_known() -> None:
    """No moment whose next 72 h are unmeasured for more than a tenth; none at all in a period without currents."""
    sea = turning_sea(3 * 433)
    speed = sea.current_speed.copy()
    speed[433:866] = np.nan
    broken = sea.model_copy(update={"current_speed": speed})
    starts = onsets_in(broken)
    assert 0 < starts.size <= MOMENTS
    assert all(np.isfinite(speed[start : start + 433]).mean() >= 0.9 for start in starts)
    unknown = Environment.of(times(STEPS))
    assert detection_delays(template(), unknown, RELEASE, LEVELS).moments == 0
    assert onsets_in(turning_sea(432)).size == 0


@pytest.mark.parametrize("levels", [np.ones((2, 3)), np.zeros((1, 4)), np.full((1, 4), np.nan), np.ones(4)])
def test_levels_that_make_no_sense_are_refused(levels: Floats) -> None:
    """Of another shape, or not above 0."""
    with pytest.raises(InvalidInput, match="above 0"):
        delays(levels=levels)


def test_a_place_outside_the_template_is_refused() -> None:
    """As by the forward model."""
    with pytest.raises(InvalidInput, match="outside"):
        delays(Release(x=90.0, y=0.0, z=1.0, rate_kg_s=1e-5))
