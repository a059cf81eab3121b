"""A sensor that is deleted and created anew with another tag reads another series: it inherits nothing."""

from datetime import date, timedelta

import numpy as np

from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import TemplateDay
from shared.usecases.baselines.recorded_readings import RecordedReadings
from shared.usecases.incidents.estimation_inputs import InputWindow, load_inputs
from shared.usecases.ingestion.ingest import Ingest, IngestRules
from tests.support.examples import DAY, NOW, PPMV, at, document, history, noise, platform, quiet_baseline, template
from tests.support.fakes import FakeClock, FakeSource, World

OLD = template()
ANEW: Template = OLD.model_copy(
    update={"sensors": (OLD.sensors[0].model_copy(update={"tag": "OTHER"}), OLD.sensors[1])}
)


def registered(one: Template) -> Platform:
    """Return the platform with that template."""
    return platform(one)


def day(number: int = 0) -> TemplateDay:
    """Return a day on which the sensors read their first tags."""
    return document(OLD, DAY + timedelta(days=number), s1=noise(number), s2=noise(number + 9))


def test_a_day_gives_a_sensor_the_series_of_its_tag() -> None:
    """The others keep theirs."""
    assert day().series_of(OLD.sensors[0]) == day().sensors["troll-a-1"]
    assert day().series_of(ANEW.sensors[0]) is None
    assert day().series_of(ANEW.sensors[1]) is not None


def test_old_readings_are_not_scored() -> None:
    """The day's document lacks the new series: that is told, and its row is empty."""
    world = World()
    world.registry.add(registered(ANEW))
    for sensor in ANEW.sensors:
        world.baselines.put(sensor.id, quiet_baseline())
        world.registry.histories.set(sensor.id, history(sensor.id, quiet_baseline().version, DAY))
    for number in (0, 1):
        world.lake.cells.set((OLD.id, day(number).day), day(number))
        world.detect.run("troll", OLD.id, day(number).day)
    sizes = {sensor: row.level.size for (sensor, _), row in world.deviations.cells.values().items()}
    assert sizes == {"troll-a-1": 0, "troll-a-2": 144}
    (unknown, _) = world.events.list(OLD.id)
    assert (unknown.kind, unknown.about) == ("unknown_series", "troll-a-1")
    assert set(world.registry.record(OLD.id).latest) == {"troll-a-2"}


def test_old_readings_are_neither_learnt_nor_estimated_from() -> None:
    """Where the new series is missing, there is nothing."""
    world = World()
    world.lake.cells.set((OLD.id, DAY), day())
    readings = RecordedReadings(world.lake, registered(ANEW))
    assert readings.day("troll-a-1", DAY) is None
    assert readings.day("troll-a-2", DAY) is not None
    rules = InputWindow(lead=timedelta(hours=6), longest=timedelta(hours=24), followed=timedelta(hours=24))
    found = load_inputs(registered(ANEW), ANEW, lambda _: day(), at(DAY, 8), at(DAY, 12), rules)
    assert np.isnan(found.observations.ppmv).all(axis=1).tolist() == [True, False]


def test_a_new_series_takes_the_old_ones_place_in_the_lake() -> None:
    """Of a day that is ingested again, nothing of the old tag is left in the sensor's series."""
    world = World()
    world.registry.add(registered(ANEW))
    today = NOW.date()
    old = document(OLD, today, s1=noise(1)[:60], s2=noise(2)[:60])
    world.lake.cells.set((OLD.id, today), old)
    omnia = FakeSource()
    omnia.say("OTHER", at(today, 6), [5.0] * 30)
    omnia.say("TAG-a-2", at(today), [7.0] * 66)
    rules = IngestRules(
        overlap=timedelta(hours=3),
        backfill=timedelta(days=1),
        late=timedelta(days=28),
        template_budget=timedelta(minutes=2),
        step=timedelta(days=2),
        budget=timedelta(minutes=4),
        parallel=1,
        plausible=PPMV,
    )
    Ingest(
        sources={"omnia": omnia},
        lake=world.lake,
        registry=world.registry,
        events=world.events,
        messages=world.messages,
        clock=FakeClock(NOW),
        rules=rules,
    ).run()
    merged = held(world, today)
    assert merged.sensors["troll-a-1"].tag == "OTHER"
    assert np.isnan(merged.sensors["troll-a-1"].array()[:36]).all()
    assert not np.isnan(merged.sensors["troll-a-2"].array()[:36]).any()


def held(world: World, when: date) -> TemplateDay:
    """Return the day's document in the lake."""
    found = world.lake.cells.values()[OLD.id, when]
    assert isinstance(found, TemplateDay)
    return found
