"""How rare figures are, measured: tails, what they are measured on, and rules that have not seen their sensor."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.detection.channel_figures import figures_of
from bench.detection.currents import Currents, tidal_currents
from bench.detection.folds import CONTEXT, DAY
from bench.detection.recorded_series import Folder, Recorded
from bench.detection.rules import RULES, judged
from bench.detection.scales import Peaks, highest, main, measured, peaks_in, scale_of, without
from bench.detection.study import Options, rules_for
from bench.estimation.backgrounds import BEFORE, Backgrounds, Block
from shared.arrays import BUCKET_STEP, Floats, Times
from shared.detection import Channel, build_baseline, detect
from shared.detection.channels import SCALES, Scale
from shared.detection.regular import regularise
from shared.domain.environment import Environment

START = np.datetime64("2026-01-01T00:00:00", "s")


def times_of(bins: int, start: np.datetime64 = START) -> Times:
    """Return the 10-minute grid from a moment on."""
    return np.asarray(start + np.arange(bins) * BUCKET_STEP)


def readings(bins: int, seed: int = 1) -> Floats:
    """Return noise with a tide."""
    tide = 5 * np.sin(np.arange(bins) * 2 * np.pi / 74.5)
    return np.asarray(20 + tide + np.random.default_rng(seed).normal(0, 1, bins))


def recorded(days: int, sensor: str = "one", start: np.datetime64 = START) -> Recorded:
    """Return a series."""
    return Recorded(sensor, regularise(times_of(days * DAY, start), readings(days * DAY, days)))


def blocks_of(series: Recorded) -> Sequence[Block]:
    """Return what scales are measured on."""
    return Backgrounds.of([series], BEFORE).blocks


def tail(scale: Scale, months: float, rng: np.random.Generator) -> Floats:
    """Return the figures of so many months that are exceeded 10 times a month or less at this scale."""
    return np.asarray(scale.monthly - scale.growth * np.log(10) + rng.exponential(scale.growth, int(10 * months)))


def peaks_of(sensor: str, scales: Mapping[Channel, Scale], months: float, seed: int) -> Peaks:
    """Return a sensor's peaks at these scales."""
    rng = np.random.default_rng(seed)
    return Peaks(sensor, months, {channel: tail(scale, months, rng) for channel, scale in scales.items()})


@pytest.mark.parametrize("channel", SCALES)
def test_an_exponential_tail_is_recovered(channel: Channel) -> None:
    """What is exceeded once a month, and its growth per factor e rarer."""
    true = SCALES[channel]
    found = scale_of([tail(true, 500, np.random.default_rng(seed)) for seed in range(2)], 1000)
    assert found is not None
    assert found.monthly == pytest.approx(true.monthly, abs=0.05 * true.growth)
    assert found.growth == pytest.approx(true.growth, rel=0.05)
    assert found.at(0.1) == pytest.approx(true.at(0.1), abs=0.2 * true.growth)


def test_of_too_few_figures_nothing_is_said() -> None:
    """A tail of twelve is the least."""
    assert scale_of([np.arange(20.0)], 3.9) is None
    assert scale_of([np.arange(12.0)], 4.0) is None
    assert scale_of([np.arange(13.0)], 4.0) is not None
    assert scale_of([], 5.0) is None


def test_of_figures_less_than_24_h_apart_the_highest_counts() -> None:
    """What is missing or zero is none."""
    figure = np.zeros(600)
    figure[[100, 100 + DAY - 1, 100 + DAY, 400, 401]] = 5.0, 4.0, 3.0, 1.0, 2.0
    figure[50] = np.nan
    assert highest(figure).tolist() == [5.0, 3.0, 2.0]
    assert highest(np.full(10, np.nan)).size == 0


def test_what_the_other_sensors_measure_does_not_depend_on_the_sensor_itself() -> None:
    """However wild it is; with it all scales are others."""
    wild = {channel: replace(scale, monthly=9 * scale.monthly) for channel, scale in SCALES.items()}
    others = [peaks_of("a", SCALES, 4, 1), peaks_of("b", SCALES, 4, 2)]
    calm, excited = (peaks_of("c", scales, 4, 3) for scales in (SCALES, wild))
    assert without([*others, calm], "c") == without([*others, excited], "c") == measured(others)
    assert measured([*others, excited]) != measured(others)


def test_the_rule_that_is_judged_on_a_sensor_has_the_scales_of_the_others() -> None:
    """Told of the currents or not; the other rules are as they were."""
    twice = {name: replace(one, monthly=2 * one.monthly, growth=2 * one.growth) for name, one in SCALES.items()}
    rules = {rule.name: rule for rule in judged({"a": twice, "b": SCALES})}
    times, ppmv = times_of(20 * DAY), readings(20 * DAY)
    shown = slice(17 * DAY, 20 * DAY)
    one, other, plain = (
        scorer(times[shown], ppmv[shown], times[19 * DAY])
        for scorer in (
            rules["ours"].learnt("a", times[: 17 * DAY], ppmv[: 17 * DAY]),
            rules["ours_shifted"].learnt("b", times[: 17 * DAY], ppmv[: 17 * DAY]),
            RULES[0].learn(times[: 17 * DAY], ppmv[: 17 * DAY]),
        )
    )
    np.testing.assert_array_equal(other, plain)
    assert (plain < 1).all()
    assert np.isclose(one, plain / 2, rtol=1e-6).mean() > 0.9  # the level has no such scale
    assert (one <= plain).all()
    assert rules["older"].chosen_without is rules["level"].chosen_without is None


def test_a_sensor_is_judged_by_what_others_hold_where_that_is_enough() -> None:
    """Where it is too little, by the scales as they are set."""
    options = Options(folds=2)
    enough = rules_for(Folder([recorded(160, "a"), recorded(161, "b")]), options)
    assert all(rule.chosen_without for rule in enough if rule.name.startswith("ours"))
    alone = rules_for(Folder([recorded(160, "a"), recorded(25, "b")]), options)
    assert not any(rule.chosen_without for rule in alone)


def test_what_is_measured_on_comes_after_the_baseline_it_is_compared_with() -> None:
    """Blocks of ten days, their contexts before them, each after all that its baseline holds."""
    series = recorded(60)
    at = {value: bin_ for bin_, value in enumerate(series.series.ppmv.tolist())}
    blocks = blocks_of(series)
    assert len(blocks) >= 3
    for block in blocks:
        known = block.ppmv[CONTEXT:][np.isfinite(block.ppmv[CONTEXT:])]
        learnt = block.history[np.isfinite(block.history)]
        assert max(at[value] for value in learnt.tolist()) < min(at[value] for value in known.tolist())


def test_a_channels_figures_are_what_detection_compares_with_its_thresholds() -> None:
    """With currents, a gap, a stuck sensor and a leak: the largest score is detection's own, before the latch."""
    times, ppmv = times_of(24 * DAY), readings(24 * DAY)
    ppmv[20 * DAY : 20 * DAY + 60] = np.nan
    ppmv[21 * DAY : 21 * DAY + 100] = 17.0
    ppmv[22 * DAY :] += 60
    baseline = build_baseline(times[: 17 * DAY], ppmv[: 17 * DAY])
    sea = Environment.of(times, current_speed=np.full(times.size, 0.1), current_direction=np.arange(times.size) % 360)
    shown = slice(16 * DAY, None)
    figures = figures_of(baseline, times[shown], ppmv[shown], times[19 * DAY], sea)
    found = detect(baseline, times[shown], ppmv[shown], sea, since=times[19 * DAY])
    raw = figures.raw(baseline.thresholds)
    np.testing.assert_array_equal(raw.score, found.raw.score)
    np.testing.assert_array_equal(raw.channel, found.raw.channel)
    assert np.isnan(raw.score).any()
    assert np.unique(found.raw.channel[found.raw.score >= 1]).size > 1
    assert list(figures.by_channel) == list(SCALES)


def test_without_the_levels_channel_what_is_beyond_the_history_is_no_alarm_for_that_alone() -> None:
    """After a day of silence the other channels know nothing yet."""
    times, ppmv = times_of(20 * DAY), readings(20 * DAY)
    ppmv[18 * DAY :] += 200
    ppmv[17 * DAY : 18 * DAY] = np.nan
    baseline = build_baseline(times[: 17 * DAY], ppmv[: 17 * DAY])
    figures = figures_of(baseline, times[15 * DAY :], ppmv[15 * DAY :], times[18 * DAY])
    plain, silent = (figures.raw(baseline.thresholds, level=level) for level in (True, False))
    assert plain.score[0] >= 1
    assert plain.channel[0] == Channel.LEVEL
    assert Channel.LEVEL not in silent.channel


def test_a_blocks_peaks_are_the_same_for_the_same_seed() -> None:
    """Another seed puts other currents under it, which one channel hears."""
    block = blocks_of(recorded(47))[0]
    currents = Currents.of(tidal_currents())
    one, same, other = (peaks_in(block, currents, seed) for seed in (1, 1, 2))
    for channel in SCALES:
        np.testing.assert_array_equal(one.figures[channel], same.figures[channel])
        assert np.array_equal(one.figures[channel], other.figures[channel]) == (channel != Channel.CURRENT)
    assert one.months == pytest.approx(10 / 30.4375)


def test_what_was_not_read_is_no_peak() -> None:
    """A known rise is missing in a block: nothing of those days counts, and they are no part of its months."""
    block = blocks_of(recorded(47))[0]
    ppmv = block.ppmv.copy()
    ppmv[CONTEXT + 5 * DAY :] = np.nan
    found = peaks_in(replace(block, ppmv=ppmv), Currents.of(tidal_currents()), 1)
    assert found.months == pytest.approx(5 / 30.4375)
    assert all(figures.size <= 5 + 1 for figures in found.figures.values())


def write(path: Path, series: Recorded) -> None:
    """Write a recorded series."""
    rows = [f"{time}Z,{value:.3f}" for time, value in zip(series.series.times, series.series.ppmv, strict=True)]
    path.write_text("\n".join(["time,ppmv", *rows]) + "\n")


def test_the_scales_are_printed_beside_what_is_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For all sensors, and without each in turn where the others hold enough."""
    write(tmp_path / "short.csv", recorded(25))
    assert main(["--data", str(tmp_path)]) == 2
    assert "too little" in capsys.readouterr().err
    write(tmp_path / "long.csv", recorded(160))
    write(tmp_path / "other.csv", recorded(40))
    assert main(["--data", str(tmp_path)]) == 0
    lines = {line[:32].strip(): line for line in capsys.readouterr().out.splitlines()}
    assert "1.49 0.24 +0 %" in lines["as set"]
    assert "too little" in lines["without long"]
    assert "too little" not in lines["without other"]
