"""What pages say and draw, without a browser: sentences, numbers, how a template is, where things are."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.pages.drawing import CellAxis, elevation, from_north, plan
from functions.pages.moments import timed
from functions.pages.render import render, worst
from functions.pages.words import overview_level, overview_sentence, sentence, unwatched
from shared.detection import Fault
from shared.domain.deviation import Latest, Level
from shared.domain.estimation import Estimation, Interval, OnsetInterval, PlaceProbability
from shared.domain.estimation_words import counted, digits, kilograms, per_hour, per_second, percent, utc_text
from shared.domain.suppression import Suppression, SuppressionKind, suppression_id
from shared.ports import PlatformRecord, StoredHistory
from shared.usecases.health.gaps import Gap, Reason
from shared.usecases.queries.template_status import (
    ALARM,
    FAULT,
    FINE,
    STALE_DATA,
    UNSCORED,
    WARNING,
    TemplateStatus,
    status_of,
)
from tests.support.examples import DAY, NOW, at, history, incident_at, platform, read_until, template

TEMPLATE = template()
PLATFORM = platform(TEMPLATE)


def place(x: float, y: float, z: float, probability: float, name: str = "") -> PlaceProbability:
    """Return a cell or a point."""
    return PlaceProbability(name=name, x=x, y=y, z=z, probability=probability)


def answer(**more: Any) -> Estimation:
    """Return an answer that says that it leaks."""
    rate = Interval(median=1e-5, low_50=8e-6, high_50=2e-5, low_90=5e-6, high_90=4e-5)
    values: dict[str, Any] = {
        "verdict": "CONFIRMED",
        "probability": 0.98,
        "log_bayes_factor": 5.0,
        "place": place(1, 2, 3, 0.4),
        "nearest_leak_point": place(3, 0, 2, 0.2, "P1"),
        "location_error_m": 1.5,
        "dissolved_rate_kg_s": rate,
        "total_rate_kg_s": rate,
        "onset": OnsetInterval(median=at(DAY, 5), low_90=at(DAY, 4), high_90=at(DAY, 6)),
        "sensors": ("troll-a-1", "troll-a-2"),
        "samples": 100,
        "environment": "currents measured",
    }
    return Estimation(**values | more)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "Its cause is being estimated."),
        (
            answer(),
            "Methane leaks at Troll A, at x 1.0 m, y 2.0 m, z 3.0 m, within 1.5 m, since about 1 Mar 2026 05:00",
        ),
        (answer(), ": 36 g/h dissolved (90 %: 18 g/h to 144 g/h). The incident is ongoing."),
        (answer(nearest_leak_point=place(3, 0, 2, 0.9, "P1")), ", near P1 (probability 90 %), since"),
        (answer(verdict="UNDEFINED", probability=0.3), "are inconclusive: probability of a leak here 30 %."),
        (
            answer(verdict="EXTERNAL_CAUSE", probability=0.0, probability_external=0.97),
            "(probability 97 %); no leak here.",
        ),
    ],
)
def test_an_incident_is_one_sentence(found: Estimation | None, words: str) -> None:
    """What, where, since when, how much; or that nobody knows yet."""
    assert words in sentence(PLATFORM, TEMPLATE, incident_at(6), found)


def test_what_is_over_is_told_as_past() -> None:
    """A closed incident leaked, and says when it ended."""
    over = incident_at(6).model_copy(update={"closed": at(DAY, 20)})
    text = sentence(PLATFORM, TEMPLATE, over, answer())
    assert text.startswith("Methane leaked at Troll A")
    assert text.endswith("The incident ended 1 Mar 2026 20:00 UTC.")


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "over 99 %"), (0.995, "over 99 %"), (0.5, "50 %"), (0.004, "under 1 %"), (0.0, "under 1 %")],
)
def test_no_probability_is_said_to_be_certain(share: float, text: str) -> None:
    """Neither nought nor one."""
    assert percent(share) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(1e-5, "36 g/h"), (1e-3, "3600 g/h"), (2.9e-7, "1.0 g/h"), (1.0, "3600000 g/h"), (0.0, "0 g/h")]
)
def test_rates_are_told_by_the_hour(rate: float, text: str) -> None:
    """In one unit however large, with two digits."""
    assert per_hour(rate) == text


def test_details_are_in_si() -> None:
    """Rates per second, masses in kilograms however small."""
    assert [per_second(one) for one in (1.6e-5, 1.0, 0.0)] == ["1.6·10⁻⁵ kg/s", "1.0·10⁰ kg/s", "0 kg/s"]
    assert [kilograms(one) for one in (0.034, 12.3)] == ["0.034 kg", "12 kg"]


def test_one_is_not_many() -> None:
    """Of nothing there are many, too."""
    assert [counted(one, "sensor") for one in (0, 1, 2)] == ["0 sensors", "1 sensor", "2 sensors"]
    alone = template(sensors=1)
    state = status_of(PlatformRecord(platform(alone)), alone, NOW, None, None)
    assert overview_sentence([state]).endswith("0 of 1 sensor is watched.")
    assert unwatched(state).startswith("0 of 1 sensor is watched. Never read: sensor 1")


def test_moments_in_a_sentence_are_marked_as_such() -> None:
    """So that a page tells them in the reader's zone; the rest is escaped, and what is no moment stays."""
    said = timed("<b>Ended 3 Mar 2026 05:00 UTC</b>, last 2026-03-02T23:10:00Z; not 99 Mar 2026 05:00 UTC, 2026-03-02")
    assert str(said) == (
        '&lt;b&gt;Ended <time datetime="2026-03-03T05:00:00Z">3 Mar 2026 05:00 UTC</time>&lt;/b&gt;, last '
        '<time datetime="2026-03-02T23:10:00Z">2 Mar 2026 23:10 UTC</time>; not 99 Mar 2026 05:00 UTC, 2026-03-02'
    )


@given(st.floats(1e-9, 1e9), st.integers(1, 4))
def test_numbers_keep_their_significant_digits(value: float, significant: int) -> None:
    """Read back, they are as near as so many digits allow."""
    assert float(digits(value, significant)) == pytest.approx(value, rel=0.6 * 10 ** (1 - significant))
    assert "e" not in digits(value, significant)


def test_what_a_person_wrote_is_shown_and_never_run() -> None:
    """Everything that goes into a page is escaped."""
    problem = {"title": "<script>alert(1)</script>", "detail": '"><img src=x>', "status": 400, "invocationId": "an-id"}
    page = render("problem.html", {"problem": problem})
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


# --- how a template is


def record(**levels: Level) -> PlatformRecord:
    """Return a platform whose sensors had these levels ten minutes ago; both can be scored."""
    latest = {
        f"troll-a-{name[1:]}": Latest(
            at=NOW - timedelta(minutes=10), level=level, score=1.0, ppmv=5.0, fault=0, since=NOW - timedelta(hours=2)
        )
        for name, level in levels.items()
    }
    stored = {one.id: StoredHistory(history(one.id, "v", DAY), "t") for one in TEMPLATE.sensors}
    ingested = {TEMPLATE.id: read_until(TEMPLATE, NOW)}
    return PlatformRecord(PLATFORM, ingested=ingested, stored=stored, latest=latest)


@pytest.mark.parametrize("levels", [{"s1": Level.OK}, {"s1": Level.OK, "s2": Level.UNDEFINED}])
def test_one_ok_sensor_makes_no_template_ok(levels: dict[str, Level]) -> None:
    """Its level is Ok only where all of its sensors are; how many are watched is said, and what keeps the others."""
    state = status_of(record(**levels), TEMPLATE, NOW, None, None)
    assert (state.level, state.watched) == (Level.UNDEFINED, 1)
    assert state.urgency < FINE
    assert list(state.reasons.values()) == [("troll-a-2",)]
    assert re.fullmatch(r"1 of 2 sensors is watched\. (Not scored|No level): sensor 2\.", unwatched(state))


def test_what_is_not_watched_is_said_by_why() -> None:
    """Sensors by their numbers, the sea as one where all of it is missing; nothing where all is watched."""
    seen = record(s1=Level.OK, s2=Level.OK)
    assert unwatched(status_of(seen, TEMPLATE, NOW, None, None)) == ""
    bare = PlatformRecord(PLATFORM)
    words = "0 of 2 sensors are watched. Never read: sensors 1, 2, the sea."
    assert unwatched(status_of(bare, TEMPLATE, NOW, None, None)) == words
    alone = TEMPLATE.model_copy(update={"sensors": ()})
    assert unwatched(status_of(bare, alone, NOW, None, None)) == "It has no sensors: nothing is watched."


def test_an_old_ok_is_none_and_an_old_alarm_is_one() -> None:
    """What nobody has looked at for half an hour says nothing of now; an alarm stays until it is heard to be over."""
    old = record(s1=Level.OK, s2=Level.CRITICAL)
    state = status_of(old, TEMPLATE, NOW + timedelta(hours=1), None, None)
    assert [one.level for one in state.sensors] == [Level.UNDEFINED, Level.CRITICAL]
    assert [one.since for one in state.sensors] == [NOW, NOW - timedelta(hours=2)]
    assert state.watched == 0


def test_sensors_at_one_place_are_drawn_ok_only_where_both_are() -> None:
    """One of them that says nothing is seen."""
    assert worst(("a", "b"), {"a": "Ok", "b": "Undefined"}) == "Undefined"
    assert worst(("a", "b"), {"a": "Ok", "b": "Ok"}) == "Ok"


def test_the_worst_sensor_is_how_a_template_is() -> None:
    """Its level and since when; counts of all."""
    state = status_of(record(s1=Level.OK, s2=Level.WARNING), TEMPLATE, NOW, None, None)
    assert (state.level, state.since, state.urgency) == (Level.WARNING, NOW - timedelta(hours=2), WARNING)
    assert state.counts == {Level.OK: 1, Level.WARNING: 1}


def test_a_template_is_ok_since_all_of_its_sensors_are() -> None:
    """One that came back yesterday says that there was something else the day before; of an alarm the first counts."""
    for level, since in ((Level.OK, 2), (Level.WARNING, 90)):
        seen = record(s1=level, s2=level)
        first = seen.latest["troll-a-1"].model_copy(update={"since": NOW - timedelta(hours=90)})
        seen.latest["troll-a-1"] = first  # type: ignore[index]
        assert status_of(seen, TEMPLATE, NOW, None, None).since == NOW - timedelta(hours=since)


@pytest.mark.parametrize(
    ("levels", "later", "urgency"),
    [
        ({"s1": Level.OK, "s2": Level.OK}, timedelta(0), FINE),
        ({"s1": Level.CRITICAL, "s2": Level.OK}, timedelta(0), ALARM),
        ({"s1": Level.OK, "s2": Level.OK}, timedelta(minutes=31), STALE_DATA),
        ({"s1": Level.UNDEFINED, "s2": Level.UNDEFINED}, timedelta(0), UNSCORED),
        ({"s1": Level.OK}, timedelta(0), STALE_DATA),  # a sensor that should speak, and never did
    ],
)
def test_what_is_wrong_has_an_order(levels: dict[str, Level], later: timedelta, urgency: int) -> None:
    """An alarm before a warning before a fault before silence before what cannot be scored."""
    assert status_of(record(**levels), TEMPLATE, NOW + later, None, None).urgency == urgency
    assert ALARM < WARNING < FAULT < STALE_DATA < UNSCORED < FINE


def statuses(*levels: dict[str, Level], later: timedelta = timedelta(0)) -> list[TemplateStatus]:
    """Return templates whose sensors had these levels ten minutes, and ``later``, ago."""
    return [status_of(record(**one), TEMPLATE, NOW + later, None, None) for one in levels]


OK = {"s1": Level.OK, "s2": Level.OK}
WARNED = {"s1": Level.OK, "s2": Level.WARNING}
HALF = {"s1": Level.OK}


@pytest.mark.parametrize(
    ("states", "level", "words"),
    [
        (statuses(OK, OK), Level.OK, "No template is in alarm."),
        (
            statuses(OK, HALF),
            Level.UNDEFINED,
            "No template is in alarm; 1 of 2 needs attention; 3 of 4 sensors are watched.",
        ),
        (
            statuses(HALF, {}),
            Level.UNDEFINED,
            "No alarm is known, but most is not watched; 2 of 2 need attention; 1 of 4 sensors is watched.",
        ),
        (
            statuses(OK, OK, later=timedelta(minutes=31)),
            Level.UNDEFINED,
            "No alarm is known, but most is not watched; 2 of 2 need attention; 0 of 4 sensors are watched.",
        ),
        (statuses(OK, WARNED), Level.WARNING, "No template is in alarm; 1 of 2 needs attention."),
        (
            statuses(OK, {"s1": Level.UNDEFINED, "s2": Level.UNDEFINED}, OK),
            Level.UNDEFINED,
            "No template is in alarm; 1 of 3 cannot be scored in full yet; 4 of 6 sensors are watched.",
        ),
        (
            statuses({"s1": Level.CRITICAL}, {}),
            Level.CRITICAL,
            "1 of 2 templates has an open incident or a Critical sensor; 1 of 4 sensors is watched.",
        ),
    ],
)
def test_the_overview_says_the_worst_of_level_coverage_and_age(
    states: list[TemplateStatus], level: Level, words: str
) -> None:
    """In a sign and a sentence; where most is not watched it does not say that nothing is in alarm."""
    assert (overview_level(states, ()), overview_sentence(states)) == (level, words)


def test_a_sea_that_nobody_watches_keeps_the_overview_from_ok() -> None:
    """Its sensors are Ok and watched; without the currents detection hears less."""
    (state,) = statuses(OK)
    silent = replace(state, gaps={"current_speed": Gap(Reason.SILENT, NOW)})
    assert overview_level([silent], ()) is Level.UNDEFINED
    assert overview_sentence([silent]) == "No template is in alarm; 1 of 1 needs attention."


LEVELS = st.dictionaries(st.sampled_from(["s1", "s2"]), st.sampled_from(Level))


@given(st.lists(LEVELS, min_size=1, max_size=3), st.sampled_from([0, 15, 25, 300]), st.booleans())
def test_ok_is_said_only_where_all_is_watched_and_of_now(levels: list[dict[str, Level]], old: int, read: bool) -> None:
    """Of a card, and of all of them; what cannot be read is not Ok either."""
    states = statuses(*levels, later=timedelta(minutes=old))
    for one, given_levels in zip(states, levels, strict=True):
        assert (one.level is Level.OK) == (given_levels == OK and old < 20)
    every = all(one.level is Level.OK for one in states) and read
    assert (overview_level(states, () if read else ("troll",)) is Level.OK) == every


def test_an_open_incident_alarms_whatever_the_sensors_read_now() -> None:
    """They may be clear for a while before it is over."""
    state = status_of(record(s1=Level.OK, s2=Level.OK), TEMPLATE, NOW, incident_at(6), None)
    assert state.urgency == ALARM


def test_a_faulty_sensor_wants_a_look() -> None:
    """Also when it would be Ok."""
    seen = record(s1=Level.OK, s2=Level.OK)
    seen.latest["troll-a-1"] = seen.latest["troll-a-1"].model_copy(update={"fault": int(Fault.STUCK)})  # type: ignore[index]
    state = status_of(seen, TEMPLATE, NOW, None, None)
    assert (state.urgency, [one.sensor.number for one in state.faulty]) == (FAULT, [1])


# --- drawings


def test_a_plan_is_to_scale_with_fore_upwards() -> None:
    """A picture's second coordinate grows downwards; nothing lies outside of it."""
    found = plan(TEMPLATE, None)
    first = TEMPLATE.sensors[0]
    assert (found.sensors[0].x, found.sensors[0].y, found.sensors[0].ids) == (first.x, -first.y, (first.id,))
    fore = next(one for one in found.sides if one.name == "fore")
    assert (fore.y1, fore.x1, fore.x2) == (-TEMPLATE.length / 2, -TEMPLATE.width / 2, TEMPLATE.width / 2)
    for marker in (*found.points, *found.sensors):
        assert found.left <= marker.x <= found.left + found.width
        assert found.top <= marker.y <= found.top + found.height


def test_what_stands_behind_another_is_drawn_as_one() -> None:
    """Seen from aft two sensors at one place carry both numbers, and the worse level."""
    behind = TEMPLATE.sensors[0].model_copy(update={"id": "troll-a-3", "number": 3, "y": 4.0})
    found = elevation(TEMPLATE.model_copy(update={"sensors": (*TEMPLATE.sensors, behind)}), None)
    both = next(one for one in found.sensors if len(one.ids) > 1)
    assert (both.name, both.ids) == ("1, 3", ("troll-a-1", "troll-a-3"))
    assert worst(both.ids, {"troll-a-1": "Ok", "troll-a-3": "Critical"}) == "Critical"
    assert worst(both.ids, {}) == "Undefined"


def test_the_map_adds_up_what_lies_above_each_other() -> None:
    """Cells of one column are one; the likeliest is the darkest; half of the probability is inside the inner line."""
    cells = (place(1, 1, 1, 0.5), place(1, 1, 2, 0.2), place(2, 1, 1, 0.2))
    found = plan(TEMPLATE, answer(places=cells))
    assert [(round(one.x, 2), round(one.y, 2), one.width) for one in found.cells] == [
        (0.5, -1.5, 1.0),
        (1.5, -1.5, 1.0),
    ]
    assert found.cells[0].share == 1.0
    assert found.region_50.count("M") == 4  # around one cell
    assert found.region_90.count("M") == 6  # around both, without the edge between them
    assert found.target is not None
    assert plan(TEMPLATE, None).region_90 == ""


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=20), st.floats(0.1, 2), st.floats(-5, 5))
def test_an_axis_finds_its_cells_again(indices: list[int], step: float, first: float) -> None:
    """Whatever the cells' size and offset, neighbours have neighbouring numbers, and edges lie half-way."""
    values = sorted({first + one * step for one in (*indices, 0, 1)})
    axis = CellAxis.of([place(one, 0, 0, 0.1) for one in values], "x")
    assert axis.step == pytest.approx(step, abs=2e-3)
    for value in values[:2]:
        assert axis.edge(axis.index(value)) == pytest.approx(value - axis.step / 2, abs=0.02)


def test_arrows_turn_with_the_template() -> None:
    """A template that heads east has north at its port side."""
    heading_east = TEMPLATE.model_copy(update={"angle_from_north": 90.0})
    assert from_north(heading_east, 0) == 270
    assert from_north(heading_east, 90) == 0
    assert utc_text(NOW) == "5 Mar 2026 12:00 UTC"


def test_a_sensor_that_is_out_of_service_is_neither_watched_nor_ok() -> None:
    """Whatever it reads, and whatever is wrong with it; its template is not Ok either."""
    out = suppressed("out_of_service", "troll-a-2")
    for level in (Level.OK, Level.CRITICAL):
        state = status_of(record(s1=Level.OK, s2=level), TEMPLATE, NOW, None, None, [out])
        second = state.sensors[1]
        assert (second.level, second.since, second.out_of_service) == (Level.UNDEFINED, NOW - timedelta(hours=1), out)
        assert (state.watched, state.level, state.gaps) == (1, Level.UNDEFINED, {})
        assert overview_level([state], ()) is Level.UNDEFINED
        assert "1 of 2 sensors is watched" in overview_sentence([state])
    later = status_of(record(s1=Level.OK, s2=Level.OK), TEMPLATE, NOW + timedelta(minutes=10), None, None, [out])
    assert (later.watched, later.level) == (2, Level.OK)


def test_a_template_knows_what_is_in_force_and_what_is_planned() -> None:
    """Of itself and its platform; what is over, or another template's, is nothing to it."""
    shelved, wide = suppressed("shelved"), suppressed("planned", template="", operation="rov")
    ahead: dict[str, Any] = {"start": NOW + timedelta(hours=1), "end": NOW + timedelta(hours=2)}
    next_one = suppressed("planned", operation="pigging", **ahead)
    over = suppressed("planned", operation="rov", end=NOW)
    known = [next_one, over, suppressed("shelved", template="troll-b"), shelved, wide]
    state = status_of(record(s1=Level.OK, s2=Level.OK), TEMPLATE, NOW, None, None, known)
    assert set(state.in_force) == {shelved, wide}
    assert state.planned == (next_one,)
    assert (state.level, state.watched) == (Level.OK, 2)


def suppressed(kind: SuppressionKind, sensor: str = "", template: str = "troll-a", **more: Any) -> Suppression:
    """Return what began an hour ago, and lasts for ten minutes more."""
    times = {"start": NOW - timedelta(hours=1), "end": NOW + timedelta(minutes=10), "said": NOW}
    where = {"platform": "troll", "template": template, "sensor": sensor}
    said = {"kind": kind, "reason": "why", "by": "A. Person", **times, **where, **more}
    return Suppression.model_validate({"id": suppression_id(kind, sensor or template or "troll"), **said})
