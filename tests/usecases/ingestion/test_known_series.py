"""Ids of series and their units are known from run to run: a process that has read nothing yet looks none up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.tsd import BUCKET, Reading
from shared.ports import Answers, SourceSeries, Window
from tests.support.examples import NOW, platform, template
from tests.support.fakes import FakeSource, World
from tests.usecases.ingestion.test_ingest import TEMPLATE, ingest, reference, source

DAY_OF_TICKS = 144


@dataclass
class Asked(FakeSource):
    """A source that tells which tags were looked up, and has ids that are gone."""

    looked_up: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def resolve(self, facility: str, tags: Sequence[str]) -> Answers[SourceSeries]:
        """Note the tags."""
        self.looked_up += tags
        return super().resolve(facility, tags)

    def read(self, windows: Sequence[Window]) -> Answers[Sequence[Reading]]:
        """Refuse what is gone."""
        found = super().read([one for one in windows if one.series not in self.gone])
        return Answers(found, {**found.problems, **dict.fromkeys(self.gone, "404")})


def asked(until: datetime = NOW) -> Asked:
    """Return the source with readings up to then."""
    known = source(until)
    return Asked(readings=known.readings)


def test_a_run_in_another_process_looks_nothing_up() -> None:
    """By what the last run found; and the lake ends the same."""
    world, omnia = reference(), asked(NOW + 3 * BUCKET)
    for number in range(1, 4):
        world.restart()
        ingest(world, omnia, NOW + number * BUCKET).run()
    assert omnia.looked_up == []
    looking, known = World(), source(NOW + 3 * BUCKET)
    looking.registry.add(platform(TEMPLATE))
    ingest(looking, known, NOW + 3 * BUCKET).run()
    assert looking.lake.cells.values().keys() == world.lake.cells.values().keys()
    assert looking.lake.cells.values()[TEMPLATE.id, NOW.date()] == world.lake.cells.values()[TEMPLATE.id, NOW.date()]


def test_all_are_looked_up_once_a_day_each_template_at_another_time() -> None:
    """So that a tag that means another series by now is found, and no tick asks for all of them."""
    times = []
    for slug in ("a", "b", "c"):
        world, one = World(), template(slug=slug)
        world.registry.add(platform(one))
        omnia = asked()
        for tag in list(omnia.readings):
            omnia.readings[tag.replace("TAG-a", f"TAG-{slug}")] = omnia.readings[tag]
        ingest(world, omnia, NOW).run()
        ticks = {}
        for number in range(1, DAY_OF_TICKS + 1):
            omnia.looked_up.clear()
            ingest(world, omnia, NOW + number * BUCKET).run()
            if omnia.looked_up:
                ticks[number] = len(omnia.looked_up)
        ((tick, count),) = ticks.items()
        assert count == len(one.sensors) + len(platform(one).environment)
        times.append(tick)
    assert len(set(times)) == 3


def test_an_id_that_is_gone_is_looked_up_at_once_and_alone() -> None:
    """The series goes on under its new one."""
    world, omnia = reference(), asked(NOW + BUCKET)
    omnia.ids["TAG-a-1"], omnia.gone = "new", {"TAG-a-1"}
    ingest(world, omnia, NOW + BUCKET).run()
    assert omnia.looked_up == ["TAG-a-1"]
    state = world.registry.ingested.values()[TEMPLATE.id].series["troll-a-1"]
    assert (state.source_id, state.until) == ("new", NOW + BUCKET)


def test_what_is_registered_in_another_unit_is_looked_up_at_once() -> None:
    """What is known says in which unit it was read for the registration of before."""
    world, omnia = reference(), asked(NOW + BUCKET)
    sea = platform(TEMPLATE).environment
    speed = sea["current_speed"].model_copy(update={"unit": "m/s", "scale": 1.0})
    world.registry.add(platform(TEMPLATE).model_copy(update={"environment": {**sea, "current_speed": speed}}))
    omnia.units["SPEED"] = "cm/s"
    ingest(world, omnia, NOW + BUCKET).run()
    assert omnia.looked_up == ["SPEED"]


def test_a_series_that_is_left_out_is_looked_up_by_every_run() -> None:
    """It may be there by now."""
    world, omnia = reference(), asked(NOW + timedelta(hours=1))
    omnia.unreadable = {"TAG-a-1"}
    for number in range(1, 4):
        ingest(world, omnia, NOW + number * BUCKET).run()
    assert omnia.looked_up == ["TAG-a-1"] * 5  # the first run again once, the others before and once more
    omnia.unreadable = set()
    ingest(world, omnia, NOW + 4 * BUCKET).run()
    omnia.looked_up.clear()
    ingest(world, omnia, NOW + 5 * BUCKET).run()
    assert omnia.looked_up == []
