"""Platforms: each has its own rules, and a new one with a source of its own goes the way of the others."""

import json
import logging
import pkgutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest
from pydantic import ValidationError

import shared.platforms
from shared.adapters.sources import Sources
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import TemplateDay
from shared.errors import InvalidInput, SettingsError, SourceError
from shared.platforms import PLATFORMS, rules_of
from shared.usecases.registration.registrations import Registrations
from tests.support.examples import NOW, platform, template
from tests.support.fakes import FakeSource, World
from tests.support.paths import ROOT
from tests.usecases.ingestion.test_ingest import BEGIN, ingest, source
from tests.usecases.registration.test_registrations import FakeContents

SEED = ROOT / "seed"


@dataclass(frozen=True)
class Heidrun:
    """Rules of a fifth platform: HD-A-1 is sensor 1 of template A, and it is read elsewhere."""

    source: str = "historian"

    def locate(self, tag: str) -> tuple[str, int]:
        """Return (template name, sensor number)."""
        parts = tag.split("-")
        if len(parts) != 3 or parts[0] != "HD" or not parts[2].isdecimal():
            raise InvalidInput(f"tag {tag!r}: a Heidrun tag reads HD-<template>-<sensor>")
        return parts[1], int(parts[2])


@pytest.fixture
def heidrun(monkeypatch: pytest.MonkeyPatch) -> Platform:
    """Return a fifth platform, registered for the time of a test."""
    monkeypatch.setitem(PLATFORMS, "heidrun", Heidrun())
    return of_heidrun()


def of_heidrun(*tags: str) -> Platform:
    """Return a platform with one template, whose sensors have these tags."""
    tags = tags or ("HD-A-1", "HD-A-2")
    values = template(sensors=len(tags)).model_dump() | {"id": "heidrun-a", "platform": "heidrun"}
    values["sensors"] = [
        one | {"id": f"heidrun-a-{number}", "tag": tag}
        for number, (one, tag) in enumerate(zip(values["sensors"], tags, strict=True), 1)
    ]
    body = {"id": "heidrun", "name": "Heidrun", "facility": "HEA", "templates": [Template.model_validate(values)]}
    return Platform.model_validate(body)


def historian() -> FakeSource:
    """Return the fifth platform's source, which says 100 and 200 ppmv."""
    omnia = FakeSource()
    for tag, value in (("HD-A-1", 100.0), ("HD-A-2", 200.0)):
        omnia.say(tag, BEGIN, [value] * 648)
    return omnia


def both(fifth: Platform) -> World:
    """Return a world with a platform of OMNIA and the fifth one."""
    world = World()
    world.registry.add(platform(template()))
    world.registry.add(fifth)
    return world


def ppmv(world: World, one: str, sensor: str) -> set[float | None]:
    """Return what a sensor read on the first day."""
    held = world.lake.cells.values()[one, BEGIN.date()]
    assert isinstance(held, TemplateDay)
    return set(held.sensors[sensor].values)


def test_every_platform_has_its_module_its_registration_and_its_seed() -> None:
    """A module that is not registered would have no effect, and nobody would see it."""
    modules = {one.name for one in pkgutil.iter_modules(shared.platforms.__path__)} - {"rules"}
    assert modules == set(PLATFORMS) == {path.stem for path in SEED.glob("*.json")}


@pytest.mark.parametrize(
    ("platform", "tag", "located"),
    [
        ("snorre", "19H-QI___5472", ("W", 4)),
        ("snorre", "19H-QI___2272", ("M", 2)),
        ("snorre", "19H-QI___7172", ("Z", 1)),
        ("trestakk", "19XT2316", ("A", 3)),
        ("trestakk", "19XT2416", ("A", 4)),
        ("trestakk", "19XT2516", ("B", 1)),
        ("askeladd", "18AIJ012B", None),
        ("troll", "31AI010A", None),
        ("nowhere", "whatever it is", None),
    ],
)
def test_a_tag_names_its_template_and_sensor(platform: str, tag: str, located: tuple[str, int] | None) -> None:
    """Each platform has its own rule, or none; one that is not registered has none, and reads OMNIA."""
    assert rules_of(platform).locate(tag) == located
    assert rules_of(platform).source == "omnia"


@pytest.mark.parametrize(
    ("platform", "tag", "reads"),
    [
        ("snorre", "19H-QI___9472", "19H-QI___<2-7><1-9>72"),
        ("snorre", "19H-QI___5472 ", "19H-QI___<2-7><1-9>72"),
        ("trestakk", "19XT2016", "19XT2<1-9>16"),
        ("trestakk", "", "19XT2<1-9>16"),
    ],
)
def test_a_tag_that_breaks_its_platforms_rule_is_refused(platform: str, tag: str, reads: str) -> None:
    """The message says how a tag of that platform reads."""
    with pytest.raises(InvalidInput, match=reads):
        rules_of(platform).locate(tag)


def test_a_seed_whose_tag_means_another_sensor_is_refused() -> None:
    """A wrong tag in a seed is found before anything is asked of OMNIA."""
    snorre = json.loads((SEED / "snorre.json").read_text())
    snorre["templates"][0]["sensors"][0]["tag"] = "19H-QI___3172"
    with pytest.raises(ValidationError, match="means template N sensor 1, not template M sensor 1"):
        Platform.model_validate(snorre)


def test_a_fifth_platforms_tags_are_held_to_its_rule(heidrun: Platform) -> None:
    """In a seed and when a sensor is registered, as for the four."""
    with pytest.raises(ValidationError, match="a Heidrun tag reads HD-<template>-<sensor>"):
        of_heidrun("HD-A-1", "TAG-2")
    with pytest.raises(ValidationError, match="means template B sensor 2, not template A sensor 2"):
        of_heidrun("HD-A-1", "HD-B-2")
    third = template(sensors=3).sensors[2].model_copy(update={"id": "heidrun-a-3", "tag": "HD-A-7"})
    do = Registrations(registry=both(heidrun).registry, contents=FakeContents())
    with pytest.raises(InvalidInput, match="means template A sensor 7, not template A sensor 3"):
        do.create_sensor("heidrun-a", third)


def test_a_fifth_platform_is_read_from_its_own_source(heidrun: Platform) -> None:
    """Its readings come from there, those of the others from OMNIA, and neither is asked for the other's."""
    world, omnia, own = both(heidrun), source(), historian()
    ingest(world, omnia, others={"historian": own}).run()
    assert ppmv(world, "heidrun-a", "heidrun-a-2") == {200.0}
    assert ppmv(world, "troll-a", "troll-a-1") == {float(number) for number in range(7)}
    assert {one.series for one in own.windows} == {"HD-A-1", "HD-A-2"}
    assert {one.series for one in omnia.windows} == {"TAG-a-1", "TAG-a-2", "SPEED", "DIRECTION"}
    assert set(world.registry.watermarks) == {"heidrun-a", "troll-a"}


@pytest.mark.parametrize("away", ["historian", "omnia"])
def test_a_source_that_fails_stops_only_its_own_platforms(
    heidrun: Platform, caplog: pytest.LogCaptureFixture, away: str
) -> None:
    """The line that an alert looks for names OMNIA only where it was OMNIA."""
    world, omnia, own = both(heidrun), source(), historian()
    {"historian": own, "omnia": omnia}[away].failure = SourceError("it is down")
    with caplog.at_level(logging.ERROR), pytest.raises(SourceError) as caught:
        ingest(world, omnia, others={"historian": own}).run()
    broken, whole = ("heidrun-a", "troll-a") if away == "historian" else ("troll-a", "heidrun-a")
    assert str(caught.value) == f"{broken}: SourceError: it is down"
    assert {name for name, _ in world.lake.cells.values()} == {whole}
    assert ("OMNIA failed" in caplog.text) == (away == "omnia")
    assert ("source failed source=historian template=heidrun-a" in caplog.text) == (away == "historian")


def test_a_source_that_is_not_configured_is_told_by_name(heidrun: Platform) -> None:
    """Its platform's templates fail, the others go on; once it is configured, nothing is missing."""
    world = both(heidrun)
    words = "^heidrun-a: SourceError: heidrun reads the source 'historian', which is not configured$"
    with pytest.raises(SourceError, match=words):
        ingest(world, source()).run()
    assert {name for name, _ in world.lake.cells.values()} == {"troll-a"}
    ingest(world, source(), others={"historian": historian()}).run()
    expected = both(heidrun)
    ingest(expected, source(), others={"historian": historian()}).run()
    assert world.lake.cells.values() == expected.lake.cells.values()


def test_a_source_that_cannot_be_built_stops_only_its_own_platforms(heidrun: Platform) -> None:
    """A setting that it lacks is named; OMNIA is read."""
    world, omnia = both(heidrun), source()

    def unset() -> FakeSource:
        raise SettingsError("HISTORIAN__URL: it is empty")

    with pytest.raises(SourceError, match=r"^heidrun-a: SettingsError: HISTORIAN__URL: it is empty$"):
        replace(ingest(world, omnia), sources=Sources({"omnia": lambda: omnia, "historian": unset})).run()
    assert {name for name, _ in world.lake.cells.values()} == {"troll-a"}


def test_an_unknown_tag_is_told_by_the_name_of_its_source(heidrun: Platform, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever looks for the series knows where."""
    own = historian()
    del own.readings["HD-A-2"]
    ingest(both(heidrun), source(), others={"historian": own}).run()
    assert "heidrun-a: HISTORIAN knows no series HD-A-2" in caplog.text
    assert heidrun.source_name == "HISTORIAN"


def test_a_source_is_built_once_when_it_is_first_read() -> None:
    """However many templates ask for it at the same time; names are known without it."""
    built: list[str] = []

    def building(name: str) -> Callable[[], FakeSource]:
        def build() -> FakeSource:
            built.append(name)
            return FakeSource()

        return build

    found = Sources({name: building(name) for name in ("omnia", "historian")})
    assert list(found) == ["omnia", "historian"]
    assert "omnia" in found
    assert "other" not in found
    assert len(found) == 2
    assert not built
    with ThreadPoolExecutor(8) as pool:
        ones = list(pool.map(lambda _: found["omnia"], range(50)))
    assert all(one is ones[0] for one in ones)
    assert built == ["omnia"]
    with pytest.raises(KeyError):
        found["other"]


def test_a_platform_that_is_not_registered_is_read_from_omnia(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that somebody creates over HTTP, whatever its tags are."""
    monkeypatch.delitem(PLATFORMS, "heidrun", raising=False)
    world = World()
    world.registry.add(of_heidrun("a", "b"))
    omnia = FakeSource()
    for tag in ("a", "b"):
        omnia.say(tag, BEGIN, [3.0] * 648)
    ingest(world, omnia, NOW).run()
    assert ppmv(world, "heidrun-a", "heidrun-a-1") == {3.0}
