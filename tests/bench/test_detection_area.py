"""What rules are judged by: area, its thresholds and intervals, held against counting by hand."""

import numpy as np
import pytest

from bench.detection.comparison import areas, compared, ratio, weights_of
from bench.detection.document import figures
from bench.detection.figures import budget_thresholds, first_flags, per_month
from bench.detection.leaks import KINDS, PLUMES
from bench.detection.poisson import garwood
from bench.detection.rules import RULES, TOLD_RULES
from bench.detection.tally import BUDGETS, Tally, area, found_at, recall_at
from bench.detection.trial import Leaky, Trial
from shared.arrays import Scores

NAN = float("nan")
ONE_OF_EACH = KINDS
DAYS = 30 * 144
CALM = np.where(np.arange(DAYS) % 288 == 0, 0.4, 0).astype(np.float32)  # an alarm every other day, at 0.4


def quiet_with(*peaks: float) -> Scores:
    """Return a month without leaks in which the first alarms have these heights."""
    score = CALM.copy()
    score[np.arange(len(peaks)) * 288] = peaks
    return score


def leaky(*heights: float, without: float = 0.0) -> Leaky:
    """Return a leak of each kind and one size, that raises the score to its height."""
    scores = np.zeros((len(KINDS), 1, 10), dtype=np.float32)
    scores[:, 0, 5] = heights
    calm = np.full((len(KINDS), 1, 10), without, dtype=np.float32)
    return Leaky(ONE_OF_EACH, {"ours": calm}, {"ours": scores})


def trial_of(sensor: str, quiet: Scores, leaks: Leaky, months: float = 1.0) -> Trial:
    """Return a trial of one rule."""
    return Trial(sensor, 0, months, {"ours": quiet}, leaks, leaks)


def alike(trials: list[Trial]) -> np.ndarray:
    """Return that every fold counts once."""
    return np.ones(len(trials))


def test_area_is_the_mean_recall_over_the_budgets() -> None:
    """Four sensor-months with alarms at 9 to 2: one is let through at 0.25, two at 0.5, four at 1, eight at 2."""
    quiet = [quiet_with(9, 8), quiet_with(7, 6), quiet_with(5, 4), quiet_with(3, 2)]
    heights = (10.0, 8.5, 7.5, 5.5, 4.5, 2.5, 0.3)  # the budgets let through what is above 8, 7, 5 and 0.4
    trials = [trial_of(name, one, leaky(*heights)) for name, one in zip("abcd", quiet, strict=True)]
    recalls = Tally.of(trials, "ours").recalls(alike(trials))
    expected = {
        KINDS[0]: [1, 1, 1, 1],
        KINDS[1]: [1, 1, 1, 1],
        KINDS[2]: [0, 1, 1, 1],
        KINDS[3]: [0, 0, 1, 1],
        KINDS[4]: [0, 0, 0, 1],
        KINDS[5]: [0, 0, 0, 1],
        KINDS[6]: [0, 0, 0, 0],
    }
    np.testing.assert_array_equal(recalls, [expected[kind] for kind in KINDS])
    assert area(recalls, KINDS[3]) == 0.5
    assert area(recalls, "overall") == pytest.approx(np.mean(list(expected.values())))
    assert area(recalls, "plumes") == pytest.approx(np.mean([expected[kind] for kind in PLUMES]))
    assert recall_at(recalls, "overall", 1.0) == pytest.approx(4 / 7)


def test_an_alarm_that_is_there_without_the_leak_finds_nothing() -> None:
    """However high the leak raises it."""
    trials = [trial_of("a", quiet_with(3), leaky(*[9.0] * 7, without=8.0), months=4.0)]
    assert area(Tally.of(trials, "ours").recalls(alike(trials), BUDGETS), "overall") == 0
    raised = [trial_of("a", quiet_with(3, 2.5, 2), leaky(*[9.0] * 7, without=2.9))]
    recalls = Tally.of(raised, "ours").recalls(alike(raised))
    assert recalls[0].tolist() == [1, 1, 0, 0]  # the budgets of 1 and 2 let thresholds below 2.9 through


def test_finds_at_all_thresholds_at_once_are_those_of_each() -> None:
    """Held against first_flags, with missing scores on both sides."""
    rng = np.random.default_rng(1)
    scores = rng.gamma(2, 1, (6, 3, 40)).astype(np.float32)
    without = rng.gamma(2, 1, (6, 1, 40)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.2] = NAN
    without[rng.random(without.shape) < 0.2] = NAN
    thresholds = np.unique(rng.choice(scores[np.isfinite(scores)], 30))
    found = found_at(scores, without, thresholds)
    one = Leaky(("pulsed",) * 6, {"ours": without}, {"ours": scores})
    for index, threshold in enumerate(thresholds):
        np.testing.assert_array_equal(found[:, :, index], np.isfinite(first_flags(one, "ours", float(threshold))))


def test_a_tallys_thresholds_are_those_of_the_budgets() -> None:
    """The recall at a budget is what the rule reaches at its smallest threshold."""
    rng = np.random.default_rng(3)
    trials = []
    for name in "abc":
        quiet = np.convolve(rng.normal(1, 1, DAYS), np.ones(20) / 5, "same").astype(np.float32)
        scores = rng.gamma(3, 1, (len(KINDS), 4, 60)).astype(np.float32)
        calm = rng.gamma(1, 1, (len(KINDS), 1, 60)).astype(np.float32)
        trials.append(trial_of(name, quiet, Leaky(ONE_OF_EACH, {"ours": calm}, {"ours": scores})))
    recalls = Tally.of(trials, "ours").recalls(alike(trials))
    quiet_scores = [one.quiet["ours"] for one in trials]
    for column, threshold in enumerate(budget_thresholds(quiet_scores, 3.0, BUDGETS)):
        assert per_month(quiet_scores, 3.0, threshold) <= BUDGETS[column]
        hours = np.stack([first_flags(one.leaks, "ours", threshold) for one in trials])
        np.testing.assert_allclose(recalls[:, column], np.isfinite(hours).mean(axis=(0, 2)))


def test_thresholds_are_chosen_anew_for_the_sensors_drawn() -> None:
    """Without the restless sensor the threshold falls, and its own threshold finds nothing."""
    restless, calm = quiet_with(5, 5, 5, 5), quiet_with(0.5)
    trials = [trial_of("restless", restless, leaky(*[3.0] * 7)), trial_of("calm", calm, leaky(*[3.0] * 7))]
    found = areas(Tally.of(trials, "ours"), np.array([[1.0, 1], [2, 0], [0, 2]]))["overall"]
    assert found.tolist() == [0.25, 0, 1]  # together the budget of 2 lets the four alarms through


def test_sensors_are_drawn_with_all_of_their_folds() -> None:
    """First every fold once; then as many sensors as there are."""
    weights = weights_of(["b", "a", "a", "c"], np.random.default_rng(1), 50)
    assert weights[0].tolist() == [1, 1, 1, 1]
    np.testing.assert_array_equal(weights[:, 1], weights[:, 2])
    np.testing.assert_array_equal(weights[:, [0, 1, 3]].sum(axis=1), 3)
    np.testing.assert_array_equal(weights, weights_of(["b", "a", "a", "c"], np.random.default_rng(1), 50))


def test_a_ratio_is_certain_where_sensors_agree_and_spreads_where_they_do_not() -> None:
    """Twice as good everywhere is twice in every resample; the mean of 1 and 3 lies anywhere between them."""
    theirs = {"overall": np.array([0.2, 0.3, 0.1])}
    twice = compared({"overall": 2 * theirs["overall"]}, theirs, ratio)["overall"]
    assert twice == {"value": pytest.approx(2), "low": pytest.approx(2), "high": pytest.approx(2)}
    weights = weights_of(["a", "b"], np.random.default_rng(1), 400)
    mine, other = weights @ [0.1, 0.3] / 2, weights @ [0.1, 0.1] / 2
    spread = compared({"overall": mine}, {"overall": other}, ratio)["overall"]
    assert spread == {"value": pytest.approx(2), "low": pytest.approx(1), "high": pytest.approx(3)}


def test_a_rule_without_any_find_is_no_end_of_a_ratio() -> None:
    """Something over nothing is infinite, nothing over nothing says nothing and is left out."""
    found = compared({"overall": np.array([1.0, 1, 0])}, {"overall": np.array([0.5, 0, 0])}, ratio)["overall"]
    assert found == {"value": 2, "low": float("inf"), "high": float("inf")}


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0, 2.9957), (1, 0.0513, 4.7439), (5, 1.9701, 10.5130), (10, 5.4254, 16.9622)]
)
def test_the_interval_of_a_count_is_the_exact_one(count: int, low: float, high: float) -> None:
    """Half the quantiles of chi-squared, as tables have them for 90 %."""
    assert list(garwood(count)) == pytest.approx([low, high], abs=1e-4)


def test_what_the_currents_are_worth_is_the_difference_of_areas() -> None:
    """Told the right ones a rule finds the plumes, told shifted ones no more than without."""
    names = [rule.name for rule in (*RULES, *TOLD_RULES)]
    trials = []
    for sensor, low in (("a", 1.0), ("b", 1.2), ("c", 0.9)):
        heights = np.where(np.isin(KINDS, PLUMES), 0.3, low)
        told = leaky(*np.where(np.isin(KINDS, PLUMES), 1.1, low)).scores["ours"]
        without, missed = leaky(*heights).without["ours"], leaky(*heights).scores["ours"]
        scores = {name: told if name == "ours_measured" else missed for name in names}
        leaks = Leaky(KINDS, dict.fromkeys(names, without), scores)
        trials.append(Trial(sensor, 0, 1.0, dict.fromkeys(names, quiet_with(0.5)), leaks, leaks))
    found = figures(trials, (*RULES, *TOLD_RULES), seed=1)
    measured, shifted = (found["area_differences"][name] for name in ("ours_measured", "ours_shifted"))
    assert measured["plumes"] == {"value": 1, "low": 1, "high": 1}
    assert measured["first_order"]["value"] == 0
    assert shifted["plumes"] == {"value": 0, "low": 0, "high": 0}
    assert found["area_ratios"]["older"]["first_order"] == {"value": 1, "low": 1, "high": 1}
    assert found["fixed"]["ours_measured"]["warning"]["false_alarms"] == 0
