"""Registrations: every rule of the domain holds afterwards, nothing is lost on the way, and nothing goes unasked."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.baseline_history import BaselineHistory
from shared.domain.platform import Platform
from shared.domain.template import Point, Sensor, Template
from shared.errors import Conflict, Exists, HasData, InvalidInput, NotFound
from shared.ports import Registration
from shared.retry import TRIES
from shared.usecases.registration.registrations import Registrations
from tests.support.examples import NOW, platform, template, watermarked
from tests.support.fakes import FakeRegistry, Writes

A = template(slug="a")


@dataclass
class FakeContents:
    """Counts of scored days by sensor, and what was removed."""

    days: dict[str, int] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    def of_sensor(self, template: Template, sensor: Sensor) -> Mapping[str, int]:
        return {"scoredDays": self.days.get(sensor.id, 0), "marks": 0}

    def of_template(self, platform: Platform, template: Template) -> Mapping[str, int]:
        return {"scoredDays": sum(self.days.get(one.id, 0) for one in template.sensors)}

    def remove_sensor(self, template: Template, sensor: Sensor) -> None:
        self.days.pop(sensor.id, None)
        self.removed.append(sensor.id)

    def remove_template(self, platform: Platform, template: Template) -> None:
        for one in template.sensors:
            self.days.pop(one.id, None)
        self.removed.append(template.id)


class World:
    """A registry with two templates, and nothing stored of them."""

    def __init__(self) -> None:
        self.writes = Writes()
        self.registry = FakeRegistry(self.writes)
        self.contents = FakeContents()
        self.do = Registrations(registry=self.registry, contents=self.contents)
        self.do.create_platform(platform(A, template(slug="b")))

    @property
    def platform(self) -> Platform:
        return self.registry.platform("troll").platform

    def meet(self, times: int = 1) -> None:
        """Let another one write just before each of the next changes."""
        plain = self.registry.change
        left = [None] * times

        def meeting(before: Registration | None, after: Platform | None) -> None:
            if left:
                left.pop()
                watermarked(self.registry, A, {"troll-a-1": NOW, "troll-a-2": NOW})
                stored = self.registry.platform("troll").stored.get("troll-a-1")
                self.registry.set_history(A, A.sensors[0], BaselineHistory(), stored.etag if stored else None)
            plain(before, after)

        self.registry.change = meeting  # type: ignore[method-assign]


def sensor(number: int = 3, **more: Any) -> Sensor:
    """Return another sensor of template A."""
    values = {"id": f"troll-a-{number}", "number": number, "tag": f"TAG-{number}", "x": 0.0, "y": 0.0, "z": 1.0}
    return Sensor.model_validate(values | more)


def sensors(world: World) -> list[str]:
    """Return the ids of template A's sensors."""
    return [one.id for one in world.platform.templates[0].sensors]


def test_what_is_created_is_there_and_cannot_be_created_twice() -> None:
    """A platform, a template and a sensor of that name exist once."""
    world = World()
    world.do.create_platform(Platform(id="oseberg", name="Oseberg", facility="OSE"))
    assert world.do.create_template("troll", template(slug="c")).id == "troll-c"
    assert world.do.create_sensor("troll-a", sensor()) == sensor()
    assert sensors(world) == ["troll-a-1", "troll-a-2", "troll-a-3"]
    for again in (
        lambda: world.do.create_platform(platform()),
        lambda: world.do.create_template("troll", A),
        lambda: world.do.create_sensor("troll-a", sensor()),
    ):
        with pytest.raises(Exists, match="exists"):
            again()


def test_what_is_changed_is_changed_and_nothing_else() -> None:
    """Values are whole, by name; what is not named stays."""
    world = World()
    before = world.platform
    assert world.do.change_platform("troll", {"name": "Troll B"}).name == "Troll B"
    assert world.do.change_template("troll-a", {"depth": 320.0}).depth == 320
    assert world.do.change_sensor("troll-a-2", {"x": 1.5, "pinned": True}).x == 1.5
    a, b = world.platform.templates
    assert (a.depth, a.sensors[1].x, a.sensors[1].pinned) == (320, 1.5, True)
    assert (a.sensors[0], b) == (before.templates[0].sensors[0], before.templates[1])


@pytest.mark.parametrize("changes", [{}, {"x": -1.0}, {"id": "troll-a-1", "tag": "TAG-a-1"}])
def test_an_equal_change_writes_nothing(changes: Mapping[str, Any]) -> None:
    """What is as it should be is left alone, even if what cannot change is said once more."""
    world = World()
    before = world.writes.count
    world.do.change_sensor("troll-a-1", changes)
    world.do.change_template("troll-a", {"sensors": [one.model_dump() for one in A.sensors]})
    assert world.writes.count == before


@pytest.mark.parametrize(
    ("method", "name", "changes", "words"),
    [
        ("change_sensor", "troll-a-1", {"tag": "X"}, "tag: cannot be changed; delete the sensor and create it anew"),
        ("change_sensor", "troll-a-1", {"number": 4}, "number: cannot be changed"),
        ("change_sensor", "troll-a-1", {"id": None}, "id: cannot be changed"),
        ("change_sensor", "troll-a-1", {"x": "far"}, "x: must be a number in"),
        ("change_sensor", "troll-a-1", {"colour": "red"}, "colour: Extra inputs"),
        ("change_template", "troll-a", {"platform": "snorre"}, "platform: cannot be changed; delete the template"),
        ("change_template", "troll-a", {"sensors": []}, "sensors: cannot be changed here"),
        ("change_platform", "troll", {"templates": []}, "templates: cannot be changed here"),
        ("change_platform", "troll", {"facility": "tra"}, "facility: "),
        ("change_sensor", "troll/a", {}, "is not an id of a sensor"),
        ("change_platform", "x'y", {}, "is not an id of a platform"),
    ],
)
def test_what_cannot_be_is_refused_by_name(method: str, name: str, changes: Mapping[str, Any], words: str) -> None:
    """The message says which property; nothing is written."""
    world = World()
    before = world.writes.count
    with pytest.raises(InvalidInput) as caught:
        getattr(world.do, method)(name, changes)
    assert words in str(caught.value)
    assert world.writes.count == before


def test_the_platform_of_proof_tests_cannot_be_registered() -> None:
    """Its rows would be taken for a copy, and be emptied."""
    world = World()
    before = world.writes.count
    with pytest.raises(InvalidInput, match="platform of proof tests"):
        world.do.create_platform(platform().model_copy(update={"id": "proof", "templates": ()}))
    assert world.writes.count == before


def test_rules_between_what_is_registered_hold() -> None:
    """A tag is read by one sensor of a template; a template belongs to its platform."""
    world = World()
    with pytest.raises(InvalidInput, match="different ids and tags"):
        world.do.create_sensor("troll-a", sensor(tag="TAG-a-1"))
    with pytest.raises(InvalidInput, match="end with their number"):
        world.do.create_sensor("troll-b", sensor())
    with pytest.raises(InvalidInput, match="belongs to 'snorre'"):
        world.do.create_template("troll", template("snorre", "z", sensors=0))


def test_there_are_bounds() -> None:
    """A template takes 100 sensors, a platform 200 templates; the refusal says so."""
    world = World()
    full = template(slug="full", sensors=0).model_copy(
        update={"sensors": tuple(sensor(number, id=f"troll-full-{number}") for number in range(1, 101))}
    )
    world.do.create_template("troll", full)
    with pytest.raises(InvalidInput, match=r"sensors: .* at most 100"):
        world.do.create_sensor("troll-full", sensor(101, id="troll-full-101"))
    world.registry.add(platform(*(template(slug=f"t{number}", sensors=0) for number in range(200))))
    with pytest.raises(InvalidInput, match=r"templates: .* at most 200"):
        world.do.create_template("troll", template(slug="more"))


def test_nothing_goes_unasked() -> None:
    """What would go with a sensor, a template or a platform is told first."""
    world = World()
    world.contents.days = {"troll-a-1": 5, "troll-b-2": 7}
    with pytest.raises(HasData, match=r"sensor 'troll-a-1' would go with 5 scoredDays; \?force=true"):
        world.do.delete_sensor("troll-a-1")
    with pytest.raises(HasData) as template_kept:
        world.do.delete_template("troll-b")
    assert template_kept.value.contents == {"sensors": 2, "scoredDays": 7}
    with pytest.raises(HasData) as platform_kept:
        world.do.delete_platform("troll")
    assert platform_kept.value.contents == {"templates": 2, "sensors": 4, "scoredDays": 12}
    assert len(world.platform.templates) == 2
    assert not world.contents.removed


def test_what_has_nothing_goes_at_once() -> None:
    """A sensor without data, a template without sensors, a platform without templates."""
    world = World()
    for number in (1, 2):
        world.do.delete_sensor(f"troll-a-{number}")
    world.do.delete_template("troll-a")
    assert [one.id for one in world.platform.templates] == ["troll-b"]
    world.do.delete_template("troll-b", force=True)
    world.do.delete_platform("troll")
    with pytest.raises(NotFound):
        world.do.delete_platform("troll")


def test_contents_go_before_and_after_the_registration() -> None:
    """What a run that still knew the sensor has written meanwhile goes, too; a repetition finds nothing."""
    world = World()
    world.contents.days = {"troll-a-1": 5}
    world.do.delete_sensor("troll-a-1", force=True)
    assert world.contents.removed == ["troll-a-1", "troll-a-1"]
    with pytest.raises(NotFound, match="troll-a-1"):
        world.do.delete_sensor("troll-a-1", force=True)
    world.do.delete_platform("troll", force=True)
    assert world.contents.removed[2:] == ["troll-a", "troll-b"] * 2
    assert not world.contents.days
    assert "troll" not in world.registry.known


@pytest.mark.usefixtures("without_waits")
def test_who_meets_another_reads_again() -> None:
    """What was written meanwhile is kept, and the change is made; one who always loses says so."""
    world = World()
    world.meet(2)
    world.do.change_sensor("troll-a-1", {"x": 2.0})
    record = world.registry.platform("troll")
    assert record.platform.templates[0].sensors[0].x == 2
    assert world.registry.record("troll-a").watermarks(A) == {"troll-a-1": NOW, "troll-a-2": NOW}
    world.meet(TRIES)
    with pytest.raises(Conflict, match="changed in between"):
        world.do.change_sensor("troll-a-1", {"x": 3.0})


def test_a_guard_sees_what_was_read_before_anything_is_written() -> None:
    """A caller that had something else in mind stops it, with its contents in place."""
    world = World()
    world.contents.days = {"troll-a-1": 5}
    before = world.writes.count

    def refuse(record: Registration) -> None:
        raise HasData(record.platform.name, {"guarded": 1})

    for guarded in (
        lambda: world.do.change_platform("troll", {"name": "X"}, refuse),
        lambda: world.do.change_template("troll-a", {"name": "X"}, refuse),
        lambda: world.do.change_sensor("troll-a-1", {"x": 2.0}, refuse),
        lambda: world.do.delete_sensor("troll-a-1", force=True, guard=refuse),
        lambda: world.do.delete_template("troll-a", force=True, guard=refuse),
        lambda: world.do.delete_platform("troll", force=True, guard=refuse),
    ):
        with pytest.raises(HasData, match="1 guarded"):
            guarded()
    assert world.writes.count == before
    assert world.contents.days == {"troll-a-1": 5}


@given(st.lists(st.tuples(st.sampled_from(["create", "change", "delete", "drop"]), st.integers(1, 4)), max_size=20))
def test_any_sequence_ends_as_a_plain_set_would(steps: list[tuple[str, int]]) -> None:
    """Sensors are there that were created and not deleted since, each where it was last put."""
    world, expected = World(), {1: -1.0, 2: 2.0}
    for place, (what, number) in enumerate(steps):
        name, x = f"troll-a-{number}", float(place)
        refused = pytest.raises(Exists if what == "create" else NotFound)
        with refused if (number in expected) == (what == "create") else nullcontext():
            if what == "create":
                world.do.create_sensor("troll-a", sensor(number, x=x))
                expected[number] = x
            elif what == "change":
                world.do.change_sensor(name, {"x": x})
                expected[number] = x
            else:
                world.do.delete_sensor(name, force=what == "drop")
                del expected[number]
    assert {one.number: one.x for one in world.platform.templates[0].sensors} == expected


FAR = {"name": "joint", "x": 21.0, "y": 0.0, "z": 1.0}  # more than 5 m off a template of 12 by 10 m
CHANGES: tuple[dict[str, Any], ...] = (
    {"leak_points": [FAR]},
    {"leak_points": [{"name": "riser", "x": 0.0, "y": 0.0, "z": 40.0}]},
    {"width": 1.0, "length": 1.0, "leak_points": [{"name": "P1", "x": 6.0, "y": 0.0, "z": 2.0}]},
)


@pytest.mark.parametrize("changes", CHANGES)
def test_a_leak_point_that_is_none_of_the_template_is_refused(changes: dict[str, Any]) -> None:
    """When the template is created and when it changes; else no estimation of it would come to an end."""
    world = World()
    with pytest.raises(InvalidInput, match=r"^leakPoints: must lie in the template or at most 5 m outside"):
        world.do.change_template("troll-a", changes)
    new = Template.model_validate(template(slug="c").model_dump() | changes)
    with pytest.raises(InvalidInput, match=r"^leakPoints: "):
        world.do.create_template("troll", new)


def test_a_template_does_not_shrink_away_from_its_leak_points() -> None:
    """What fits today has to fit tomorrow."""
    world = World()
    world.do.change_template("troll-a", {"width": 12.0, "leak_points": [{"name": "P1", "x": 10.0, "y": 0.0, "z": 2.0}]})
    with pytest.raises(InvalidInput, match=r"'P1' at \(10, 0, 2\)"):
        world.do.change_template("troll-a", {"width": 2.0})
    world.do.change_template("troll-a", {"width": 2.0, "leak_points": []})


def test_what_an_older_release_took_can_be_changed_otherwise() -> None:
    """A name has nothing to do with a leak point that was taken once."""
    world = World()
    old = world.platform.templates[0].model_copy(update={"leak_points": (Point.model_validate(FAR),)})
    changed = world.platform.model_copy(update={"templates": (old, *world.platform.templates[1:])})
    world.registry.change(world.registry.platform("troll"), changed)
    assert world.do.change_template("troll-a", {"name": "Another"}).misplaced


def test_a_template_has_so_many_leak_points_and_no_more() -> None:
    """Each is a hypothesis of every estimation, and all are one property of a row."""
    world = World()
    points = [{"name": f"P{n}", "x": 0.0, "y": 0.0, "z": 1.0} for n in range(101)]
    world.do.change_template("troll-a", {"leak_points": points[:100]})
    with pytest.raises(InvalidInput, match=r"^leak_points: "):
        world.do.change_template("troll-a", {"leak_points": points})


def test_a_platform_stays_with_its_facility() -> None:
    """Another installation's readings would go on in the series of this one."""
    world = World()
    with pytest.raises(InvalidInput, match="facility: cannot be changed"):
        world.do.change_platform("troll", {"facility": "OSE"})
    world.do.change_platform("troll", {"facility": "TRA", "name": "Troll A"})


def test_a_tag_is_read_once() -> None:
    """Neither another template's sensor nor the sea may read a series that is read already."""
    world = World()
    taken = A.sensors[0].tag
    new = sensor(9, id="troll-b-9", tag=taken)
    with pytest.raises(InvalidInput, match=f"tag: {taken} is read by another series"):
        world.do.create_sensor("troll-b", new)
    sea = {"current_speed": {"tag": taken, "unit": "cm/s", "scale": 0.01}}
    with pytest.raises(InvalidInput, match="is read by another series"):
        world.do.change_platform("troll", {"environment": sea})
