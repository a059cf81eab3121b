"""Selection: of several baselines the one that finds least amiss in the recent readings is taken."""

from collections.abc import Iterator

import numpy as np
import pytest

from shared.domain.baseline_history import DayRange, Recipe
from shared.domain.decisions import Decisions
from shared.usecases.baselines.recorded_readings import RecordedReadings
from shared.usecases.baselines.selection import PastReadings, choose, spans
from tests.support.learning import ONE, computing_once, day_of, usual, world

LATE = 100  # from this day on the sea has a tide
TIDE = 30 + 30 * np.sin(np.arange(144) * 2 * np.pi / 72)
CALM = 121  # from this day on all is calm

pytestmark = pytest.mark.xdist_group("learning")  # what one process computes once


@pytest.fixture(autouse=True)
def _fast() -> Iterator[None]:
    """Compute everything once, however often a test runs."""
    with computing_once():
        yield


@pytest.fixture(scope="module")
def readings() -> RecordedReadings:
    """A sensor that was lively without a tide for long, and with one since day 100."""
    rng = np.random.default_rng(3)
    target = world(
        126,
        {n: usual(0) + rng.normal(0, 0.5 if n < CALM else 0.1, 144) + (TIDE if n >= LATE else 0) for n in range(126)},
    )
    return RecordedReadings(target.lake, target.registry.platform("troll").platform)


def recipe(first: int, last: int) -> Recipe:
    """Return a recipe of whole days."""
    return Recipe(source=ONE, days=(DayRange(day_of(first), day_of(last)),))


def before(readings: RecordedReadings, day: int, first: int = 0) -> PastReadings:
    """Return the sensor's history up to a day."""
    return PastReadings.before(day_of(day), readings, ONE, day_of(first), Decisions())


def test_the_baseline_of_other_times_loses(readings: RecordedReadings) -> None:
    """What was usual without a tide finds it amiss."""
    old, new = recipe(0, 29), recipe(LATE, 120)
    assert choose([old, new], readings, before(readings, 125, LATE)) == new
    assert choose([old, new], readings, before(readings, 60)) == old


def test_the_first_of_equals_is_taken(readings: RecordedReadings) -> None:
    """Candidates stand in order of preference."""
    candidates = [recipe(LATE, 118), recipe(LATE, 120)]
    history = before(readings, 125, LATE)
    assert choose(candidates, readings, history) == candidates[0]
    assert choose(candidates[::-1], readings, history) == candidates[1]


def test_what_cannot_be_a_baseline_is_passed_over(readings: RecordedReadings) -> None:
    """One day is none, and where nothing is left nothing is chosen."""
    history = before(readings, 125, LATE)
    assert choose([recipe(110, 110), recipe(LATE, 120)], readings, history) == recipe(LATE, 120)
    assert choose([recipe(110, 110)], readings, history) is None


def test_spans_are_the_whole_and_its_younger_parts_with_enough_in_them(readings: RecordedReadings) -> None:
    """Longest first; what holds too little is none, and the same twice is one."""
    history = before(readings, 98)
    whole = recipe(0, 94)
    assert spans(whole, history, 14) == [whole, recipe(5, 94), recipe(65, 94)]
    assert spans(whole, history, 31) == [whole, recipe(5, 94)]
    assert spans(recipe(70, 94), history, 14) == [recipe(70, 94)]
