"""The bench of the estimation: the same whatever the processes, figures with known answers, and the command."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.detection.recorded_series import Recorded
from bench.estimation import sites, study
from bench.estimation.__main__ import main
from bench.estimation.calibration import kolmogorov_smirnov, rank_among, rank_between, uniform_band
from bench.estimation.figures import calibration, leaky, share, verdicts
from bench.estimation.noise import Noise, fitted, wandering
from bench.estimation.outcome import Found, Outcome, Step
from bench.estimation.scenarios import COUNT, World, detected, drawn
from bench.estimation.sea_states import SeaStates, recorded
from bench.estimation.study import Options, outcomes_of, tasks_of
from bench.estimation.targets import TARGETS, Target, judged
from bench.estimation.trial import answered
from shared.detection.regular import regularise
from shared.errors import InvalidInput
from shared.estimation import EstimationOptions, estimate

START = np.datetime64("2021-04-01T00:00:00", "s")
FOUND = Found(
    horizontal_m=1.0,
    distance_m=2.0,
    place_50=False,
    place_90=True,
    region_90_m3=30.0,
    rate_kg_s=2.5e-5,
    true_rate_kg_s=1e-5,
    rate_50=(2e-5, 3e-5),
    rate_90=(0.5e-5, 5e-5),
    onset_error_h=-0.5,
    onset_90=True,
    true_mass_kg=0.5,
    mass_kg=1.0,
    mass_50=(0.6, 2.0),
    mass_90=(0.3, 4.0),
    steps=(Step(0.1, (0.0, 1e-6), 0.0), Step(0.9, (0.5e-5, 5e-5), 1e-5), Step(0.4, (0.0, 5e-6), 1e-5)),
)
OUTCOME = Outcome("model", 3, True, "CONFIRMED", FOUND, {"rate": 0.1, "onset": 0.2, "x": 0.3, "y": 0.4}, 1.0, 50.0, 9.0)


def currents(path: Path, days: float) -> Path:
    """Write a turning current on the 10-minute grid."""
    rows = [f"{START + np.timedelta64(600 * k, 's')}Z,{5 * k % 360},{8 + k % 5}" for k in range(int(days * 144))]
    path.write_text("\n".join(["time,direction_deg,speed_cm_s", *rows]) + "\n")
    return path


def quiet(folder: Path, spread: float, memory_s: float) -> Path:
    """Write twenty days of one sensor's background."""
    ppmv = 50 + spread * wandering(1, 20 * 144, memory_s, np.random.default_rng(4))[0]
    rows = [f"{START + np.timedelta64(600 * k, 's')}Z,{value:.4f}" for k, value in enumerate(ppmv)]
    (folder / "field_tag_10min.csv").write_text("\n".join(["time,ppmv", *rows]) + "\n")
    return folder


@pytest.mark.slow
def test_outcomes_do_not_depend_on_the_number_of_processes() -> None:
    """Nor on what else is tried."""
    options = Options(seed=5, scenarios=2, truths=("model",))
    tasks = [task for task in tasks_of(options, World()) if task.kind == "model"]
    alone = outcomes_of(tasks, 1)
    assert outcomes_of(tasks, 2) == alone
    assert outcomes_of(tasks[1:], 1) == alone[1:]
    assert alone[0] != alone[1]


@pytest.mark.parametrize(("scenarios", "leakless"), [(2, 20), (100, 50)])
def test_half_as_many_scenarios_have_no_leak(scenarios: int, leakless: int) -> None:
    """But twenty at least; where the estimation's own assumptions hold there are none."""
    kinds = [task.kind for task in tasks_of(Options(scenarios=scenarios, truths=("model", "puffs")), World())]
    assert Counter(kinds) == {"model": scenarios, "puffs": scenarios, "none": leakless, "common": leakless}
    assert {task.kind for task in tasks_of(Options(scenarios=scenarios, truths=("self_consistent",)), World())} == {
        "self_consistent"
    }


def test_another_seed_gives_other_scenarios() -> None:
    """And the same seed the same ones."""
    first, again, other = (drawn("self_consistent", World(), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.observations.ppmv, again.observations.ppmv)
    assert first.leak == again.leak
    assert first.leak != other.leak


@pytest.mark.parametrize("template", ["open", "semi"])
def test_the_bench_judges_the_answer_that_the_app_gives(template: str) -> None:
    """Byte for byte."""
    scenario = drawn("self_consistent", World("semi" if template == "semi" else "open"), np.random.default_rng(2))
    coarse = EstimationOptions(spacing_m=2.0, heights=2)
    answer, _, _ = answered(scenario, coarse)
    assert answer == estimate(scenario.template, scenario.environment, scenario.observations, options=coarse)


def test_a_leak_is_detected_when_it_stands_out_for_three_hours() -> None:
    """Of five standard deviations of its own sensor's noise."""
    noises = [Noise(1.0, 3600.0), Noise(10.0, 3600.0)]
    signal = np.zeros((2, COUNT))
    signal[1, :18] = 49.0
    assert not detected(signal, noises)
    signal[0, :17] = 5.1
    assert not detected(signal, noises)
    signal[0, 17] = 5.1
    assert detected(signal, noises)


def test_figures_of_known_outcomes() -> None:
    """Two leaks: one that is 2.5 times too large and 1 m off, one that is right and 3 m off; a third not reported."""
    right = replace(FOUND, horizontal_m=3.0, rate_kg_s=1e-5, rate_50=(0.9e-5, 1.1e-5), place_50=True, onset_error_h=1.5)
    outcomes = [OUTCOME, replace(OUTCOME, found=right, verdict="UNDEFINED"), replace(OUTCOME, found=None)]
    figures = leaky(outcomes)
    assert figures["drawn"] == 9
    assert figures["reported"]["value"] == pytest.approx(2 / 3)
    assert figures["verdicts"]["CONFIRMED"]["value"] == pytest.approx(2 / 3)
    assert figures["location_median_m"] == pytest.approx(2.0)
    assert figures["location_p90_m"] == pytest.approx(2.8)
    assert [figures[name]["value"] for name in ("rate_x2", "rate_x3", "rate_50", "rate_90")] == [0.5, 1.0, 0.5, 1.0]
    assert figures["rate_bias_ln"] == pytest.approx(np.log(2.5) / 2)
    assert figures["rate_90_width"] == pytest.approx(10.0)
    assert [figures[name]["value"] for name in ("place_50", "place_90")] == [0.5, 1.0]
    assert figures["onset_median_h"] == pytest.approx(1.0)
    assert figures["onset_bias_h"] == pytest.approx(0.5)


def test_wilsons_interval_is_the_published_one() -> None:
    """Of 81 in 263 (Newcombe 1998, doi 10.1002/(SICI)1097-0258(19980430)17:8<857), and of 0 in 20."""
    figures = share(81, 263)
    assert [round(figures[name], 4) for name in ("low", "high")] == [0.2553, 0.3662]
    none = share(0, 20)
    assert none["low"] == 0
    assert round(none["high"], 4) == 0.1611


@pytest.mark.parametrize("all_of_them", [False, True])
def test_a_share_lies_in_its_own_interval_however_it_is_rounded(all_of_them: bool) -> None:
    """Of none and of all, the limits end at the share itself: what is drawn as a bar has no length below nothing."""
    for of in range(1, 1000):
        figures = share(of if all_of_them else 0, of)
        assert 0 <= figures["low"] <= figures["value"] <= figures["high"] <= 1


def test_ranks_of_a_conjugate_posterior_are_uniform_and_those_of_a_wrong_one_are_not() -> None:
    """A normal mean with a normal prior; the wrong posterior is off by 0.2, or half as wide as it should be."""
    rng, edges = np.random.default_rng(7), np.linspace(-8, 8, 801)
    middle = 0.5 * (edges[1:] + edges[:-1])
    truth = rng.standard_normal(1000)
    seen = truth + rng.standard_normal(1000)

    def p_value(off: float, width: float) -> float:
        ranks = [
            rank_between(edges, np.exp(-0.5 * ((middle - off - 0.5 * y) / width) ** 2), x)
            for x, y in zip(truth, seen, strict=True)
        ]
        return kolmogorov_smirnov(np.array(ranks))[1]

    assert p_value(0.0, np.sqrt(0.5)) > 0.05
    assert p_value(0.2, np.sqrt(0.5)) < 0.001
    assert p_value(0.0, 0.5 * np.sqrt(0.5)) < 0.001


def test_ranks_among_few_values_are_uniform() -> None:
    """Since chance parts the weight on the true value."""
    rng, values = np.random.default_rng(8), np.array([1.0, 2.0, 5.0])
    weights = np.array([0.5, 0.2, 0.3])
    truths = rng.choice(values, size=1000, p=weights)
    ranks = np.array([rank_among(values, 7 * weights, truth, rng.random()) for truth in truths])
    assert kolmogorov_smirnov(ranks)[1] > 0.05
    assert rank_among(values, weights, 2.0, 0.5) == pytest.approx(0.6)


def test_kolmogorov_and_smirnovs_critical_distance_is_the_published_one() -> None:
    """D = 0.1340 of 100 at 5 %; quantiles in the middle of equal parts are as near to uniform as can be."""
    even = (np.arange(100) + 0.5) / 100
    assert kolmogorov_smirnov(even)[0] == pytest.approx(0.005)
    assert kolmogorov_smirnov(even)[1] == 1.0
    distance, p = kolmogorov_smirnov(np.clip(even - 0.129, 0, 1))
    assert distance == pytest.approx(0.134)
    assert p == pytest.approx(0.05, abs=0.005)


def test_the_band_of_uniform_ranks_holds_what_it_says() -> None:
    """At least 95 % of a bin's counts, and not with one less on either side; also of very many ranks."""
    low, high = uniform_band(100)
    counts = np.random.default_rng(9).binomial(100, 0.1, 200_000)
    assert ((counts >= low) & (counts <= high)).mean() >= 0.95
    assert ((counts > low) & (counts < high)).mean() < 0.95
    assert uniform_band(5000)[0] < 500 < uniform_band(5000)[1]


def test_coverage_follows_from_the_ranks() -> None:
    """A rank of 0.1 is inside the central 80 %, not inside the central 70 %."""
    coverage = {one["level"]: one["value"] for one in calibration([OUTCOME])["coverage"]}
    assert coverage[0.9] == 1
    assert coverage[0.7] == 0


def test_a_target_is_judged_by_its_own_template() -> None:
    """With the measured value and its interval."""
    none = verdicts([replace(OUTCOME, kind="none", found=None)])
    parts = {"none": none, "common": none, "time": {"median_s": 3.0, "peak_mb": 10.0}, "size": None}
    document = {"options": {"template": "open"}, "truths": {"model": leaky([OUTCOME])}, **parts}
    ok = {one["label"]: one["ok"] for one in judged(document)}
    assert ok["model: place off, median, m"]
    assert not ok["model: rate within x2"]
    assert not ok["CONFIRMED without a leak"]
    assert not ok["an estimation, median, s"]
    assert not any(label.startswith(("puffs", "box", "full")) for label in ok)
    assert Target(("a",), "a", 0.85, 0.95).words() == "0.85 to 0.95"


def test_the_noise_of_a_series_is_found_again() -> None:
    """Within a day, so a memory that is not much longer; a rise on one day of many changes nothing."""
    ppmv = 20 + 3.0 * wandering(1, 40 * 144, 3600.0, np.random.default_rng(3))[0]
    ppmv[1000:1100] += 500
    times = START + np.arange(ppmv.size) * np.timedelta64(600, "s")
    found = fitted(Recorded("tag", regularise(times, ppmv)))
    assert found is not None
    assert found.spread_ppmv == pytest.approx(3.0, rel=0.15)
    assert found.memory_s == pytest.approx(3600.0, rel=0.3)
    assert fitted(Recorded("tag", regularise(times[:300], ppmv[:300]))) is None


def test_currents_of_a_record_are_a_day_of_it(tmp_path: Path) -> None:
    """As they were measured, at the scenario's own times; a record with a gap in every day is refused."""
    sea_states = recorded(currents(tmp_path / "currents.csv", 3), COUNT)
    sea, times = sea_states.drawn(COUNT, np.random.default_rng(1))
    first = int((times[0] - START) / np.timedelta64(600, "s"))
    now = int(np.searchsorted(sea.times, times[0]))
    assert sea.current_direction[now] == 5 * first % 360
    assert sea.current_speed[now] == pytest.approx((8 + first % 5) / 100)
    with pytest.raises(InvalidInput, match="without a gap"):
        recorded(currents(tmp_path / "short.csv", 0.9), COUNT)


def test_the_synthetic_current_is_as_fast_as_tides_are() -> None:
    """Mostly 2 to 25 cm/s."""
    rng = np.random.default_rng(1)
    speed = np.concatenate([SeaStates().drawn(COUNT, rng)[0].current_speed for _ in range(100)])
    assert np.quantile(speed, 0.02) > 0.005
    assert 0.05 < np.median(speed) < 0.15
    assert np.quantile(speed, 0.98) < 0.25


@pytest.mark.slow
def test_the_command_measures_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From recorded currents and noise, as JSON, with a picture."""
    monkeypatch.setattr(study, "LEAST_LEAKLESS", 3)
    sea, picture = currents(tmp_path / "currents.csv", 3), tmp_path / "picture.png"
    (tmp_path / "series").mkdir()
    series = quiet(tmp_path / "series", 1.0, 3600.0)
    files = ["--currents", str(sea), "--readings", str(series), "--plot", str(picture)]
    assert main(["--seed", "3", "--scenarios", "2", "--json", *files]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["options"]["truths"] == ["family", "model", "puffs"]
    assert [one["scenarios"] for one in document["truths"].values()] == [2, 2, 2]
    assert document["none"]["verdicts"]["CONFIRMED"]["of"] == 3
    assert document["size"]["places"] > 1000
    assert document["size"]["seconds"] > 0
    assert document["currents"] == "recorded"
    assert len(document["targets"]) == sum(one.template in (None, "open") for one in TARGETS)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_walls_hold_what_a_leak_of_the_family_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same leak reads higher behind tighter walls: it does not drift through them as clouds would."""
    found = []
    for porosity in (0.05, 0.3):
        monkeypatch.setattr(sites, "LEAST_POROUS", porosity)
        monkeypatch.setattr(sites, "MOST_POROUS", porosity)
        found.append(drawn("family", World("semi"), np.random.default_rng(3)))
    tight, loose = found
    assert tight.leak == loose.leak
    assert tight.observations.ppmv.max() > 1.1 * loose.observations.ppmv.max()


def test_puffs_are_refused_where_they_know_no_walls(capsys: pytest.CaptureFixture[str]) -> None:
    """By the scenario and by the command."""
    with pytest.raises(ValueError, match="no walls"):
        drawn("puffs", World("semi"), np.random.default_rng(1))
    with pytest.raises(SystemExit):
        main(["--template", "semi", "--truth", "puffs"])
    assert "puffs is no truth of --template semi" in capsys.readouterr().err


@pytest.mark.slow
def test_the_easy_command_reports_the_calibration_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """With the ranks of all leaks and of those that are detected."""
    assert main(["--easy", "--scenarios", "2", "--jobs", "1", "--template", "semi"]) == 0
    output = capsys.readouterr().out
    assert "2 leaks, detected or not" in output
    assert "rate, detected" in output
    assert "no leak" not in output


def test_files_that_cannot_be_used_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With their names, before anything is drawn."""
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for arguments in (["--currents", str(tmp_path / "none.csv")], ["--currents", str(tmp_path / "other.csv")]):
        assert main(arguments) == 2
        assert Path(arguments[1]).name in capsys.readouterr().err
    assert main(["--readings", str(tmp_path)]) == 2
    assert "holds no series" in capsys.readouterr().err
