"""The largest row that each table may have to hold: a property takes 64 KiB, a row 1 MiB."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.tables.compact_history import compact, expanded
from shared.adapters.tables.registry_rows import LONGEST_PLAIN, history_entity, history_of
from shared.bootstrap import Bootstrap
from shared.domain.baseline_history import BaselineHistory, Change, DayRange, Recipe, derive
from shared.domain.decisions import Decision, Decisions
from shared.domain.deviation import Latest, Level
from shared.domain.event import LONGEST, note
from shared.domain.ingest_state import IngestState, SeriesState
from shared.domain.mark import MOST_MARKS, Effect, Mark
from shared.domain.template import MOST_LEAK_POINTS, Point, Sensor, Template
from shared.ports import NotificationState
from tests.support.examples import DAY, at, incident_at, platform, scored_day, template

Make = Callable[..., Bootstrap]
WIDE = "\U00010348"  # a letter of four bytes
MOST_SENSORS = 100


def largest_template() -> Template:
    """Return a template with as many sensors and leak points as there may be, under the longest names."""
    one = template()
    sensors = tuple(
        Sensor(id=f"{one.id}-{n}", number=n, tag=f"{n:03d}{WIDE * 61}", name=WIDE * 64, x=99.123, y=-99.123, z=99.123)
        for n in range(900, 900 + MOST_SENSORS)
    )
    points = tuple(Point(name=f"{n:03d}{WIDE * 61}", x=1.234, y=-1.234, z=1.234) for n in range(MOST_LEAK_POINTS))
    return one.model_copy(update={"sensors": sensors, "leak_points": points})


def marked(sensor: str, count: int) -> tuple[Change, ...]:
    """Return the changes that so many "no leak" marks on as many days lead to, on days with many gaps."""
    none = Effect(ok=0, warning=0, critical=0, undefined=0, max_score=None)
    days = [date(2020, 1, 5) + timedelta(days=n) for n in range(count)]
    marks = tuple(
        Mark(sensor=sensor, start=at(day, 2), end=at(day, 4), verdict="no_leak", by="A", made=at(day, 12), before=none)
        for day in days
    )
    gaps = tuple(DayRange(days[0] - timedelta(days=2 * n), days[0] - timedelta(days=2 * n)) for n in range(200, 0, -1))
    built = Change(
        valid_from=date(2020, 1, 1), reason="built", recipe=Recipe(source=sensor, days=gaps), version="0" * 16
    )
    found = derive(
        sensor, (built,), {sensor: Decisions(tuple(Decision(number, DAY, one) for number, one in enumerate(marks, 1)))}
    )
    return tuple(one.model_copy(update={"version": "0123456789abcdef"}) for one in found)


@pytest.mark.azurite
def test_the_registry_holds_the_largest_platform_and_what_is_known_of_it(make_app: Make, unique: str) -> None:
    """A hundred sensors and leak points, watermarks and newest samples of all."""
    app, one = make_app(unique), largest_template()
    sensors = {sensor.id for sensor in one.sensors}
    app.registry.change(None, platform(one))
    moments = {name: at(DAY) for name in ("until", "begin", "anew", "since")}
    full = SeriesState(tag=WIDE * 64, source_id=str(UUID(int=0)), problem=WIDE * 200, **moments)
    state = IngestState(series=dict.fromkeys((*sensors, "current_speed"), full), looked_back=at(DAY), failed=at(DAY))
    app.registry.set_ingested(one, state, None)
    newest = Latest(
        at=at(DAY), level=Level.CRITICAL, score=1 / 3, ppmv=1 / 7, since=at(DAY), fault=4, channel=5, raw=1 / 9
    )
    app.registry.set_latest(one, dict.fromkeys(sensors, newest), None)
    found = app.registry.record(one.id)
    assert found.platform.templates == (one,)
    assert found.latest == dict.fromkeys(sensors, newest)
    assert found.ingested[one.id] == state


@pytest.mark.azurite
@pytest.mark.parametrize("count", [150, MOST_MARKS])
def test_a_history_of_as_many_marks_as_there_may_be_is_written(make_app: Make, unique: str, count: int) -> None:
    """Each of them is in the recipe of every later change; the row names each once."""
    app, one = make_app(unique), template()
    app.registry.change(None, platform(one))
    sensor, stored = one.sensors[0], app.registry.platform("troll").stored
    known = BaselineHistory(changes=marked(sensor.id, count), decisions=f"{sensor.id}:{'0' * 16}")
    assert len(known.changes) == count + 1
    app.registry.set_history(one, sensor, known, stored[sensor.id].etag)
    assert app.registry.platform("troll").history(sensor.id).changes == known.changes


def test_a_short_history_is_written_as_the_release_before_reads_it() -> None:
    """Only what it could not have stored has the other form."""
    one = template()
    short = history_entity(one, one.sensors[0], BaselineHistory(changes=marked(one.sensors[0].id, 3)))
    assert '"spans"' not in short["baselines_0"]
    long = BaselineHistory(changes=marked(one.sensors[0].id, 150))
    row = history_entity(one, one.sensors[0], long)
    assert row["baselines"] * 30_000 < LONGEST_PLAIN
    assert history_of(row).changes == long.changes


SPANS = st.lists(st.lists(st.integers(0, 9).map(str), min_size=2, max_size=2), max_size=6)
RECIPES = st.fixed_dictionaries({"source": st.just("a"), "days": SPANS}, optional={"put_in": SPANS, "kept_out": SPANS})
HISTORIES = st.fixed_dictionaries(
    {}, optional={"kept": st.just("x"), "changes": st.lists(st.fixed_dictionaries({"recipe": RECIPES}), max_size=5)}
)


@given(HISTORIES)
def test_a_compact_history_says_the_same(body: dict[str, object]) -> None:
    """Whatever repeats, and in whatever order."""
    assert expanded(compact(body)) == {"changes": [], **body}
    assert expanded(body) == body


@pytest.mark.azurite
def test_the_other_tables_hold_their_largest_rows(make_app: Make, unique: str) -> None:
    """Incidents of a hundred sensors, events and marks with the longest texts, days full of numbers."""
    app, one = make_app(unique), largest_template()
    sensors = tuple(sensor.id for sensor in one.sensors)
    incident = incident_at(3).model_copy(update={"sensors": sensors})
    app.incidents.put(incident, NotificationState(at(DAY), "0" * 64, at(DAY), sensors), None)
    assert app.incidents.list(one.id)[0].incident == incident
    told = note(one.id, at(DAY), WIDE * 100, WIDE * LONGEST)
    app.events.put(told)
    assert app.events.list(one.id) == (told,)
    effect = Effect(ok=1, warning=1, critical=1, undefined=1, max_score=1 / 3)
    begin, end = at(DAY), at(DAY) + timedelta(days=31)
    mark = Mark(
        sensor=sensors[0],
        start=begin,
        end=end,
        verdict="leak",
        by=WIDE * 100,
        note=WIDE * 1000,
        made=end,
        before=effect,
    )
    app.marks.add(Decision(1, DAY, mark))
    assert app.marks.of(sensors[0]).marks == (mark,)
    day = scored_day()
    app.deviations.put(day, None)
    assert len(app.deviations.range(day.sensor, DAY, DAY)) == 1
