"""The bench of detection: folds, leaks, alarms, thresholds, intervals, and the whole on a small folder."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.detection import trial
from bench.detection.__main__ import main
from bench.detection.currents import Currents, Told, tidal_currents
from bench.detection.figures import alarms, budget_thresholds, first_flags, per_month, performance
from bench.detection.folds import CONTEXT, DAY, Fold, folds_of
from bench.detection.holding import holding, hours_until_clear
from bench.detection.leaks import KINDS, Source, seeds
from bench.detection.plumes import AFTER, LASTS, Signature, amplitude
from bench.detection.recorded_series import Recorded, read_folder
from bench.detection.rules import RULES, Rule, Scorer, level, older
from bench.detection.study import SEEDS, Options, all_folds, trials_of
from bench.detection.trial import Leaky, Trial
from shared.arrays import Floats, Scores, Times
from shared.detection.regular import regularise
from shared.domain.environment import Environment
from tests.support.naive_detection import nearest

START = np.datetime64("2026-01-01T00:00:00", "s")
TOLD: tuple[Told, ...] = ("nothing", "measured", "shifted")
PUFF = Signature(np.minimum(np.arange(1 + LASTS + AFTER) / 72, 1.0), 100)  # stands in for seconds of work
SOURCE = Source(seeds(SEEDS), Currents.of(tidal_currents()), [PUFF])
NAN = float("nan")


def times_of(bins: int, start: np.datetime64 = START) -> Times:
    """Return the 10-minute grid from a moment on."""
    return np.asarray(start + np.arange(bins) * np.timedelta64(600, "s"))


def recorded(days: float, sensor: str = "one", start: np.datetime64 = START) -> Recorded:
    """Return a series of noise with a tide."""
    bins = int(days * DAY)
    tide = 5 * np.sin(np.arange(bins) * 2 * np.pi / 74.5)
    return Recorded(
        sensor, regularise(times_of(bins, start), 20 + tide + np.random.default_rng(bins).normal(0, 1, bins))
    )


def scores(*values: float) -> Scores:
    """Return scores as the rules do."""
    return np.array(values, dtype=np.float32)


def baseline_days(folds: Sequence[Fold]) -> list[int]:
    """Return each fold's days of baseline."""
    return [fold.split // DAY for fold in folds]


@pytest.mark.parametrize(("days", "expected"), [(130, [30, 30]), (40, [30]), (34, [20]), (25, [14]), (18, [])])
def test_a_baseline_is_30_days_or_shorter_where_too_little_would_be_left_to_evaluate(
    days: float, expected: list[int]
) -> None:
    """30 days where 7 remain, else 20, else 14, else no fold."""
    assert baseline_days(folds_of(recorded(days), most=8)) == expected


def test_folds_begin_60_days_apart_and_evaluate_30_days() -> None:
    """The evaluated parts of a long series do not overlap."""
    first, second = folds_of(recorded(130), most=8)
    assert second.times[0] - first.times[0] == np.timedelta64(60, "D")
    assert first.counted.size == 30 * DAY
    assert first.months == pytest.approx(30 / 30.4375)


def test_a_gap_of_more_than_20_days_begins_a_new_piece() -> None:
    """No fold reaches over it."""
    series = recorded(90).series
    ppmv = np.where((series.times > START + np.timedelta64(40, "D")) & (series.times < series.times[61 * DAY]), NAN, 20)
    ppmv += np.random.default_rng(1).normal(0, 1, ppmv.size)
    found = folds_of(Recorded("one", regularise(series.times, ppmv)), most=8)
    assert [int((fold.times[0] - START) / np.timedelta64(1, "D")) for fold in found] == [0, 61]


def test_folds_beyond_the_cap_are_left_out_evenly() -> None:
    """First and last stay."""
    every, some = folds_of(recorded(340), most=8), folds_of(recorded(340), most=3)
    assert len(every) == 6
    assert [every.index(next(one for one in every if one.times[0] == fold.times[0])) for fold in some] == [0, 2, 5]


def test_a_known_rise_is_not_evaluated() -> None:
    """Its days count neither as time nor as false alarms."""
    (fold,) = folds_of(recorded(50, "a-6172", np.datetime64("2020-11-24", "s")), most=8)
    evaluated = fold.times[fold.split :]
    assert not fold.counted[
        (evaluated >= np.datetime64("2021-01-05")) & (evaluated < np.datetime64("2021-01-09"))
    ].any()
    assert np.count_nonzero(~fold.counted) == 4 * DAY


def reading(_: Times, __: Floats) -> Scorer:
    """Return the reading itself as score."""

    def score(when: Times, values: Floats, since: np.datetime64, _: Environment | None = None, /) -> Scores:
        return values[when >= since].astype(np.float32)

    return score


READING = Rule("reading", "reading", reading, 1.0, None)


def test_what_is_scored_is_the_series_plus_the_leak_of_each_amplitude() -> None:
    """The highest tenth of what a leak adds is its amplitude; without it the slice is the series."""
    (fold,) = folds_of(recorded(50), most=8)
    found = trial.run(fold, SOURCE, (READING,), injections=1, seed=1)
    assert found.leaks.kinds == KINDS
    added = found.leaks.scores["reading"] - found.leaks.without["reading"]
    assert added.shape == (len(KINDS), 9, LASTS)
    expected = [*trial.PPMV, *(fold.sigma * value for value in trial.SIGMAS)]
    for leak in added:
        assert [amplitude(np.concatenate(([0.0], one))) for one in leak] == pytest.approx(expected, rel=1e-3)
    np.testing.assert_array_equal(found.quiet["reading"], fold.ppmv[fold.split :].astype(np.float32))


def test_a_trial_is_the_same_for_the_same_seed_whatever_else_is_scored() -> None:
    """Another seed draws other leaks."""
    (fold,) = folds_of(recorded(40), most=8)
    rules = ((RULES[2],), (READING, RULES[2]), (RULES[2],))
    one, same, other = (trial.run(fold, SOURCE, mine, 1, seed) for mine, seed in zip(rules, (1, 1, 2), strict=True))
    np.testing.assert_array_equal(one.leaks.scores["level"], same.leaks.scores["level"])
    assert not np.array_equal(one.leaks.scores["level"], other.leaks.scores["level"])


def test_a_rule_is_told_the_currents_that_carry_the_plume_or_others_or_none() -> None:
    """The measured ones are the record's, as far as a meter is right; the shifted ones lie days away."""
    told = dict[str, list[Environment | None]]()

    def hearing(name: str) -> Callable[[Times, Floats], Scorer]:
        def score(when: Times, values: Floats, since: np.datetime64, sea: Environment | None = None, /) -> Scores:
            told.setdefault(name, []).append(sea)
            assert sea is None or np.array_equal(sea.times, when)
            return values[when >= since].astype(np.float32)

        return lambda _, __: score

    rules = [Rule(name, name, hearing(name), 1.0, None, told=name) for name in TOLD]
    (fold,) = folds_of(recorded(40), most=8)
    trial.run(fold, SOURCE, rules, injections=1, seed=1)
    assert set(told["nothing"]) == {None}
    measured, shifted = ([one for one in told[name] if one is not None] for name in TOLD[1:])
    off = np.abs(measured[0].current_speed - shifted[0].current_speed)
    assert len(measured) == len(shifted) == len(told["nothing"])
    assert np.median(off / measured[0].current_speed) > 0.12


def test_a_rule_may_be_judged_with_constants_that_were_chosen_without_its_sensor() -> None:
    """Learnt as the sensor's own rule says, and once for all that it is told."""
    without = list[str]()

    def chosen_without(sensor: str) -> Callable[[Times, Floats], Scorer]:
        without.append(sensor)
        return reading

    own = replace(READING, chosen_without=chosen_without)
    (fold,) = folds_of(recorded(40), most=8)
    trial.run(fold, SOURCE, (own, replace(own, name="told", told="measured")), injections=1, seed=1)
    assert without == [fold.sensor]


def test_exact_zeros_are_missing_unless_they_are_to_count() -> None:
    """A dead sensor's days are neither baseline nor time."""
    series = recorded(50).series
    ppmv = series.ppmv.copy()
    ppmv[32 * DAY : 34 * DAY] = 0
    dead = Recorded("one", regularise(series.times, ppmv))
    (fold,), (with_zeros,) = folds_of(dead, most=8), folds_of(dead, most=8, zeros_count=True)
    assert with_zeros.months - fold.months == pytest.approx(2 / 30.4375)
    assert np.isnan(fold.ppmv[32 * DAY : 34 * DAY]).all()


def test_a_rule_scores_a_slice_as_it_scores_the_whole() -> None:
    """So a leak changes nothing but the slice: the context before it is enough."""
    (fold,) = folds_of(recorded(40), most=8)
    for rule in RULES[1:]:
        score = rule.learn(fold.times[: fold.split], fold.ppmv[: fold.split])
        whole = score(fold.times, fold.ppmv, fold.times[fold.split])
        at = fold.split + 300
        part = score(fold.times[at - CONTEXT : at + 50], fold.ppmv[at - CONTEXT : at + 50], fold.times[at])
        np.testing.assert_array_equal(part, whole[300:350])


def test_the_older_rule_is_the_distance_to_the_nearest_day_over_the_profiles_maximum() -> None:
    """Held against a slow oracle, with a missing bin held."""
    rng = np.random.default_rng(5)
    history, later = rng.normal(20, 5, 3 * DAY), rng.normal(22, 5, DAY + 20)
    later[30] = NAN
    windows = np.lib.stride_tricks.sliding_window_view(history, DAY)
    far = [
        min(float(np.linalg.norm(one - other)) for j, other in enumerate(windows) if abs(i - j) > 36)
        for i, one in enumerate(windows)
    ]
    times = times_of(history.size + later.size)
    found = older(times[: history.size], history)(times[history.size :], later, times[history.size])
    held = later.copy()
    held[30] = later[29]
    assert np.isnan(found[: DAY - 1]).all()
    assert found[-1] == pytest.approx(nearest(history, DAY, held[-DAY:]) / max(far), rel=1e-6)


def test_the_level_rule_is_the_reading_over_the_baselines_highest() -> None:
    """Sentinels count in neither."""
    times = times_of(6)
    found = level(times[:3], np.array([1.0, 4.0, 1e14]))(times[3:], np.array([2.0, 1e14, 6.0]), times[3])
    np.testing.assert_allclose(found, [0.5, 0.5, 1.5])


def test_alarms_less_than_24_h_apart_are_one() -> None:
    """Two samples 24 h apart are two alarms; missing samples are none."""
    score = np.full(600, np.nan, dtype=np.float32)
    score[[0, 143, 287]] = 1.0
    assert alarms(score, 1.0) == 2
    score[200] = 1.0
    assert alarms(score, 1.0) == 1
    assert alarms(score, 1.1) == 0


def test_a_budgets_threshold_is_the_smallest_that_keeps_it_with_every_higher_one() -> None:
    """Held against trying every score."""
    rng = np.random.default_rng(2)
    quiet = [np.convolve(rng.normal(1, 1, 3000), np.ones(20) / 5, "same").astype(np.float32) for _ in range(3)]
    quiet[1][100:200] = np.nan
    values = np.unique(np.concatenate(quiet))
    values = values[~np.isnan(values)]
    for budget, threshold in zip((0.5, 1.0, 3.0), budget_thresholds(quiet, 4.0, (0.5, 1.0, 3.0)), strict=True):
        assert all(per_month(quiet, 4.0, float(value)) <= budget for value in values[values >= threshold])
        broken = values[values < threshold]
        assert per_month(quiet, 4.0, float(broken[-1])) > budget


def leaky(without: Scores, leak: Scores) -> Leaky:
    """Return one leak of one amplitude."""
    return Leaky(("pulsed",), {"ours": without[None, None]}, {"ours": leak[None, None]})


def test_a_leak_is_found_by_what_it_alone_raises() -> None:
    """Samples that are in alarm without it do not count; the delay runs from the onset."""
    found = first_flags(leaky(scores(0, 2, 2, 0), scores(0.5, 2, 3, 1.5)), "ours", 1.0)
    assert found.tolist() == [[pytest.approx(4 / 6)]]
    assert np.isnan(first_flags(leaky(scores(0, 2, 2, 0), scores(0.5, 2, 3, 0.9)), "ours", 1.0)).all()


def test_recall_delay_and_false_alarms_come_together() -> None:
    """Two trials, one with an alarm of its own and a leak that is found, one with neither."""
    noisy, calm = scores(0, 3, 0, NAN), scores(0, 0, 0, 0)
    trials = [
        Trial("a", 0, 0.5, {"ours": noisy}, leaky(calm, scores(0, 1, 1, 1)), leaky(calm, calm)),
        Trial("b", 0, 1.5, {"ours": calm}, leaky(calm, scores(0, 0, 0, 0.9)), leaky(calm, calm)),
    ]
    found = performance(trials, "ours", 1.0)
    assert (found.recall, found.false_alarms_per_month) == (0.5, 0.5)
    assert found.delay_h == pytest.approx(1 / 3)
    assert found.time_in_alarm == pytest.approx(1 / 7)


def test_clear_is_when_12_h_without_alarm_begin() -> None:
    """A pause shorter than that is none; what is not seen is never."""
    caused = np.zeros(360, dtype=bool)
    assert hours_until_clear(caused) == 0
    caused[[5, 60]] = True
    assert hours_until_clear(caused) == pytest.approx(61 / 6)
    caused[::72] = True
    assert hours_until_clear(caused) == float("inf")


def test_holding_counts_from_the_first_flag_to_the_leaks_end() -> None:
    """Half of the time held, and clear an hour after the end."""
    calm = np.zeros(LASTS + AFTER, dtype=np.float32)
    leak = calm.copy()
    leak[100 : 100 + (LASTS - 100) // 2] = 1.0
    leak[LASTS : LASTS + 6] = 1.0
    found = holding([Trial("a", 0, 1.0, {}, leaky(calm, calm), leaky(calm, leak))], "ours", 1.0)
    assert (found["found"], found["held_share"]) == (1, 0.5)
    assert found["clear_median_h"] == pytest.approx(1.0)
    assert np.isnan(holding([Trial("a", 0, 1.0, {}, leaky(calm, calm), leaky(calm, calm))], "ours", 1.0)["held_share"])


def write(path: Path, days: float, header: str = "time,ppmv") -> None:
    """Write a recorded series."""
    series = recorded(days).series
    rows = [f"{time}Z,{value:.3f}" for time, value in zip(series.times, series.ppmv, strict=True)]
    path.write_text("\n".join([header, *rows]) + "\n")


def test_files_that_are_no_series_are_passed_over_and_named(tmp_path: Path) -> None:
    """A raw file only where the 10-minute one is there too."""
    for name in ("a_10min.csv", "a_raw.csv", "b_raw.csv"):
        write(tmp_path / name, 1)
    write(tmp_path / "waves.csv", 1, "height_m,period_s")
    (tmp_path / "broken.csv").write_text("time,ppmv\nyesterday,3\n")
    (tmp_path / "README.md").write_text("words")
    (tmp_path / "currents.csv").write_text("time,direction_deg,speed_cm_s\n2026-01-01T00:00:00Z,90,25\n")
    found = read_folder(tmp_path)
    assert [one.sensor for one in found.series] == ["a", "b"]
    assert set(found.passed_over) == {"a_raw.csv", "waves.csv", "broken.csv", "README.md"}
    assert found.passed_over["a_raw.csv"] == "the same sensor as a_10min.csv"
    assert found.currents is not None
    assert found.currents.current_speed.tolist() == [0.25]


def test_times_with_an_offset_are_taken_to_utc_and_words_as_missing(tmp_path: Path) -> None:
    """A time without a zone is UTC."""
    (tmp_path / "a.csv").write_text(
        "time,ppmv\n2026-01-01T02:00:00+02:00,1\n2026-01-01T00:10:00,Bad\n2026-01-01T00:20Z,3\n"
    )
    series = read_folder(tmp_path).series[0].series
    assert series.times[0] == START
    np.testing.assert_array_equal(series.ppmv, [1, NAN, 3])


def test_currents_of_several_files_are_one(tmp_path: Path) -> None:
    """Measured over years, a file a campaign; of a moment that two have, the first one's counts."""
    for name, rows in (
        ("a_currents_2025.csv", "2025-01-01T00:00:00Z,90,25\n2025-01-01T00:10:00Z,90,50\n"),
        ("a_currents_2026.csv", "2025-01-01T00:10:00Z,90,99\n2026-01-01T00:00:00Z,180,-9999\n"),
    ):
        (tmp_path / name).write_text("time,direction_deg,speed_cm_s\n" + rows)
    found = read_folder(tmp_path)
    assert not found.passed_over
    assert found.currents is not None
    np.testing.assert_array_equal(found.currents.current_speed, [0.25, 0.5, np.nan])
    np.testing.assert_array_equal(found.currents.current_direction, [90, 90, 180])


def test_a_folder_without_a_long_enough_series_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With words on why, and no figures."""
    write(tmp_path / "short.csv", 5)
    assert main(["--data", str(tmp_path), "--json", "--jobs", "1"]) == 2
    output = capsys.readouterr()
    assert "short" in output.err
    assert output.out == ""


@pytest.mark.slow
@pytest.mark.xdist_group("stumpy")
def test_the_whole_bench_prints_one_document_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of every series, rule and gap."""
    folder, picture = tmp_path / "data", tmp_path / "picture.png"
    folder.mkdir()
    write(folder / "a.csv", 24)
    write(folder / "b_raw.csv", 22)
    assert main(["--data", str(folder), "--json", "--quick", "--jobs", "2", "--plot", str(picture)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sensors"] == ["a", "b"]
    assert document["leaks"] == 2 * len(KINDS) * 9
    assert set(document["rules"]) == {"ours", "older", "level"}
    assert 0.5 < document["fixed"]["ours"]["warning"]["recall"] <= 1
    assert document["area_ratios"]["older"]["overall"]["low"] > 0
    assert {row["rule"] for row in document["gaps"]} == {"ours", "older", "level"}
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_one_process_scores_as_two_do(tmp_path: Path) -> None:
    """The puffs that it puts in, too."""
    for name, days in (("a.csv", 24), ("b.csv", 22)):
        write(tmp_path / name, days)
    found = read_folder(tmp_path)
    one, two = (
        trials_of(all_folds(found, options), found, options, (RULES[2],))
        for options in (Options(injections=1, puffs=2, gap_folds=0, jobs=jobs) for jobs in (1, 2))
    )
    assert [trial.sensor for trial in one] == ["a", "b"]
    for mine, theirs in zip(one, two, strict=True):
        np.testing.assert_array_equal(mine.leaks.scores["level"], theirs.leaks.scores["level"])
        np.testing.assert_array_equal(mine.holding.scores["level"], theirs.holding.scores["level"])
