"""Look: a page's data are read at once, and are what the other use cases say."""

from datetime import timedelta

import numpy as np
import pytest

from shared.detection import Baseline
from shared.detection.channels import SCALES
from shared.domain.deviation import Level
from shared.domain.tsd import SLOTS, SeriesDay, start_of
from shared.errors import NotFound
from shared.usecases.queries.as_of import AsOf
from shared.usecases.queries.baselines import BaselineQueries
from shared.usecases.queries.incident_views import IncidentViews
from shared.usecases.queries.page_views import PageViews
from tests.support.examples import DAY, at, document, history, incident_at, noise, platform, quiet_baseline, template
from tests.support.fakes import FakeClock, World
from tests.support.queries import alarm_queries

TEMPLATE, OTHER = template(), template(slug="b")
NOW = at(DAY, 24)


def incident_views(world: World) -> IncidentViews:
    """Return the use case on a world, at the end of its day."""
    return IncidentViews(
        registry=world.registry,
        incidents=world.incidents,
        estimations=world.estimations,
        alarms=alarm_queries(world),
        as_of=AsOf(journal=world.journal_table),
        clock=FakeClock(NOW),
    )


def look(world: World) -> PageViews:
    """Return the use case on a world, at the end of its day."""
    clock = FakeClock(NOW)
    baselines = BaselineQueries(registry=world.registry, marks_table=world.marks, deviations=world.deviations)
    return PageViews(
        registry=world.registry,
        lake=world.lake,
        baselines=world.baselines,
        deviations=world.deviations,
        incidents=world.incidents,
        estimations=world.estimations,
        events=world.events,
        journal=world.journal_table,
        alarms=alarm_queries(world),
        as_of=AsOf(journal=world.journal_table),
        suppressions=world.suppressions_table,
        baseline_queries=baselines,
        clock=clock,
    )


def world(values: np.ndarray | None = None) -> World:
    """Return a world with two templates, and a scored day with currents at the first one."""
    new = World()
    new.registry.add(platform(TEMPLATE, OTHER))
    for sensor in TEMPLATE.sensors:
        new.baselines.put(sensor.id, quiet_baseline())
        new.registry.histories.set(sensor.id, history(sensor.id, quiet_baseline().version, DAY))
    sea = {
        name: SeriesDay(
            tag=tag, unit=unit, until=start_of(DAY) + timedelta(days=1), values=(value,) * SLOTS, counts=(1,) * SLOTS
        )
        for name, tag, unit, value in (
            ("current_speed", "SPEED", "cm/s", 20.0),
            ("current_direction", "DIRECTION", "deg", 45.0),
        )
    }
    held = document(TEMPLATE, DAY, s1=noise(1) if values is None else values, s2=noise(2))
    new.lake.cells.set((TEMPLATE.id, DAY), held.model_copy(update={"environment": sea}))
    new.detect.run("troll", TEMPLATE.id, DAY)
    new.drain()
    return new


def test_what_is_wrong_comes_first() -> None:
    """The template with an incident before the one that cannot be scored, with the estimation in short."""
    risen = noise(1)
    risen[100:] += 60
    first, second = look(world(risen)).overview().states
    assert (first.template.id, second.template.id) == ("troll-a", "troll-b")
    assert first.incident is not None
    assert first.estimation is not None
    assert first.level is Level.CRITICAL
    assert (second.incident, second.newest) == (None, None)


def test_platforms_keep_their_place() -> None:
    """By name, whatever is wrong at them; one without templates is there, too, and so is a template without sensors."""
    target = world()
    bare = template("askeladd", "b").model_copy(update={"sensors": ()})
    target.registry.add(platform().model_copy(update={"id": "askeladd", "name": "Askeladd", "templates": (bare,)}))
    target.registry.add(platform().model_copy(update={"id": "visund", "name": "Visund", "templates": ()}))
    target.incidents.put(incident_at(6), None, None)
    found = look(target).overview()
    assert [one.platform.name for one in found.platforms] == sorted(one.platform.name for one in found.platforms)
    assert {one.platform.id: len(one.states) for one in found.platforms} == {"askeladd": 1, "troll": 2, "visund": 0}
    assert found.states[0].template.sensors == ()


def test_a_templates_page_has_its_newest_current_in_metres_per_second() -> None:
    """From the lake; an older one than six hours is none."""
    page = look(world()).template("troll-a")
    assert page.current is not None
    assert page.current.speed == pytest.approx(0.2)
    assert (page.current.direction, page.current.at) == (45.0, at(DAY, 23 + 5 / 6))
    assert look(world()).template("troll-b").current is None
    assert (page.answer, list(page.incidents)) == (None, [])


def test_an_incident_without_an_estimation_is_shown_without() -> None:
    """It is there before its estimation is; one that is not stored is not found."""
    target = world()
    target.incidents.put(incident_at(6), None, None)
    page = incident_views(target).incident(incident_at(6).id)
    assert (page.incident, page.answer, page.template) == (incident_at(6), None, TEMPLATE)
    with pytest.raises(NotFound):
        incident_views(target).incident(incident_at(7).id)


def test_a_sensors_page_counts_its_data() -> None:
    """Every bucket up to now is a sample, bad, or missing; levels count what was scored."""
    values = noise(1)
    values[10:20] = np.nan
    page = look(world(values)).sensor("troll-a-1")
    found = page.quality
    assert found.possible == 29 * SLOTS  # the day that begins now has no bucket yet
    assert (found.samples, found.bad, found.missing) == (SLOTS - 10, 0, 28 * SLOTS + 10)
    assert sum(found.levels.values()) == SLOTS
    assert isinstance(page.baseline, Baseline)
    assert len(page.baseline.thresholds) == len(SCALES)
    assert page.baseline.usual[0] < 10 < page.baseline.usual[1]


def test_a_baseline_that_cannot_be_read_is_shown_as_none() -> None:
    """The page comes all the same."""
    target = world()
    target.baselines.remove_all("troll-a-1")
    page = look(target).sensor("troll-a-1")
    assert (page.baseline, page.state.scored) == (None, True)
