"""A person goes back to an earlier version, or asks for the baseline to be brought up to date now."""

from collections.abc import Iterator

import pytest

from shared.errors import InvalidInput, NotFound
from tests.support.fakes import World
from tests.support.learning import ONE, TEMPLATE, case, computing_once, day_of, feedback, history, world

BUILT, AUGMENTED = day_of(17), day_of(47)
DAYS = 50

pytestmark = pytest.mark.xdist_group("learning")  # what one process computes once


@pytest.fixture(scope="module")
def _built() -> Iterator[None]:
    """Build each baseline once."""
    with computing_once():
        yield


@pytest.fixture
def target(_built: None) -> World:
    """A world whose sensor has a version that was built, and one that was augmented a month later."""
    target = world(DAYS)
    case(target).run()
    target.drain()
    assert [one.valid_from for one in history(target).changes] == [BUILT, AUGMENTED]
    return target


def follow(target: World) -> None:
    """Work off what was asked for."""
    while target.messages.baselines:
        case(target).run_template("troll", target.messages.baselines.pop(0))


def versions(target: World) -> tuple[str, str]:
    """Return the versions by which the last day before the augmentation, and the last day, are scored."""
    found = {row.day: row.baseline for row in target.deviations.range(ONE, day_of(0), day_of(DAYS))}
    return found[day_of(46)], found[day_of(DAYS - 1)]


def test_an_earlier_version_is_gone_back_to_and_forth_again(target: World) -> None:
    """Its days are scored by it; the later change stays in the history, undone, until it is selected again."""
    built, augmented = (one.version for one in history(target).changes)
    assert versions(target) == (built, augmented)
    promised = feedback(target, DAYS).select(ONE, built)
    assert [one.undone for one in promised.changes] == [False, True]
    follow(target)
    assert [one.undone for one in history(target).changes] == [False, True]
    assert versions(target) == (built, built)
    feedback(target, DAYS).select(ONE, augmented)
    follow(target)
    assert [one.undone for one in history(target).changes] == [False, False]
    assert versions(target) == (built, augmented)


def test_what_is_in_use_is_selected_without_a_change(target: World) -> None:
    """Asking for it again decides nothing."""
    before = target.state()
    feedback(target, DAYS).select(ONE, history(target).changes[-1].version)
    follow(target)
    assert target.state() == before
    assert target.marks.of(ONE).undone() == set()


@pytest.mark.parametrize(
    ("sensor", "version", "error"),
    [(ONE, "0" * 16, NotFound), ("troll-a-9", "0" * 16, NotFound), ("x", "0" * 16, InvalidInput)],
)
def test_a_version_that_is_not_there_is_refused(
    target: World, sensor: str, version: str, error: type[Exception]
) -> None:
    """Nothing is queued."""
    with pytest.raises(error):
        feedback(target, DAYS).select(sensor, version)
    assert target.messages.baselines == []


def test_a_rebuild_is_queued_and_changes_nothing_that_is_up_to_date(target: World) -> None:
    """What it gives back is the history as it is."""
    before = target.state()
    assert feedback(target, DAYS).rebuild(ONE) == history(target)
    assert target.messages.baselines == [TEMPLATE.id]
    follow(target)
    assert target.state() == before
