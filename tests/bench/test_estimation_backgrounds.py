"""Real backgrounds of the estimation's bench: what is kept together and apart, and what becomes of an alarm."""

from pathlib import Path

import numpy as np
import pytest

from bench.detection.folds import CONTEXT, DAY
from bench.detection.recorded_series import Recorded, read_folder
from bench.estimation import alarm_study
from bench.estimation.alarm_study import Answered
from bench.estimation.alarms import HOUR, LEAD, UPDATE, Incident, false_alarms, with_leak
from bench.estimation.backgrounds import AROUND, BEFORE, BLOCK, LEAST_HISTORY, STRETCH, Backgrounds, Stretch
from bench.estimation.noise import wandering
from bench.estimation.sea_states import SeaStates
from shared.arrays import BUCKET_S, Floats
from shared.detection.regular import Regular
from shared.domain.deviation import Level
from shared.errors import InvalidInput

DAYS = 45
START = np.datetime64(int(18_000 * 86_400 // (BLOCK * BUCKET_S)) * BLOCK * BUCKET_S, "s")  # where a block begins


def recorded(sensor: str, ppmv: Floats) -> Recorded:
    """Return a series that begins where a block does."""
    times = START + np.arange(ppmv.size) * np.timedelta64(BUCKET_S, "s")
    return Recorded(sensor, Regular(times, ppmv, np.zeros(ppmv.size, bool)))


def quiet(sensor: str, seed: int) -> Recorded:
    """Return what a quiet sensor reads for some weeks."""
    noise = wandering(1, DAYS * DAY, 6 * 3600.0, np.random.default_rng(seed))[0]
    return recorded(sensor, 15 + 1.5 * noise)


@pytest.fixture(scope="module")
def backgrounds() -> Backgrounds:
    """Four sensors of one field and one of another, all quiet."""
    return Backgrounds.of([*(quiet(f"north_{k}", k) for k in range(4)), quiet("south_1", 9)])


def test_a_baseline_holds_other_days_alone() -> None:
    """Neither the block's own days nor the three next to it, nor a known rise, nor zeros."""
    ppmv = np.arange(1.0, DAYS * DAY + 1)  # each reading says which bin it is
    ppmv[DAY] = 0.0
    blocks = Backgrounds.of([recorded("north_1", ppmv)]).blocks
    assert len(blocks) > 2
    for block in blocks:
        own, history = (values[np.isfinite(values)] for values in (block.ppmv[CONTEXT:], block.history))
        assert history.size >= LEAST_HISTORY
        assert not ((history >= own[0] - AROUND.apart) & (history <= own[-1] + AROUND.apart)).any()
        assert np.isin(block.ppmv[np.isfinite(block.ppmv)], ppmv).all()
        assert 0.0 not in history


def test_a_baseline_of_before_knows_nothing_of_later() -> None:
    """An app has the past alone: where an estimation is not judged alone, no later day may be in a baseline."""
    ppmv = np.arange(1.0, DAYS * DAY + 1)
    blocks = Backgrounds.of([recorded("north_1", ppmv)], BEFORE).blocks
    assert blocks
    for block in blocks:
        own, history = (values[np.isfinite(values)] for values in (block.ppmv[CONTEXT:], block.history))
        assert history.size >= LEAST_HISTORY
        assert history.max() < own[0] - BEFORE.apart + 1


def test_sensors_of_one_field_are_kept_together(backgrounds: Backgrounds) -> None:
    """In about half of the draws all four are of the same moment and the same field; otherwise sensors are mixed."""
    draws = [backgrounds.drawn(4, np.random.default_rng(seed)) for seed in range(100)]
    same = [len({(one.block.days, one.first) for one in stretches}) == 1 for stretches in draws]
    assert 30 <= sum(same) <= 70
    for stretches in draws:
        assert len({one.block.sensor for one in stretches}) == 4
        assert {one.ppmv.size for one in stretches} == {STRETCH}


def test_an_alarm_stands_among_what_others_read_then(backgrounds: Backgrounds) -> None:
    """The others are of the same field and moment; a sensor that is alone gets some of another moment."""
    rng = np.random.default_rng(1)
    north = Stretch(backgrounds.by_sensor["north_2"][1], 40)
    assert {(one.block.days, one.first) for one in backgrounds.around(north, 4, rng)} == {(north.block.days, 40)}
    alone = Stretch(backgrounds.by_sensor["south_1"][1], 40)
    others = [one for one in backgrounds.around(alone, 4, rng) if one is not alone]
    assert {one.block.sensor.split("_")[0] for one in others} == {"north"}
    assert len(others) == 3


def test_too_short_a_series_is_refused() -> None:
    """A baseline asks for other days."""
    with pytest.raises(InvalidInput, match="no series is long enough"):
        Backgrounds.of([recorded("north_1", np.arange(1.0, 9 * DAY))])


@pytest.fixture(scope="module")
def incident(backgrounds: Backgrounds) -> Incident:
    """A leak that the detector finds."""
    for seed in range(10):
        found = with_leak(backgrounds, SeaStates(), np.random.default_rng(seed))
        if found.first is not None:
            return found
    raise AssertionError("no leak is found")


def test_a_leak_that_is_large_is_alarmed_after_its_onset(incident: Incident) -> None:
    """Nobody is alarmed before; the first alarm is within a day."""
    assert incident.leak is not None
    assert incident.first is not None
    assert incident.leak.onset_s == incident.times[CONTEXT].astype(np.int64)
    assert CONTEXT < incident.first <= CONTEXT + DAY
    assert not incident.alarms[: incident.first].any()
    assert incident.alarms[incident.first]


@pytest.mark.parametrize("hours", [6, 24])
def test_the_estimation_takes_what_the_app_would(incident: Incident, hours: int) -> None:
    """From two days before the first alarm to the last fixed time after it that alarms have reached."""
    assert incident.first is not None
    scenario, options = incident.seen_by_estimation(hours)
    times = scenario.observations.times
    assert times[0] == incident.times[incident.first - LEAD]
    lasted = int((times[-1] - incident.times[incident.first]).astype(np.int64)) // BUCKET_S
    assert lasted % UPDATE == 0
    assert lasted <= hours * HOUR
    assert incident.alarms[incident.first + lasted : incident.first + hours * HOUR + 1].any()
    assert options.earliest_onset is not None
    assert options.earliest_onset.timestamp() == incident.times[incident.first].astype(np.int64) - 36 * 3600
    assert options.latest_onset is not None
    assert options.latest_onset.timestamp() == times[-1].astype(np.int64)


def test_false_alarms_begin_where_the_detector_says_so() -> None:
    """A step that is no leak alarms once, without a leak behind it; quiet days of the sensor do not."""
    series = [quiet(f"north_{k}", k) for k in range(4)]
    series[0].series.ppmv[25 * DAY : 25 * DAY + 60] += 40.0
    backgrounds = Backgrounds.of(series)
    found = [
        (block, one)
        for block in backgrounds.by_sensor["north_0"]
        for one in false_alarms(block, Level.CRITICAL, backgrounds, SeaStates(), np.random.default_rng(1))
    ]
    [(block, one)] = found
    assert block.sensor == "north_0"
    assert one.leak is None
    assert one.first == CONTEXT
    row = one.sensors.index("north_0")
    assert one.ppmv[row, CONTEXT] > one.ppmv[row, CONTEXT - 12] + 15


def test_a_leak_that_is_not_alarmed_is_not_confirmed() -> None:
    """It counts among the leaks, and CONFIRMED at six hours counts within a day."""
    answers = [Answered("leak", (), None), Answered("leak", ("CONFIRMED", "UNDEFINED"), None)]
    figures = alarm_study.leaks(answers)
    assert figures["alarmed"]["value"] == 0.5
    assert figures["confirmed"]["24"]["value"] == 0.5


@pytest.mark.slow
def test_recorded_series_make_a_table(real_series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the figures of leaks and of false alarms."""
    from bench.estimation.__main__ import main

    currents = real_series / "snorre_currents_2021-04.csv"
    arguments = ["--backgrounds", str(real_series), "--currents", str(currents), "--scenarios", "1", "--jobs", "1"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "false Warnings of a sensor: 1" in printed
    assert "CONFIRMED within 24 h" in printed


def test_recorded_series_have_four_sensors_of_the_same_days(real_series: Path) -> None:
    """Two templates' worth of one field is kept together."""
    found = Backgrounds.of(read_folder(real_series).series)
    assert any(len(blocks) == 4 for blocks in found.by_days.values())
