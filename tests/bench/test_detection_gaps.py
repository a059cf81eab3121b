"""Leaks that begin in a gap: how long they take, and whether any is called Ok that cannot be."""

import numpy as np
import pytest

from bench.detection.folds import CONTEXT, DAY, Fold
from bench.detection.gaps import BAD, GAPS_H, STEPS, WATCHED, after_gaps, first_h, gap_table, rising
from bench.detection.rules import Rule, Scorer
from shared.arrays import BUCKET_STEP, Floats, Scores, Times
from shared.domain.environment import Environment

BASELINE, EVALUATED = 30 * DAY, 14 * DAY


def fold() -> Fold:
    """Return a sensor that reads between 9 and 11 ppmv."""
    ppmv = np.random.default_rng(1).uniform(9, 11, BASELINE + EVALUATED)
    times = np.datetime64("2026-01-01T00:00:00", "s") + np.arange(ppmv.size) * BUCKET_STEP
    return Fold("one", 0, times, ppmv, BASELINE, np.ones(EVALUATED, dtype=bool))


class Watching:
    """Says what a function makes of the readings, and keeps what it was given."""

    def __init__(self, says: float) -> None:
        self.says = says
        self.given = list[tuple[Times, Floats, np.datetime64]]()

    def __call__(self, when: Times, values: Floats, since: np.datetime64, _: Environment | None = None, /) -> Scores:
        self.given.append((when, values, since))
        return np.full(np.count_nonzero(when >= since), self.says, dtype=np.float32)


def learnt(scorer: Scorer) -> Rule:
    """Return a rule that learns nothing."""
    return Rule("ours", "ours", lambda _, __: scorer, 1.0, 2.0)


def outcomes(says: float) -> tuple[list[dict[str, object]], Watching]:
    """Return the table of a rule that always says the same, and what it was given."""
    scorer = Watching(says)
    found = after_gaps(fold(), (learnt(scorer),), {"ours": scorer}, np.random.default_rng(1))
    return gap_table(found), scorer


def test_what_is_high_and_called_ok_is_counted() -> None:
    """A rule that always says Ok does so of every high sample, one that says nothing of none."""
    ok, _ = outcomes(0.5)
    unknown, _ = outcomes(float("nan"))
    assert len(ok) == 2 * len(STEPS) * sum(len(lengths) for lengths in GAPS_H.values())
    highest = [row for row in ok if row["step"] == 200 and row["onset"] == "at once"]
    assert {row["high_samples"] for row in highest} == {WATCHED}
    assert all(row["high_but_ok_samples"] == row["high_samples"] for row in ok)
    assert {row["high_but_ok_samples"] for row in unknown} == {0}
    assert {row["warning_worst_h"] for row in [*ok, *unknown]} == {float("inf")}


def test_a_gap_is_what_its_name_says_and_the_leak_begins_behind_it() -> None:
    """The sensor's own days stand before and after."""
    _, scorer = outcomes(2.5)
    times, ppmv, since = scorer.given[0]
    gap = slice(CONTEXT, CONTEXT + 12)
    assert times[gap.stop] == since
    assert np.isnan(ppmv[gap]).all()
    assert np.ptp(ppmv[:CONTEXT]) < 2
    assert (ppmv[gap.stop :] > 9 + 3 * 0.5).all()
    longest = max(scorer.given, key=lambda one: one[0].size)
    assert longest[0].size == CONTEXT + 30 * DAY + WATCHED
    after_first = [ppmv[gap.start : gap.start + 12] for _, ppmv, _ in scorer.given]
    assert any(np.ptp(one) == 0 and one[0] < 12 for one in after_first)
    assert any((one == BAD).all() for one in after_first)
    assert any(np.ptp(one) > 2 for one in after_first)


def test_medians_and_the_worst_are_over_the_folds() -> None:
    """A rule that is at Critical at once needs no time."""
    rows, _ = outcomes(2.5)
    assert {row["critical_worst_h"] for row in rows} == {0}
    assert {row["folds"] for row in rows} == {1}


def test_hours_run_from_the_first_reading_after_the_gap() -> None:
    """Never is infinite, also of a level that a rule does not have."""
    score = np.array([0, np.nan, 0.9, 1.0], dtype=np.float32)
    assert first_h(score, 1.0) == pytest.approx(0.5)
    assert first_h(score, 1.1) == float("inf")
    assert first_h(score, None) == float("inf")


def test_a_step_comes_at_once_or_as_the_sensor_follows() -> None:
    """63 % after two hours."""
    assert (rising("at once") == 1).all()
    assert rising("first order")[11] == pytest.approx(1 - np.exp(-1))


def test_a_fold_that_is_hardly_read_has_no_gap_table() -> None:
    """Nothing can be said of it."""
    full = fold()
    sparse = Fold("one", 0, full.times, full.ppmv, BASELINE, np.arange(EVALUATED) % 2 == 0)
    scorer = Watching(0.0)
    assert after_gaps(sparse, (learnt(scorer),), {"ours": scorer}, np.random.default_rng(1)) == ()
