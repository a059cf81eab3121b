"""Resuming: what a run has no time for is done by later ones, nothing of it twice, in memory that does not grow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch
from weakref import WeakSet

import pytest

from shared.detection import Baseline
from shared.domain.mark import Span
from shared.usecases.baselines import recorded_readings, rescoring
from shared.usecases.baselines.build import BuildBaselines
from shared.usecases.baselines.trusted_days import TrustedDays
from shared.usecases.detection.detect import Detect
from shared.usecases.incidents.critical_runs import SILENT
from tests.support.fakes import World
from tests.support.learning import (
    ONE,
    RULES,
    TEMPLATE,
    at,
    build_once,
    case,
    computing_once,
    day_of,
    feedback,
    history,
    world,
)

pytestmark = pytest.mark.xdist_group("learning")  # what one process computes once

PLATFORM = TEMPLATE.platform


@pytest.fixture(autouse=True)
def _fast() -> Iterator[None]:
    """Compute everything once, however often a test runs."""
    with computing_once():
        yield


@dataclass
class Hurrying:
    """A clock by which every look at it takes an hour: no run has time for a second piece of work."""

    moment: datetime

    def now(self) -> datetime:
        """Return a later moment each time."""
        self.moment += timedelta(hours=1)
        return self.moment


def hurried(target: World) -> BuildBaselines:
    """Return the use case of a run whose time is used up at once."""
    return case(target, clock=Hurrying(at(0)))


def work_off(target: World) -> int:
    """Work off the requests for baselines, each in a run that is cut; return how many there were."""
    count = 0
    while target.messages.baselines:
        template = target.messages.baselines.pop(0)
        hurried(target).run_template(PLATFORM, template, *target.messages.done[template])
        count += 1
        assert count < 100, "the runs get nowhere"
    return count


@pytest.mark.parametrize("daily", [False, True])
def test_runs_that_are_cut_end_where_a_whole_one_does(*, daily: bool) -> None:
    """Three months of two sensors, a piece of work a run: histories, rows and events are those of one long run."""
    whole, cut = world(90, second=90), world(90, second=90)
    case(whole).run()
    if daily:
        assert hurried(cut).run() == {}
    else:
        hurried(cut).run_template(PLATFORM, TEMPLATE.id)
    assert work_off(cut) > 5
    assert len(history(cut).changes) > 2
    assert cut.state() == whole.state()


def test_what_an_earlier_run_did_is_not_done_again() -> None:
    """However often it is cut, each recipe is made once, and each day is scored once but for those always looked at."""
    made: list[Any] = []
    days: list[date] = []
    detect_run = Detect.run

    def counted(self: Detect, platform: str, template: str, first: date, last: date) -> int:
        days.extend(first + timedelta(days=offset) for offset in range((last - first).days + 1))
        return detect_run(self, platform, template, first, last)

    def building(*args: Any, **more: Any) -> Any:
        made.append(args)
        return build_once(*args, **more)

    def turns(*, cut: bool) -> int:
        made.clear()
        target = world(90)
        (hurried(target) if cut else case(target)).run_template(PLATFORM, TEMPLATE.id)
        work_off(target)
        return len(made)

    with patch.object(recorded_readings, "build_baseline", building), patch.object(Detect, "run", counted):
        once = turns(cut=False)
        days.clear()
        pieces = turns(cut=True)
    changes = 4
    assert pieces <= once + changes  # the version in use may be made again to be compared with
    again = [day for day in set(days) if days.count(day) > 1]
    assert set(again) <= {
        *(day_of(89 - offset) for offset in range(rescoring.RECENT_DAYS)),
        day_of(5),
        day_of(33),
        day_of(61),
    }


def test_a_decision_of_people_is_worked_in_by_pieces() -> None:
    """A mark that counts for two months of scores is followed by runs that are cut, to the same end."""
    whole, cut = world(80, second=80), world(80, second=80)
    for target in (whole, cut):
        case(target).run()
        feedback(target, 79).mark(ONE, Span(at(20), at(20, 4)), "no_leak", "anna", "")
    case(whole).run_template(PLATFORM, TEMPLATE.id)
    assert work_off(cut) > 2
    assert cut.state() == whole.state()


def test_the_daily_run_that_comes_late_leaves_other_platforms_to_messages() -> None:
    """Nothing is begun after the time is used up, and nothing of it is forgotten."""
    target = world(30)
    clock = Hurrying(at(0))
    assert case(target, clock=clock).run_platform(PLATFORM, at(0)) == {}
    assert target.messages.baselines == [TEMPLATE.id]
    assert not history(target).changes
    work_off(target)
    assert history(target).changes


# --- what a run reads and remembers


def reads_of_the_day_after(days: int) -> int:
    """Return how many day blobs a daily run reads the day after all was done."""
    target = world(days, second=days)
    case(target).run()
    target.lake.reads = 0
    case(target).run()
    return target.lake.reads


def test_what_the_daily_run_reads_does_not_grow_with_the_history() -> None:
    """After four months it reads what it reads after two, but for the older days that it looks at in turn."""
    two, four = reads_of_the_day_after(60), reads_of_the_day_after(120)
    looked_at = 60 // rescoring.CYCLE_DAYS + 1  # more, each with the days that it rests on and that rest on it
    assert four - two <= 5 * looked_at


def test_a_version_that_is_stored_is_read_and_not_made_again() -> None:
    """However few of the versions of many sensors stay in memory: making one takes seconds."""
    made: list[Any] = []

    def building(*args: Any, **more: Any) -> Any:
        made.append(args)
        return build_once(*args, **more)

    target = world(60, second=60)
    with (
        patch.object(recorded_readings, "KEPT_BASELINES", 1),
        patch.object(recorded_readings, "build_baseline", building),
    ):
        case(target).run()
    changes = sum(len(history(target, sensor.id).changes) for sensor in TEMPLATE.sensors)
    assert changes >= 4
    assert len(made) == changes


def test_baselines_that_were_made_are_not_kept_for_ever() -> None:
    """Each takes megabytes, and years of a sensor bring dozens."""
    alive: WeakSet[Baseline] = WeakSet()
    most: list[int] = []

    def building(*args: Any, **more: Any) -> Baseline:
        alive.add(made := Baseline.from_bytes(build_once(*args, **more).to_bytes()))
        most.append(len(alive))
        return made

    with (
        patch.object(recorded_readings, "KEPT_BASELINES", 2),
        patch.object(recorded_readings, "build_baseline", building),
    ):
        case(world(150)).run()
    assert len(most) > 4
    assert max(most) <= 2 + 1


def test_rows_that_are_judged_by_are_not_kept_for_ever() -> None:
    """What was scored in memory goes when no decision asks for it any more."""
    days_kept: list[int] = []
    trusted = TrustedDays.trusted

    def measured(self: TrustedDays, sensor: str, days: Sequence[date], end: date) -> set[date]:
        found = trusted(self, sensor, days, end)
        held = {day for _, day, _ in self._rows}
        days_kept.append((max(held) - min(held)).days)
        return found

    rules = replace(RULES, max_days=40)
    with patch.object(TrustedDays, "trusted", measured):
        case(world(150), rules).run()
    assert len(days_kept) > 3
    assert max(days_kept) <= (rules.reach + SILENT).days + 1


def test_scoring_a_history_keeps_a_piece_of_it_in_memory() -> None:
    """No run of detect is given more days than a piece has, however many there are to score."""
    spans: list[int] = []
    detect_run = Detect.run

    def measured(self: Detect, platform: str, template: str, first: date, last: date) -> int:
        spans.append((last - first).days + 1)
        return detect_run(self, platform, template, first, last)

    with patch.object(Detect, "run", measured):
        case(world(100)).run()
    assert sum(spans) == 100
    assert max(spans) == rescoring.AT_ONCE
