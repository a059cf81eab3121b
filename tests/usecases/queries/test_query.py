"""Query: what is registered and stored is given back; what cannot be an id reaches nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInput, NotFound
from shared.usecases.queries.query import Queries
from tests.support.examples import DAY, NOW, history, platform, quiet_baseline, template
from tests.support.fakes import FakeClock, World

TEMPLATE, OTHER = template(), template(slug="b")


def query() -> Queries:
    """Return the use case on a world with two templates, and one sensor that can be scored."""
    world = World()
    pinned = OTHER.sensors[0].model_copy(update={"pinned": True})
    other = OTHER.model_copy(update={"sensors": (pinned, *OTHER.sensors[1:])})
    world.registry.add(platform(TEMPLATE, other))
    world.registry.histories.set("troll-a-1", history("troll-a-1", quiet_baseline().version, DAY))
    return Queries(
        registry=world.registry,
        incidents_table=world.incidents,
        estimations=world.estimations,
        events_table=world.events,
        messages=world.messages,
        clock=FakeClock(NOW),
    )


@pytest.mark.parametrize(
    ("platform", "template", "pinned", "expected"),
    [
        (None, None, None, ["troll-a-1", "troll-a-2", "troll-b-1", "troll-b-2"]),
        ("troll", None, None, ["troll-a-1", "troll-a-2", "troll-b-1", "troll-b-2"]),
        (None, "troll-b", None, ["troll-b-1", "troll-b-2"]),
        ("troll", "troll-b", True, ["troll-b-1"]),
        (None, None, False, ["troll-a-1", "troll-a-2", "troll-b-2"]),
        (None, "troll-a", True, []),
    ],
)
def test_sensors_are_found_by_what_they_are(
    platform: str | None, template: str | None, pinned: bool | None, expected: list[str]
) -> None:
    """Every filter that is given has to fit."""
    assert [sensor.id for _, _, sensor in query().sensors(platform, template, pinned)] == expected


def test_sensors_of_nothing_are_refused() -> None:
    """An unknown platform or template is not the same as one without sensors."""
    for unknown in (("snorre", None), (None, "troll-c"), (None, "snorre-c")):
        with pytest.raises(NotFound):
            query().sensors(unknown[0], unknown[1], None)


@given(st.text(max_size=60))
def test_any_text_for_an_id_is_refused_or_not_found(text: str) -> None:
    """Whatever stands in a route, it reaches no filter and no path unless it is an id."""
    asked = query()
    for look in (asked.platform, asked.template, asked.sensor):
        with pytest.raises((InvalidInput, NotFound)):
            look(text)
    for page in (asked.incidents, asked.estimations_of, asked.events):
        with pytest.raises((InvalidInput, NotFound)):
            page(text, 10)


def test_health_says_what_is_behind() -> None:
    """A template that was never ingested is stale."""
    health = query().health()
    assert health.status == "degraded"
    one, _ = health.templates
    assert (one.template, one.ingested_until, one.sensors_with_baseline, one.stale) == ("troll-a", None, 1, True)
    assert health.queues["critical-deviations-poison"] == 0
