"""Adapters on real storage: conditional writes, round trips, order of rows."""

import base64
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from admin.manage import seed, seed_platforms
from shared.adapters.blobs import day_blob, parse_day_blob
from shared.adapters.development import expand
from shared.bootstrap import Bootstrap
from shared.domain.baseline_request import BaselineRequest
from shared.domain.decisions import Decision
from shared.domain.deviation import Level, same_carry
from shared.domain.event import Event
from shared.domain.incident import CriticalMessage
from shared.domain.mark import Effect, Mark, Undo, Withdrawal
from shared.errors import Conflict, CorruptBlob, InvalidInput, NotFound
from shared.ports import NotificationState
from tests.support.examples import (
    DAY,
    document,
    history,
    incident_at,
    noise,
    quiet_baseline,
    scored_day,
    template,
    watermarked,
)

pytestmark = pytest.mark.azurite
Make = Callable[..., Bootstrap]
TEMPLATE = template()


def test_a_day_document_is_written_on_what_was_read(make_app: Make, unique: str) -> None:
    """A second writer with the old tag loses; the blob is what the winner wrote."""
    lake = make_app(unique).lake
    first, second = document(TEMPLATE, DAY, s1=noise(1)), document(TEMPLATE, DAY, s1=noise(2))
    assert lake.read(TEMPLATE, DAY).document is None
    lake.write(TEMPLATE, first, None)
    stored = lake.read(TEMPLATE, DAY)
    assert stored.document == first
    lake.write(TEMPLATE, second, stored.etag)
    for tag in (stored.etag, None):
        with pytest.raises(Conflict):
            lake.write(TEMPLATE, first, tag)
    assert lake.read(TEMPLATE, DAY).document == second


def test_the_day_that_was_written_last_is_in_memory(make_app: Make, unique: str) -> None:
    """It says that it is no fresh one; whoever wrote, or removed, the blob meanwhile is not written over."""
    mine, theirs = make_app(unique).lake, make_app(unique).lake
    first, second = document(TEMPLATE, DAY, s1=noise(1)), document(TEMPLATE, DAY, s1=noise(2))
    mine.write(TEMPLATE, first, None)
    fresh, known = mine.read(TEMPLATE, DAY), mine.read(TEMPLATE, DAY, fresh=False)
    assert (fresh.document, fresh.etag) == (known.document, known.etag)
    assert (fresh.fresh, known.fresh) == (True, False)
    theirs.write(TEMPLATE, second, fresh.etag)
    with pytest.raises(Conflict):
        mine.write(TEMPLATE, first, mine.read(TEMPLATE, DAY, fresh=False).etag)
    theirs.remove_all(TEMPLATE)
    with pytest.raises(Conflict):
        mine.write(TEMPLATE, first, known.etag)
    mine.remove_all(TEMPLATE)
    assert mine.read(TEMPLATE, DAY, fresh=False).document is None


def test_the_days_of_a_template_are_listed_in_order(make_app: Make, unique: str) -> None:
    """Blobs of a template with a similar name are not among them."""
    lake = make_app(unique).lake
    for day in (date(2026, 3, 2), date(2026, 2, 27), date(2026, 3, 1)):
        lake.write(TEMPLATE, document(TEMPLATE, day, s1=noise(1)), None)
    other = template(slug="ab")
    lake.write(other, document(other, date(2020, 1, 1), s1=noise(1)), None)
    assert lake.days(TEMPLATE) == [date(2026, 2, 27), date(2026, 3, 1), date(2026, 3, 2)]


@pytest.mark.parametrize("content", [b"", b'{"schema":1,', b"null"])
def test_an_unreadable_blob_says_why_and_can_be_set_aside(make_app: Make, unique: str, content: bytes) -> None:
    """Its bytes are kept under a name that derives from them."""
    app = make_app(unique)
    container = app.clients.container(app.settings.storage.lake_container)
    container.upload_blob(day_blob(TEMPLATE, DAY), content)
    stored = app.lake.read(TEMPLATE, DAY)
    assert stored.document is None
    assert stored.etag is not None
    assert "day blob troll/a/2026-03-01.json" in stored.problem
    copy = app.lake.quarantine(TEMPLATE, DAY)
    assert app.lake.quarantine(TEMPLATE, DAY) == copy
    kept = app.clients.container(app.settings.storage.corrupt_container).download_blob(copy).readall()
    assert kept == content


def test_a_document_under_another_days_name_is_refused(make_app: Make, unique: str) -> None:
    """A copied blob must not be scored as another day."""
    app = make_app(unique)
    wrong = document(TEMPLATE, DAY, s1=noise(1)).to_json()
    app.clients.container(app.settings.storage.lake_container).upload_blob(day_blob(TEMPLATE, date(2026, 3, 2)), wrong)
    assert "it holds troll-a of 2026-03-01" in app.lake.read(TEMPLATE, date(2026, 3, 2)).problem


@pytest.mark.parametrize(
    "name", ["troll/a/x.json", "troll/2026-03-01.json", "a/b/c/2026-03-01.json", "troll/a/2026-03-01"]
)
def test_only_day_blobs_are_understood(name: str) -> None:
    """Any other blob in the container is refused by name."""
    with pytest.raises(InvalidInput, match="expected platform/template"):
        parse_day_blob(name)


def test_baselines_are_immutable_versions(make_app: Make, unique: str) -> None:
    """Storing one twice changes nothing; one that is not there is NotFound."""
    store, baseline = make_app(unique).baselines, quiet_baseline()
    store.put("troll-a-1", baseline)
    store.put("troll-a-1", baseline)
    assert make_app(unique).baselines.get("troll-a-1", baseline.version).to_bytes() == baseline.to_bytes()
    with pytest.raises(NotFound, match="baseline nothing of troll-a-1"):
        store.get("troll-a-1", "nothing")


def test_two_versions_of_a_sensor_stay_in_memory(make_app: Make, unique: str) -> None:
    """Years of a sensor are scored by many; another sensor's stay where they are."""
    app = make_app(unique)
    versions = [quiet_baseline(seed) for seed in range(3)]
    for sensor in ("troll-a-1", "troll-a-2"):
        for one in versions:
            app.baselines.put(sensor, one)
    other = app.baselines.get("troll-a-2", versions[0].version)
    read = [app.baselines.get("troll-a-1", one.version) for one in versions]
    assert app.baselines.get("troll-a-2", versions[0].version) is other
    newest_first = list(zip(versions, read, strict=True))[::-1]
    assert [app.baselines.get("troll-a-1", one.version) is was for one, was in newest_first] == [True, True, False]


def test_a_baseline_that_is_not_its_names_content_is_refused(make_app: Make, unique: str) -> None:
    """A threshold that somebody edited must not call a leak Ok."""
    app, baseline = make_app(unique), quiet_baseline()
    edited = baseline.to_bytes().replace(b'"noise": ', b'"noise": 9')
    container = app.clients.container(app.settings.storage.baselines_container)
    container.upload_blob(f"troll-a-1/{baseline.version}.bin", edited)
    with pytest.raises(CorruptBlob, match=f"baseline {baseline.version} of troll-a-1 holds"):
        app.baselines.get("troll-a-1", baseline.version)


def test_a_stray_blob_does_not_stop_the_listing(make_app: Make, unique: str) -> None:
    """Somebody's note among the day blobs is passed over."""
    app = make_app(unique)
    app.lake.write(TEMPLATE, document(TEMPLATE, DAY, s1=noise(1)), None)
    container = app.clients.container(app.settings.storage.lake_container)
    for name in ("troll/a/readme.txt", "troll/a/20260301.json", "troll/a/2026-W10-1.json"):
        container.upload_blob(name, b"x")
    assert app.lake.days(TEMPLATE) == [DAY]


def test_one_unreadable_platform_does_not_hide_the_others(make_app: Make, unique: str) -> None:
    """A partition without its platform row is passed over, and logged."""
    app = make_app(unique)
    seed(app, seed_platforms()[:1])
    watermarked(app.registry, TEMPLATE, {"x": datetime(2026, 3, 1, tzinfo=UTC)})
    assert [one.platform.id for one in app.registry.platforms()] == ["askeladd"]


def test_a_scored_day_survives_the_table(make_app: Make, unique: str) -> None:
    """Read by another process, every bit is the same, and the plain columns say what people need."""
    app = make_app(unique)
    app.deviations.put(scored_day(), None)
    other = make_app(unique).deviations
    stored = other.get("troll-a-1", DAY)
    assert stored.row is not None
    assert stored.row.same_as(scored_day())
    (plain,) = other.summaries("troll-a-1", DAY, DAY)
    assert (plain.samples, plain.counts[Level.CRITICAL], plain.bad) == (142, 36, "1 bad_status")
    assert same_carry(plain.carry, scored_day().carry)


def test_a_stale_memory_loses_the_write_and_reads_again(make_app: Make, unique: str) -> None:
    """What another process wrote is noticed by the conditional write, not before."""
    mine, theirs = make_app(unique).deviations, make_app(unique).deviations
    mine.put(scored_day(1), None)
    stored = theirs.get("troll-a-1", DAY)
    theirs.put(scored_day(2), stored.etag)
    remembered = mine.get("troll-a-1", DAY)
    assert not remembered.fresh
    with pytest.raises(Conflict):
        mine.put(scored_day(3), remembered.etag)
    again = mine.get("troll-a-1", DAY)
    assert again.fresh
    assert again.row is not None
    assert again.row.same_as(scored_day(2))


def test_the_registry_gives_back_what_was_seeded(make_app: Make, unique: str) -> None:
    """Seeding twice writes nothing the second time, and keeps baselines when it replaces."""
    app = make_app(unique)
    platforms = seed_platforms()
    assert seed(app, platforms) == 4 + 10 + 38
    assert seed(app, platforms) == 0
    assert [one.platform for one in app.registry.platforms()] == platforms
    snorre = app.registry.platform("snorre")
    known = snorre.platform.templates[3]
    sensor = known.sensors[1]
    long = history(sensor.id, "v" * 70_000, DAY)  # goes on in further properties
    app.registry.set_history(known, sensor, long, snorre.stored[sensor.id].etag)
    short = history(sensor.id, "v7", DAY)
    tag = app.registry.platform("snorre").stored[sensor.id].etag
    assert app.registry.platform("snorre").history(sensor.id) == long
    app.registry.set_history(known, sensor, short, tag)
    with pytest.raises(Conflict):
        app.registry.set_history(known, sensor, long, tag)
    watermarked(app.registry, known, {"snorre-w-1": datetime(2026, 3, 1, tzinfo=UTC)})
    assert seed(app, platforms, replace=True) == 52
    record = app.registry.platform("snorre")
    assert record.history(sensor.id) == short
    assert not record.history(known.sensors[0].id).changes
    assert app.registry.record(known.id).watermarks(known) == {"snorre-w-1": datetime(2026, 3, 1, tzinfo=UTC)}
    with pytest.raises(NotFound, match="platform 'nowhere'"):
        app.registry.platform("nowhere")


def test_incidents_come_newest_first_and_are_conditional(make_app: Make, unique: str) -> None:
    """A mark is written on what was read; removing twice is as good as once."""
    incidents = make_app(unique).incidents
    for hour in (3, 9, 6):
        incidents.put(incident_at(hour), None, None)
    assert [one.incident.onset.hour for one in incidents.list("troll-a")] == [9, 6, 3]
    stored = incidents.get("troll-a", incident_at(6).onset)
    assert stored is not None
    mark = NotificationState(incident_at(6).onset, "digest", None, incident_at(6).sensors)
    incidents.put(incident_at(6), mark, stored.etag)
    with pytest.raises(Conflict):
        incidents.put(incident_at(6), None, stored.etag)
    again = incidents.get("troll-a", incident_at(6).onset)
    assert again is not None
    assert (again.incident, again.notified) == (incident_at(6), mark)
    incidents.remove(incident_at(6))
    incidents.remove(incident_at(6))
    assert len(incidents.list("troll-a")) == 2


def test_events_are_told_once_and_newest_first(make_app: Make, unique: str) -> None:
    """The same event again changes nothing; the limit takes the newest."""
    events = make_app(unique).events
    stored = [
        Event(
            subject="troll-a", kind="bad_values", at=datetime(2026, 3, day, tzinfo=UTC), about="x", message="it's bad"
        )
        for day in (1, 3, 2, 3)
    ]
    for event in stored:
        events.put(event)
    assert [event.at.day for event in events.list("troll-a")] == [3, 2, 1]
    assert [event.at.day for event in events.list("troll-a", limit=1)] == [3]
    events.remove(stored[1])
    assert [event.at.day for event in events.list("troll-a")] == [2, 1]
    seen = events.get("troll-a", stored[2].id)
    assert seen is not None
    events.put(stored[2].model_copy(update={"message": "changed"}))
    with pytest.raises(Conflict):
        events.remove(stored[2], seen.etag)
    newest = events.get("troll-a", stored[2].id)
    assert newest is not None
    for _ in range(2):
        events.remove(stored[2], newest.etag)
    assert [event.at.day for event in events.list("troll-a")] == [1]


def test_decisions_survive_the_table(make_app: Make, unique: str) -> None:
    """Each is stored once, under its number, which no other takes; each sensor has its own."""
    marks = make_app(unique).marks
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    said = Effect(ok=1, warning=2, critical=3, undefined=4, max_score=2.5)
    mark = Mark(
        sensor="troll-a-1", start=begin, end=begin + timedelta(hours=1), verdict="leak", by="Ø", made=begin, before=said
    )
    behind = begin - timedelta(minutes=5)
    decisions = (
        Decision(1, DAY, mark),
        Decision(2, DAY, Withdrawal(sensor="troll-a-1", mark=mark.id, made=behind)),
        *(
            Decision(3 + wanted, DAY, Undo(sensor="troll-a-1", valid_from=DAY, undone=bool(wanted), made=begin))
            for wanted in (0, 1)
        ),
    )
    for one in reversed(decisions):
        marks.add(one)
    with pytest.raises(Conflict):
        marks.add(Decision(2, DAY, mark))
    assert marks.of("troll-a-1").all == decisions
    assert marks.of("troll-a-1").marks == (mark.model_copy(update={"undone": behind}),)
    assert marks.of("troll-a-2").all == ()


def test_queues_are_counted_also_where_they_do_not_exist_yet(make_app: Make, unique: str) -> None:
    """A poison queue appears with its first message; until then it is empty."""
    app = make_app(unique)
    one = incident_at(3)
    app.messages.critical(
        CriticalMessage(
            platform="troll",
            template="troll-a",
            incident=one.id,
            onset=one.onset,
            at=one.onset,
            sensors=one.sensors,
        )
    )
    app.messages.build_baselines(TEMPLATE)
    lengths = app.messages.lengths()
    assert lengths[f"{unique}-critical"] == 1
    assert lengths[f"{unique}-build"] == 1
    assert lengths[f"{unique}-critical-poison"] == 0


def test_a_request_for_baselines_says_how_far_an_earlier_run_came(make_app: Make, unique: str) -> None:
    """Days come back as they were; a request of nobody before says nothing of them."""
    app = make_app(unique)
    app.messages.build_baselines(TEMPLATE)
    app.messages.build_baselines(TEMPLATE, decided=DAY, scored=date(2026, 2, 1))
    texts = [base64.b64decode(one.content) for one in app.clients.queue(f"{unique}-build").receive_messages()]
    assert b"decided" not in texts[0]
    asked = [BaselineRequest.from_json(text) for text in texts]
    assert [(one.decided, one.scored) for one in asked] == [(None, None), (DAY, date(2026, 2, 1))]


def test_what_failed_waits_or_is_given_up_as_it_is(make_app: Make, unique: str) -> None:
    """On real queues: hidden from others while it is worked on, hidden for the wait, verbatim for a person."""
    app = make_app(unique)
    queue, poison, kept = f"{unique}-critical", f"{unique}-critical-poison", f"{unique}-critical-given-up"
    assert list(app.poison_queues.waiting(poison)) == []  # it is not there
    app.clients.queue(poison).create_queue()
    app.clients.plain_queue(poison).send_message("no base64!")
    (message,) = app.poison_queues.waiting(poison)
    assert (message.queue, message.content) == (poison, "no base64!")
    assert list(app.poison_queues.waiting(poison)) == []
    app.poison_queues.copy(message, kept)
    app.poison_queues.remove(message)
    app.poison_queues.remove(message)
    assert [one.content for one in app.poison_queues.waiting(kept)] == ["no base64!"]
    app.poison_queues.put(queue, "{}", timedelta(hours=3))
    assert list(app.poison_queues.waiting(queue)) == []
    assert app.poison_queues.lengths([queue, poison, kept]) == {queue: 1, poison: 0, kept: 1}


def test_the_short_connection_string_is_expanded() -> None:
    """Core Tools' shorthand works for every client."""
    assert "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1" in expand("UseDevelopmentStorage=true")
    assert expand("AccountName=x") == "AccountName=x"
