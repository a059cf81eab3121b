"""Four years later: what is older than it is kept is gone, what something rests on is not, and people are told so."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from admin.manage import seed, seed_platforms
from local.azurite import Azurite
from local.process import HostProcess
from shared.bootstrap import Bootstrap
from shared.domain.journal import Evidence, JournalEntry
from shared.errors import NotFound, SettingsError
from shared.settings import load_settings
from shared.usecases.queries.series import Resolution, TimeRange
from tests.conftest import environment
from tests.support.filled import DAYS, NOW, QUIET, SENSOR, TEMPLATE, fill

pytestmark = [pytest.mark.azurite]

Make = Callable[..., Bootstrap]

LATER = datetime(2030, 3, 4, 12, tzinfo=UTC)
KEPT = {"RETENTION__SCORED_DAYS": "400", "RETENTION__EVENT_DAYS": "400", "RETENTION__INCIDENT_DAYS": "400"}
SENSORS = [f"{TEMPLATE}-{number}" for number in (1, 2, 3, 4)]


@pytest.fixture
def later(make_app: Make, unique: str) -> Callable[..., Bootstrap]:
    """Return a function that gives, some time later, an app on three days with an incident, a mark and a note."""
    app = make_app(unique, AS_OF=NOW.isoformat())
    fill(app)
    app.notes.add(TEMPLATE, "looked at by ROV", "A. Person")
    assert not app.incidents.open_ones()
    return lambda now=LATER, **more: make_app(unique, AS_OF=now.isoformat(), **more)


def scored(app: Bootstrap) -> set[date]:
    """Return the days of which there is a row."""
    return {one.day for sensor in SENSORS for one in app.deviations.summaries(sensor, date.min, date.max)}


def told(app: Bootstrap) -> set[str]:
    """Return the kinds of the template's events."""
    return {one.kind for one in app.events.list(TEMPLATE)}


def count(app: Bootstrap, table: str) -> int:
    """Return how many rows a table that is backed up has."""
    return sum(1 for _ in app.stored_rows.rows(table))


def test_what_is_too_old_goes_and_what_people_said_stays(later: Callable[..., Bootstrap]) -> None:
    """Scores, events, the incident; not the lake, alarms, marks, notes, the journal; and once is enough."""
    app = later(**KEPT)
    before = {name: count(app, name) for name in ("journal", "alarms", "marks", "registry")}
    template = app.registry.platform("snorre").platform.templates[0]
    assert "incident_opened" in told(app)
    removed = app.remove_old.run()
    assert (removed.incidents, removed.ended) == (1, True)
    assert removed.scored_days
    assert scored(app) == set()
    assert not app.incidents.list(TEMPLATE)
    assert not app.estimations.list(TEMPLATE, limit=10)
    assert told(app) == {"note"}
    assert {name: count(app, name) for name in before} == before
    assert [one for one in app.registry.platform("snorre").platform.templates if app.lake.days(one)]
    assert template.id
    again = app.remove_old.run()
    assert not any((again.scored_days, again.events, again.incidents, again.entries, again.corrupt))


def test_what_was_removed_is_not_made_again_nor_taken_back(later: Callable[..., Bootstrap]) -> None:
    """The daily run scores no day that is older than it is kept, and says of no alarm that it was none."""
    app = later(**KEPT)
    app.remove_old.run()
    before = count(app, "journal")
    (alarm,) = app.alarms_table.list("snorre", limit=10)
    assert app.build_baselines.run() == {}
    app.remove_orphans.run()
    assert scored(app) == set()
    assert not app.incidents.list(TEMPLATE)
    assert app.alarms_table.get(alarm.alarm.incident.id) == alarm
    assert count(app, "journal") == before


def test_what_an_incident_rests_on_stays_with_it(later: Callable[..., Bootstrap]) -> None:
    """Where incidents are kept for ever, so are the days around them, and what was told of both."""
    app = later(RETENTION__SCORED_DAYS="400", RETENTION__EVENT_DAYS="400")
    before = scored(app)
    assert before == set(DAYS)
    app.remove_old.run()
    assert scored(app) == before
    assert app.incidents.list(TEMPLATE)
    assert {"incident_opened", "estimation", "note"} <= told(app)


def test_an_incident_that_goes_on_stays_whatever_its_age(later: Callable[..., Bootstrap]) -> None:
    """And so does every day since."""
    app = later(**KEPT)
    (stored,) = app.incidents.list(TEMPLATE)
    goes_on = stored.incident.model_copy(update={"closed": None})
    app.incidents.put(goes_on, stored.notified, stored.etag, stored.told)
    removed = app.remove_old.run()
    assert (removed.incidents, removed.scored_days) == (0, 0)
    assert scored(app) == set(DAYS)


def test_nothing_goes_unless_a_setting_says_so(later: Callable[..., Bootstrap]) -> None:
    """But for the journal, after ten years."""
    app = later()
    rows = {name: count(app, name) for name in ("events", "journal", "incidents")}
    app.remove_old.run()
    assert {name: count(app, name) for name in rows} == rows
    assert scored(app) == set(DAYS)


def test_the_journal_keeps_for_ten_years_and_then_what_stands(later: Callable[..., Bootstrap]) -> None:
    """What a topic said last stays; its older entries and events go; an alarm that stands keeps its own."""
    app = later(NOW + timedelta(days=3654 + 10))
    (alarm,) = (one.alarm for one in app.alarms_table.list("snorre", limit=10))
    topic = f"alarm:{alarm.incident.id}"
    before = app.journal_table.topic("snorre", topic)
    assert alarm.acknowledged is None, "nobody has seen it: it stands"
    events = app.journal_table.topics("snorre", "event:")
    assert events
    assert app.remove_old.run().entries
    assert app.journal_table.topic("snorre", topic) == before
    assert not app.journal_table.topics("snorre", "event:")
    app.alarms.acknowledge(alarm.incident.id, "A. Person", "", lambda _: None)
    if any(one.alarm.incident.id == alarm.incident.id for one in app.alarms_table.standing()):
        pytest.fail("it is over and seen")
    app.remove_old.run()
    (last,) = app.journal_table.topic("snorre", topic)
    assert last.kind == "alarm_acknowledged"
    assert app.remove_old.run().entries == 0


def test_of_a_topic_with_many_old_entries_the_last_one_stays_alone(make_app: Make, unique: str) -> None:
    """However many pieces it takes to remove the others."""
    app = make_app(unique, AS_OF=LATER.isoformat(), RETENTION__JOURNAL_DAYS="366")
    seed(app, [one for one in seed_platforms() if one.id == "snorre"])
    for number in range(250):
        moment = NOW + timedelta(minutes=number)
        entry = JournalEntry(
            platform="snorre",
            subject=TEMPLATE,
            topic=f"level:{SENSOR}",
            number=number,
            kind="level",
            said=moment,
            at=moment,
            about=SENSOR,
            message="Ok",
        )
        app.journal_table.append(entry, Evidence(state="{}"))
    assert app.remove_old.run().entries == 249
    assert [one.number for one in app.journal_table.topic("snorre", f"level:{SENSOR}")] == [249]
    assert app.remove_old.run().entries == 0


def test_a_run_without_time_is_gone_on_with(later: Callable[..., Bootstrap], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run removes something; in the end the same is gone."""
    app = later(**KEPT)
    monkeypatch.setattr("shared.usecases.keep.remove_old.AT_ONCE", 1)
    object.__setattr__(app.remove_old, "budget", timedelta(0))
    runs = 1
    while not app.remove_old.run().ended:
        runs += 1
        assert runs < 100
    assert runs > 5
    assert scored(app) == set()
    assert told(app) == {"note"}


def test_unreadable_blobs_go_after_a_while(later: Callable[..., Bootstrap]) -> None:
    """By when they were put aside."""
    app = later(RETENTION__CORRUPT_DAYS="30")
    aside = app.clients.container(app.settings.storage.corrupt_container)
    aside.upload_blob("snorre/w/2026-03-01.json.1", b"{")
    later(datetime.now(UTC) + timedelta(days=29), RETENTION__CORRUPT_DAYS="30").remove_old.run()
    assert len(list(aside.list_blob_names())) == 1
    later(datetime.now(UTC) + timedelta(days=32), RETENTION__CORRUPT_DAYS="30").remove_old.run()
    assert not list(aside.list_blob_names())


def test_answers_say_that_older_rows_were_deleted(later: Callable[..., Bootstrap]) -> None:
    """A range that begins before says since when all is kept; an incident that is gone, for how long they are."""
    app = later(**KEPT)
    span = TimeRange(NOW - timedelta(days=2), NOW)
    (stored,) = app.incidents.list(TEMPLATE)
    app.remove_old.run()
    since = LATER.date() - timedelta(days=400)
    raw = app.series_queries.scores(SENSOR, span, Resolution(), None)
    assert (raw.kept_since, raw.times) == (since, [])
    daily: Any = app.series_queries.scores(SENSOR, span, Resolution.parse("1d"), None)
    assert (daily.kept_since, set(daily.level), sum(daily.ok)) == (since, {"Undefined"}, 0)
    assert app.series_queries.readings(SENSOR, span, Resolution(), None).kept_since == since
    recent = TimeRange(LATER - timedelta(days=2), LATER)
    assert app.series_queries.scores(SENSOR, recent, Resolution(), None).kept_since is None
    assert app.incident_views.incident(stored.incident.id).alarm is not None, "what was said of it is still shown"
    with pytest.raises(NotFound, match="incidents that are over are kept for 400 days, older ones are deleted"):
        app.incident_views.incident(f"{TEMPLATE}-20260101T0000Z")


@pytest.mark.slow
def test_pages_say_how_long_rows_are_kept(
    later: Callable[..., Bootstrap], azurite: Azurite, unique: str, tmp_path: Path
) -> None:
    """On each page, below; and nothing where all is kept."""
    later(**KEPT).remove_old.run()
    for more, expected in ((KEPT, True), ({}, False)):
        values = environment(azurite.connection_string, unique, AS_OF=LATER.isoformat(), **more)
        with HostProcess({**values, **QUIET}, log=tmp_path / "host.log") as host:
            for page in ("overview", f"templates/{TEMPLATE}", f"sensors/{SENSOR}", "alarms", "journal"):
                answer = requests.get(f"{host.url}/{page}", timeout=60)
                assert answer.ok, answer.text[:300]
                said = "Readings and scores of sensors are kept for 400 days, older ones are deleted." in answer.text
                assert said is expected, page


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"scored_days": 100}, "RETENTION__SCORED_DAYS must be at least 262"),
        ({"incident_days": 400}, "RETENTION__INCIDENT_DAYS needs"),
        ({"scored_days": 800, "incident_days": 400}, "RETENTION__INCIDENT_DAYS needs"),
        ({"journal_days": 30}, "RETENTION__JOURNAL_DAYS must be at least 366"),
    ],
)
def test_settings_that_would_undo_each_other_are_refused(values: dict[str, int], why: str) -> None:
    """Baselines are chosen by scored days, and scored days find their incidents again."""
    common = {"ingest_schedule": "0 0 0 1 1 *", "baselines_schedule": "0 0 0 1 1 *"}
    with pytest.raises(SettingsError, match=why):
        load_settings(
            AzureWebJobsStorage="UseDevelopmentStorage=true",
            omnia={"base_url": "http://127.0.0.1:9"},
            retention=values,
            **common,
        )
