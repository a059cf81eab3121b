"""Planned operations: their readings are scored, and no baseline learns from them, whenever they were told of."""

from dataclasses import replace

import numpy as np
import pytest

from shared.domain.mark import Span
from shared.domain.suppression import Suppression
from tests.support.fakes import World
from tests.support.learning import ONE, RULES, TEMPLATE, at, case, computing_once, day_of, history, usual, world

DIVE = Span(at(5, 6), at(5, 12))


@pytest.fixture(autouse=True)
def _computing_once() -> object:
    with computing_once():
        yield


def disturbed() -> World:
    """Return a world that was disturbed a little while an ROV was there, and has learnt from it."""
    values = usual(5)
    values[36:72] += 2
    return world(22, {5: values})


def plan(target: World, day: int, span: Span = DIVE) -> Suppression:
    """Tell of the dive on a day."""
    target.clock.moment = at(day)
    return target.suppressions.plan(TEMPLATE.id, "rov", span.start, span.end, "dive", "A. Person")


def built(target: World) -> World:
    """Bring the world's baselines up to date."""
    case(target, replace(RULES, augment_days=0)).run()
    return target


def learnt(target: World) -> int:
    """Return how many buckets of the dive the sensor's baseline holds; two hours are held into its beginning."""
    baseline = target.baselines.get(ONE, history(target).changes[0].version)
    inside = (baseline.times >= np.datetime64("2026-03-06T06")) & (baseline.times < np.datetime64("2026-03-06T12"))
    return int(np.count_nonzero(~np.isnan(baseline.ppmv[inside])))


def test_an_operation_that_is_told_of_afterwards_is_unlearnt() -> None:
    """The versions are made without it, as a leak's range is; a world built anew has the same ones."""
    target = built(disturbed())
    assert learnt(target) == 36
    plan(target, 22)
    built(target)
    assert history(target).changes[0].recipe.excluded == (DIVE,)
    assert learnt(target) <= 12
    fresh = disturbed()
    fresh.marks = target.marks
    assert history(built(fresh)).changes == history(target).changes


def test_an_operation_that_is_planned_before_is_never_learnt() -> None:
    """Its readings are scored like all others."""
    target = disturbed()
    plan(target, 0)
    built(target)
    assert learnt(target) <= 12
    scored = target.deviations.get(ONE, day_of(18)).row
    assert scored is not None
    assert np.isfinite(scored.score).any()


def test_an_operation_that_is_called_off_before_it_begins_leaves_no_trace() -> None:
    """The baselines are those of a world that never heard of it."""
    target = disturbed()
    one = plan(target, 0)
    target.suppressions.end(one.id, "B. Person", lambda _: None)
    assert history(built(target)).changes == history(built(disturbed())).changes


def test_an_operation_of_the_future_makes_no_version_anew() -> None:
    """What a version is made of lies before it."""
    target = built(disturbed())
    before, writes = history(target).changes, len(target.baselines.cells.rows)
    plan(target, 22, Span(at(30), at(31)))
    built(target)
    assert history(target).changes == before
    assert len(target.baselines.cells.rows) == writes
