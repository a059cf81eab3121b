"""Removal on real storage: what belongs to one goes, and nothing of a neighbour, however alike their ids."""

from collections.abc import Callable

import pytest

from shared.bootstrap import Bootstrap
from shared.domain.event import Event
from shared.domain.mark import Span
from shared.domain.template import Sensor, Template
from shared.errors import NotFound
from shared.usecases.registration.stored_data import StoredData
from tests.support.examples import DAY, at, document, incident_at, noise, platform, quiet_baseline, scored_day, template

pytestmark = pytest.mark.azurite

Make = Callable[..., Bootstrap]


@pytest.fixture
def world(make_app: Make, unique: str) -> tuple[Bootstrap, Template, Template]:
    """Two templates with something of everything, whose ids and whose sensors' ids begin alike."""
    app = make_app(unique)
    short, long = template(slug="a"), template(slug="ab")
    sensors = (*short.sensors, sensor(short, 10), sensor(short, 11))
    short = short.model_copy(update={"sensors": sensors})
    app.registry.add(platform(short, long))
    for one in (short, long):
        fill(app, one)
    return app, short, long


def sensor(one: Template, number: int) -> Sensor:
    """Return one more sensor of the template."""
    first = one.sensors[0]
    return first.model_copy(update={"id": f"{one.id}-{number}", "number": number, "tag": f"TAG-{one.slug}-{number}"})


def fill(app: Bootstrap, one: Template) -> None:
    """Store something of every kind for the template and its sensors."""
    app.lake.write(one, document(one, DAY, s1=noise(1)), None)
    onset = at(DAY, 6)
    app.incidents.put(incident_at(6, one.id), None, None)
    app.events.put(Event(subject=one.id, kind="note", at=onset, about="A", message="quiet", by="A"))
    for held in one.sensors:
        app.baselines.put(held.id, quiet_baseline())
        app.deviations.put(scored_day(sensor=held.id), None)
        app.feedback.mark(held.id, Span(at(DAY), at(DAY, 2)), "no_leak", "A. Person", "")


def contents(app: Bootstrap) -> StoredData:
    """Return the use case on the app's storage."""
    return app.registrations.contents  # type: ignore[return-value]


def test_a_sensors_data_go_and_its_neighbours_stay(world: tuple[Bootstrap, Template, Template]) -> None:
    """Sensor 1's go; those of 10 and 11, whose ids begin with its id, stay; a second removal changes nothing."""
    app, short, _ = world
    held = contents(app)
    first, tenth = short.sensors[0], short.sensors[2]
    own = {"scoredDays": 1, "baselineVersions": 1, "decisions": 1}
    of_template = {"incidents": 1, "estimations": 0}  # it is open, and at the first sensor
    assert held.of_sensor(short, first) == own | of_template
    for _ in range(2):
        held.remove_sensor(short, first)
        assert held.of_sensor(short, first) == dict.fromkeys(own, 0) | of_template
    with pytest.raises(NotFound):
        app.baselines.get(first.id, quiet_baseline().version)
    assert app.deviations.range(first.id, DAY, DAY) == []
    assert held.of_sensor(short, tenth) == own | dict.fromkeys(of_template, 0)
    assert app.lake.read(short, DAY).document is not None


def test_a_templates_data_go_and_its_neighbours_stay(world: tuple[Bootstrap, Template, Template]) -> None:
    """Template `a` goes with everything; `ab` keeps its own."""
    app, short, long = world
    held, record = contents(app), app.registry.platform("troll").platform
    before = held.of_template(record, long)
    assert held.of_template(record, short) == {
        "lakeDays": 1,
        "incidents": 1,
        "estimations": 0,
        "events": 5,  # a note, and what four marks tell
        "scoredDays": 4,
        "baselineVersions": 4,
        "decisions": 4,
    }
    for _ in range(2):
        held.remove_template(record, short)
        assert not any(held.of_template(record, short).values())
    assert held.of_template(record, long) == before


def test_a_template_is_deleted_with_all_that_it_has(world: tuple[Bootstrap, Template, Template]) -> None:
    """Through the use case, as a person does it."""
    app, short, long = world
    app.registrations.delete_template(short.id, force=True)
    assert [one.id for one in app.registry.platform("troll").platform.templates] == [long.id]
    record = app.registry.platform("troll").platform
    assert not any(contents(app).of_template(record, short).values())


def test_pages_of_the_tables_are_the_whole(make_app: Make, unique: str) -> None:
    """Incidents, estimations and events: page after page gives what is there, newest first, nothing twice."""
    app, one = make_app(unique), template()
    onsets = [at(DAY, hour) for hour in range(7)]
    for onset in onsets:
        app.incidents.put(incident_at(onset.hour), None, None)
        app.events.put(Event(subject=one.id, kind="note", at=onset, about="A", message="quiet", by="A"))
    seen, after = [], None
    while True:
        page = app.incidents.list(one.id, limit=3, after=after)
        seen += [stored.incident.onset for stored in page]
        after = page.continuation
        if after is None:
            break
    assert seen == onsets[::-1]
    listed, after = [], None
    while True:
        events = app.events.list(one.id, limit=2, after=after)
        listed += [event.at for event in events]
        after = events.continuation
        if after is None:
            break
    assert listed == onsets[::-1]


def test_whose_data_there_are_is_known_by_a_beginning(world: tuple[Bootstrap, Template, Template]) -> None:
    """Ids that begin alike are told apart; one that has nothing is not there."""
    app, short, long = world
    for table in (app.deviations, app.baselines, app.marks):
        assert table.subjects("troll-a-") == sorted(one.id for one in short.sensors)
        assert table.subjects("troll-") == sorted(one.id for one in (*short.sensors, *long.sensors))
        assert not table.subjects("trol-")
    for rows in (app.incidents, app.events):
        assert rows.subjects("troll-") == [short.id, long.id]
    contents(app).remove_sensor(short, short.sensors[0])
    assert (
        app.deviations.subjects("troll-a-")
        == app.baselines.subjects("troll-a-")
        == ["troll-a-10", "troll-a-11", "troll-a-2"]
    )


def test_work_for_a_template_that_is_gone_is_done(world: tuple[Bootstrap, Template, Template]) -> None:
    """A day of it that waits in a poison queue succeeds; one of another, whose name begins alike, is scored."""
    app, short, long = world
    app.registrations.delete_template(short.id, force=True)
    app.lake.write(short, document(short, DAY, s1=noise(1)), None)
    for one in (short, long):
        app.score_again(f'{{"BlobName": "{one.platform}/{one.slug}/{DAY}.json"}}')
    assert app.deviations.count(short.sensors[0].id) == 0
    app.remove_orphans.run()
    assert app.deviations.count(long.sensors[0].id) == 1
