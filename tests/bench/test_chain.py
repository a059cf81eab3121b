"""The bench of the chain: what is told is what the detector says, and each rule is judged on what did not choose it."""

import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from bench.chain import judged
from bench.chain.__main__ import main
from bench.chain.ablations import ABLATIONS, ablated
from bench.chain.drawn import Files, Task, drawn, half_of, leaks_of, quiet_of, world_of
from bench.chain.report import report
from bench.chain.study import Options, document_of, study
from bench.chain.trial import Outcome, Scored, Trial, new_alarm, news, run
from bench.chain.watch import Series, Watch
from bench.detection.folds import CONTEXT
from bench.estimation.noise import wandering
from shared.arrays import Floats
from shared.detection.channels import CRITICAL_SCORE
from shared.domain.alarm import Cause

DAYS = 45
SENSORS = 5


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Five quiet sensors of one field, recorded at the same time."""
    folder = tmp_path_factory.mktemp("readings")
    times = np.datetime64("2021-01-01T00:00:00") + np.arange(DAYS * 144) * np.timedelta64(600, "s")
    noise = 15 + 1.5 * wandering(SENSORS, times.size, 6 * 3600.0, np.random.default_rng(1))
    for number, readings in enumerate(noise):
        lines = [f"{moment}Z,{ppmv:.3f}" for moment, ppmv in zip(times, readings, strict=True)]
        (folder / f"north_{number}_10min.csv").write_text("\n".join(["time,ppmv", *lines]))
    return Files(folder)


@pytest.fixture(scope="module")
def quiet(files: Files) -> Series:
    """A template without a leak."""
    return drawn(quiet_of(files, 1, 1)[0], 0).without


def rising(series: Series) -> Series:
    """Return a series of which one sensor rises for good, six hours after the context."""
    ppmv = series.ppmv.copy()
    ppmv[0, CONTEXT + 36 :] += 40
    end = CONTEXT + 3 * 144
    return replace(series, times=series.times[:end], ppmv=ppmv[:, :end])


def told(series: Series, tick_hours: int, critical: Floats | None = None) -> list[tuple[str, str]]:
    """Return what is told of a series, and of which incident."""
    watch = Watch(series, timedelta(hours=tick_hours), 48, lambda _: False)
    flags = np.ones(series.times.size, bool) if critical is None else critical.astype(bool)
    for _ in watch.ticks(flags):
        pass
    return [(one.entry.kind, one.entry.about) for one in watch.said() if one.entry.kind == "alarm_raised"]


def test_a_jumping_clock_tells_what_a_ticking_one_tells(quiet: Series) -> None:
    """Where nothing is Critical, hours of ticks change nothing of what is told."""
    series = rising(quiet)
    late = np.zeros(series.times.size)
    late[CONTEXT + 36 :] = 1
    jumping = told(series, 1, late)
    assert jumping
    assert jumping == told(series, 3)


def test_a_quiet_template_raises_no_alarm(quiet: Series) -> None:
    """Noise like that of before is told to nobody."""
    assert told(quiet, 24) == []


def rate_of(task: Task) -> float:
    """Return the rate of a task's leak in kg/s."""
    leaking = drawn(task, 0).leaking
    return leaking.leak.rate_kg_s if leaking else 0.0


@pytest.mark.slow
def test_an_alarm_is_told_at_the_tick_that_shows_the_first_critical(files: Files) -> None:
    """What is told of a leak agrees with the detector's scores of its readings, and CONFIRMED comes no earlier."""
    found = []
    large = [one for one in leaks_of(files, 3, 20) if rate_of(one) > 1e-4]
    for task in large[:2]:
        one = run(Trial(task, update_hours=24, with_older=False))
        assert np.array_equal(one.told_h, judged.first_hours(one, CRITICAL_SCORE), equal_nan=True)
        found.append(one)
    heard = [one for one in found if one.cause is not None]
    assert heard
    assert all(one.confirmed.hours >= one.told_h for one in heard if one.confirmed)
    assert all((one.cause is Cause.LEAK) == (one.confirmed is not None) for one in heard)


def test_a_template_is_of_one_half(files: Files) -> None:
    """No block of a template is of the other half, and those recorded together are of the same days."""
    world = world_of(files)
    assert {half_of(one) for one in world.blocks} == {0, 1}
    for task in [*leaks_of(files, 1, 8), *quiet_of(files, 1, 2)]:
        blocks = drawn(task, 0).blocks
        assert {half_of(one) for one in blocks} == {task.half}
        assert not task.together or len({one.days for one in blocks}) == 1


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_an_ablation_does_the_same_with_and_without_a_leak(quiet: Series, ablation: str) -> None:
    """What is before it stays; what a leak adds is all that differs."""
    since = CONTEXT + 100
    wrong = ablated(ablation, quiet, since, 7)  # type: ignore[arg-type]
    leaky = ablated(ablation, replace(quiet, ppmv=quiet.ppmv + 1.0), since, 7)  # type: ignore[arg-type]
    assert np.array_equal(np.isnan(wrong.ppmv), np.isnan(leaky.ppmv))
    if ablation != "drift":
        assert np.array_equal(wrong.ppmv[:, :since], quiet.ppmv[:, :since], equal_nan=True)
    other = not np.array_equal(wrong.ppmv, quiet.ppmv, equal_nan=True) or wrong.told is not quiet.told
    assert other == (ablation != "none")


def outcome(half: int, older: float, *, leak: bool, ours: float = 0.0) -> Outcome:
    """Return what came of ten days on which both rules score as told for an hour, by a leak or without one."""
    scores = np.zeros((2, 2, 1440), dtype=np.float32)
    scores[0, 0, 100:106], scores[1, 0, 100:106] = ours, older
    without = np.zeros_like(scores) if leak else scores
    task = Task(Files(Path()), 1, 0, leak=leak, together=False, half=half)
    return Outcome(
        trial=Trial(task),
        rate_kg_s=1e-5 if leak else math.nan,
        sensor_days=np.full(2, 10.0),
        days=10.0,
        causes=(),
        told_h=17.0 if ours >= CRITICAL_SCORE and leak else math.nan,
        cause=None,
        confirmed=None,
        scored=Scored(scores[0], without[0], scores[1], without[1]),
    )


def test_the_older_rule_is_judged_by_a_threshold_of_the_other_half() -> None:
    """A peak of the quiet templates of one half hides the leaks of the other half that are lower, and no others."""
    silent = [outcome(0, 3.0, leak=False), outcome(1, 1.0, leak=False)]
    leaks = [outcome(0, 2.0, leak=True, ours=2.5), outcome(1, 2.0, leak=True, ours=2.5)]
    found = judged.found([*silent, *leaks], CRITICAL_SCORE)
    assert found.false_alarms == 0.0
    assert found.ours.tolist() == [17.0, 17.0]
    assert found.older[0] == 17.0
    assert math.isnan(found.older[1])
    assert found.older_false_alarms > 0  # the peak of 3 is above what the other half chose


def test_an_alarm_that_is_there_anyway_and_lasts_longer_with_a_leak_is_no_new_one() -> None:
    """Nor is one within a day of it, also at another sensor; one after more than a day is."""
    without = np.zeros((2, 1000), dtype=np.float32)
    without[0, 300:310] = 2.0
    longer, soon, later = without.copy(), without.copy(), without.copy()
    longer[0, 310:330] = 2.0
    soon[1, 310 + 140] = 2.0
    later[1, 310 + 144] = 2.0
    for scores, finds in ((without, False), (longer, False), (soon, False), (later, True)):
        assert new_alarm(scores, without, 2.0).any() == finds
    assert news(longer, without, 2.0).any()
    assert new_alarm(longer, np.zeros_like(without), 2.0).sum() == 30


def test_tables_hold_every_decade() -> None:
    """Decades without a leak are told as such, and a rule that finds more is named."""
    silent = [outcome(half, 1.0, leak=False) for half in (0, 1)]
    leaks = [outcome(half, 0.5, leak=True, ours=2.5 * half) for half in (0, 1)]
    document = document_of([*silent, *leaks])
    document |= {
        "ablations": {},
        "options": {"seeds": [1], "leaks": 2, "tick_hours": 1, "update_hours": 3, "currents": ""},
    }
    text = report(document)
    assert all(f"1e-{power}" in text for power in range(3, 8))
    assert "within 24 h either finds 20 to 80 % in 1e-5: this system finds more in every one" in text


@pytest.mark.slow
def test_the_whole_study_makes_one_document(files: Files, tmp_path: Path) -> None:
    """From files to tables, with an ablation, and as a picture."""
    options = Options(files, leaks=2, months=1, update_hours=24, ablations=("dead sensor",))
    document = study(options)
    assert document["kinds"]["all"]["leaks"] == 2
    assert document["quiet"]["all"]["months"] > 0.5
    assert "one sensor is dead" in report(document)
    from bench.chain.picture import draw

    draw(document, tmp_path / "chain.png")
    assert (tmp_path / "chain.png").stat().st_size > 10_000


def test_without_readings_it_says_why_it_judges_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The bench is skipped with a reason."""
    assert main([]) == 0
    assert "--readings" in capsys.readouterr().err
