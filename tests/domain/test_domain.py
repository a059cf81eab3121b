"""Domain models: bad values are refused with the property's name and the allowed range."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.environment import Environment
from shared.domain.event import Event
from shared.domain.leak import Leak
from shared.domain.platform import Platform
from shared.domain.template import Point, Sensor, Template
from shared.domain.tsd import (
    PlausibleRange,
    Reading,
    SeriesDay,
    TemplateDay,
    days_between,
    floor_to_bucket,
    iso,
    slot_of,
    start_of,
    utc,
)
from shared.domain.validation import Model, findings, parse
from shared.errors import CorruptBlob, InvalidInput
from tests.support.examples import DAY, at, document, noise, platform, template
from tests.support.paths import ROOT

SEED = ROOT / "seed"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("angle_from_north", 360.0, "angle_from_north: must be a number in [0, 360) degrees, not 360"),
        ("height", 0.0, "height: must be a number in (0, 200] m, not 0"),
        ("depth", -3.0, "depth: must be a number in [1, 4000] m, not -3"),
        ("internal_volume", float("nan"), "internal_volume: must be a number in [0, 1e+06] m3, not nan"),
        ("length", "12", "length: must be a number in (0, 200] m, not '12'"),
        ("porosity", {"fore": 1.2, "aft": 0, "port": 0, "starboard": 0}, "porosity.fore: must be a number in [0, 1]"),
        ("id", "other-a", "id must start with its platform"),
        ("colour", "red", "colour: Extra inputs are not permitted"),
    ],
)
def test_a_bad_property_is_named_with_its_range(name: str, value: Any, words: str) -> None:
    """The message says which property, what is allowed, and what was given."""
    with pytest.raises(InvalidInput) as caught:
        parse(Template, template().model_dump() | {name: value}, "template")
    assert words in str(caught.value)


HIDDEN = [0x0, 0xA, 0x7F, 0x85, 0xAD, 0x115F, 0x200B, 0x200D, 0x202E, 0x2028, 0x2066, 0xD800, 0xE000, 0xFE0F, 0xFEFF]


@pytest.mark.parametrize(
    "text", [*(f"W{chr(code)}4" for code in HIDDEN), *(f"{chr(code)}W" for code in (32, 160, 0x3000)), "W "]
)
def test_a_name_is_what_people_see(text: str) -> None:
    """No control, direction, line break, nothing without width, no white space around it: in any name and tag."""
    sensor = template().sensors[0].model_dump()
    point = template().leak_points[0].model_dump()
    named: list[tuple[type[Model], dict[str, Any], str]] = [
        (Sensor, sensor, "name"),
        (Sensor, sensor, "tag"),
        (Point, point, "name"),
        (Template, template().model_dump(), "name"),
        (Platform, platform().model_dump(), "name"),
    ]
    for model, data, name in named:
        with pytest.raises(InvalidInput, match=f"x: {name}: "):
            parse(model, data | {name: text}, "x")


@pytest.mark.parametrize("text", ["Åsgård 4", "W 4 (øst)", "漏れ", "19H-QI___5472", "e\u0301", "W/4 #2 'x'"])
def test_a_name_may_be_in_any_language(text: str) -> None:
    """Letters, marks, digits, signs and single spaces."""
    assert parse(Sensor, template().sensors[0].model_dump() | {"name": text}, "sensor").name == text


def test_every_bad_property_is_named_at_once() -> None:
    """One round is enough to find all mistakes."""
    with pytest.raises(ValidationError) as caught:
        Sensor.model_validate({"id": "xx-y-1", "tag": "", "number": 0, "x": 1e9, "y": True, "z": -1})
    assert [line.split(":")[0] for line in findings(caught.value)] == ["tag", "number", "x", "y", "z"]


def test_limits_are_in_the_json_schema() -> None:
    """What the model refuses, its schema says."""
    assert Sensor.model_json_schema()["properties"]["x"] | {"title": ""} == {
        "maximum": 100,
        "minimum": -100,
        "title": "",
        "type": "number",
    }


def test_models_are_frozen() -> None:
    """Nobody changes a template by accident."""
    with pytest.raises(ValidationError, match="frozen"):
        setattr(template(), "height", 3.0)  # noqa: B010 (mypy would refuse the plain way, too)


def test_the_seed_platforms_are_valid_and_complete() -> None:
    """Of the first four, Snorre's W alone has a known geometry: the others are marked as examples."""
    platforms = {path.stem: Platform.model_validate_json(path.read_text()) for path in SEED.glob("*.json")}
    first = ("trestakk", "snorre", "troll", "askeladd")
    assert [name for name, one in platforms.items() if one.id != name] == []
    templates = [one for name in first for one in platforms[name].templates]
    assert [one.id for one in templates if not one.example_geometry] == ["snorre-w"]
    known = next((one for one in platforms["snorre"].templates if one.name == "W"), None)
    assert known is not None
    assert [(one.x, one.y, one.z) for one in known.sensors][3] == (-4.9, -5.3, 4.1)
    assert len(known.leak_points) == 4


def test_an_environment_must_be_consistent() -> None:
    """Lengths that differ, times that run back and impossible currents are refused."""
    times = ["2026-03-01T00:00:00", "2026-03-01T00:10:00"]
    assert Environment.of(times, current_speed=[0.1, 0.2]).temperature.shape == (2,)
    with pytest.raises(ValidationError, match="shape of times"):
        Environment.of(times, current_speed=[0.1])
    with pytest.raises(ValidationError, match="times must increase"):
        Environment.of(times[::-1])
    with pytest.raises(ValidationError, match=r"current_speed must be in \[0, 5\] m/s"):
        Environment.of(times, current_speed=[0.1, 9])


def test_a_leaks_time_needs_a_zone() -> None:
    """A naive time could mean any zone."""
    with pytest.raises(ValidationError, match="time zone"):
        Leak.model_validate({"x": 0.0, "y": 0.0, "z": 1.0, "rate_kg_s": 1e-5, "onset": "2026-03-01T00:00:00"})
    with pytest.raises(InvalidInput, match="has no time zone"):
        utc(datetime(2026, 3, 1))  # noqa: DTZ001 (the point of the test)


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_buckets_hold_their_moments(moment: datetime) -> None:
    """A bucket's start is within ten minutes before the moment, on the grid of its UTC day."""
    start = floor_to_bucket(moment)
    assert timedelta(0) <= utc(moment) - start < timedelta(minutes=10)
    assert start == start_of(start.date()) + slot_of(moment) * timedelta(minutes=10)
    assert datetime.fromisoformat(iso(start)) == start


def test_days_between_touch_every_day_once() -> None:
    """An end at midnight belongs to the day before."""
    assert days_between(at(DAY, 23), at(DAY, 24)) == [DAY]
    assert days_between(at(DAY, 0), at(DAY, 49)) == [date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)]


readings = st.builds(
    Reading,
    st.integers(0, 143).map(lambda slot: at(DAY) + slot * timedelta(minutes=10)),
    st.one_of(st.none(), st.floats(), st.just(1e14)),
    st.integers(0, 20),
    st.integers(0, 20),
)


@given(st.lists(readings, max_size=60))
def test_a_day_survives_storage_and_repetition(readings: list[Reading]) -> None:
    """Whatever was read, the document reads back the same, and merging the same again changes nothing."""
    empty = SeriesDay(tag="T", unit="ppmv", until=at(DAY))
    series = empty.merged(readings, at(DAY, 24), PlausibleRange(0, 5e4))
    whole = TemplateDay(platform="troll", template="troll-a", day=DAY, sensors={"troll-a-1": series})
    assert TemplateDay.from_json(whole.to_json(), "x") == whole
    assert series.merged(readings, at(DAY, 24), PlausibleRange(0, 5e4)) == series
    assert all(value is None or 0 <= value <= 5e4 for value in series.values)


def test_a_good_value_beside_bad_samples_is_kept_and_they_are_counted() -> None:
    """Samples of bad status do not take the good ones of their bucket with them."""
    series = SeriesDay(tag="T", unit="ppmv", until=at(DAY)).merged(
        [Reading(at(DAY), 7.5, 12, 3)], at(DAY, 1), PlausibleRange(0, 100)
    )
    assert series.values[0] == 7.5
    assert (series.bad[0].reason, series.bad[0].count) == ("bad_status", 3)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"schema":1}', b'{"schema":"2"}', b"\xff\xfe", b'{"schema":1,"platform":"troll"}']
)
def test_an_unreadable_document_is_named(content: bytes) -> None:
    """A truncated, empty or foreign blob is a CorruptBlob that says which."""
    with pytest.raises(CorruptBlob, match=r"day blob troll/a/2026-03-01\.json"):
        TemplateDay.from_json(content, "troll/a/2026-03-01.json")


def test_any_truncation_of_a_document_is_noticed() -> None:
    """No prefix of a day document passes for a whole one."""
    whole = document(template(), DAY, s1=noise(1)).to_json()
    for size in range(0, len(whole), 97):
        with pytest.raises(CorruptBlob):
            TemplateDay.from_json(whole[:size], "x")


def test_an_events_key_comes_from_its_content() -> None:
    """The same event told twice has one key; another message is still the same event."""
    event = Event(subject="troll-a", kind="estimation", at=datetime(2026, 3, 1, tzinfo=UTC), about="x", message="a")
    assert event.model_copy(update={"message": "b"}).key == event.key
    assert event.model_copy(update={"about": "y"}).key != event.key
