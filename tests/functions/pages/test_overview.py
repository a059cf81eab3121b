"""The overview and the API where little is watched: whatever nobody watches is seen, and none of it is Ok."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from functions.pages.channel_words import QUESTIONS
from local.azurite import Azurite
from shared.domain.estimation_words import digits
from tests.support.examples import quiet_baseline
from tests.support.filled import SENSOR, TEMPLATE
from tests.support.http_host import FilledHost, filled_host

pytestmark = [pytest.mark.azurite, pytest.mark.xdist_group("overview")]


@pytest.fixture
def host(azurite: Azurite, unique: str, tmp_path: Path) -> Iterator[FilledHost]:
    """A host of its own: what is registered gets broken."""
    with filled_host(azurite.connection_string, unique, tmp_path) as running:
        yield running


def cards(host: FilledHost) -> dict[str, str]:
    """Return what the overview says, in words, by template; what stands above them under an empty name."""
    answer = requests.get(f"{host.url}/overview", timeout=30)
    answer.raise_for_status()
    head, *found = re.split(r'<article class="card[^>]*aria-labelledby="t-', answer.text)
    words = {"": head} | {one.partition('"')[0]: one for one in found}
    return {name: " ".join(re.sub(r"<[^>]+>", " ", text).split()) for name, text in words.items()}


def break_row(host: FilledHost, platform: str, row: str, old: str, new: str) -> None:
    """Change a definition by hand, as nobody should."""
    table = host.app.clients.tables()[0]
    entity = table.get_entity(platform, row)
    assert old in entity["body"]
    table.update_entity({**entity, "body": entity["body"].replace(old, new)})
    table.update_entity(table.get_entity(platform, "head"))


def test_what_nobody_watches_is_seen(host: FilledHost) -> None:
    """Templates that were never read, one without sensors, a platform that cannot be read."""
    made = host.ask("DELETE", "sensors/askeladd-a-1"), host.ask("DELETE", "sensors/askeladd-a-2")
    assert [one.status_code for one in made] == [204, 204]
    break_row(host, "troll", "template|a", '"depth":', '"depth":-')
    seen = cards(host)
    assert "Platform troll is not watched: what is registered of it cannot be read." in seen[""]
    assert "4 of 32 sensors are watched." in seen[""]
    assert "troll-a" not in seen
    assert "4 of 4" not in seen["snorre-m"]
    assert "0 of 4 sensors are watched. Never read: sensors 1, 2, 3, 4, the sea." in seen["snorre-m"]
    assert "It has no sensors: nothing is watched." in seen["askeladd-a"]
    assert not [name for name, words in seen.items() if name != TEMPLATE and re.search(r"\bOk\b", words)]

    health = host.get("health")
    assert (health["status"], health["unreadablePlatforms"]) == ("degraded", ["troll"])
    templates = {one["template"]: one for one in health["templates"]}
    assert (templates[TEMPLATE]["sensorsWatched"], templates[TEMPLATE]["gaps"]) == (4, [])
    assert templates[TEMPLATE]["newestSample"] == "2026-03-03T23:50:00Z"
    assert templates["snorre-m"]["sensorsWatched"] == 0
    assert {one["why"] for one in templates["snorre-m"]["gaps"]} == {"never read"}

    listed = {one["id"]: one["unwatched"] for one in host.get("sensors")["items"]}
    assert listed[f"{TEMPLATE}-1"] is None
    assert listed["snorre-m-1"]["why"] == "never read"

    host.app.tell_health.run()
    (told,) = [one for one in host.get("events")["items"] if one["kind"] == "unreadable_platform"]
    assert told["about"] == "troll"
    about = {one["about"] for one in host.get("templates/snorre-m/events")["items"] if one["kind"] == "not_watched"}
    assert {"snorre-m-1", "current_speed"} <= about


def test_the_level_says_what_it_rests_on(host: FilledHost) -> None:
    """The sensor's page in a sentence, the API by the channel's word; the table says what that channel asks."""
    listed = next(one for one in host.get(f"templates/{TEMPLATE}/sensors")["items"] if one["id"] == SENSOR)
    stored = host.app.registry.record(SENSOR.rpartition("-")[0]).latest[SENSOR]
    limits = next(one for one in quiet_baseline().thresholds if one.channel == stored.channel)
    word, warning, critical = limits.channel.word, digits(limits.warning, 3), digits(limits.critical, 3)
    assert listed["latest"]["channel"] == word
    scores = host.get(f"sensors/{SENSOR}/deviations", **{"from": "2026-03-03T00:00:00Z", "to": "2026-03-04T00:00:00Z"})
    assert (scores["channel"][-1], len(scores["channel"])) == (word, 144)
    answer = requests.get(f"{host.url}/sensors/{SENSOR}", timeout=30)
    answer.raise_for_status()
    text = " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())
    figure = re.search(
        r"Detection still sees an alarm that has ended "
        rf"\({word}: ([\d.]+), where Warning is {warning} and Critical {critical}\)\. For 40 h",
        text,
    )
    assert figure is not None
    assert stored.raw == pytest.approx(
        1 + (float(figure[1]) - limits.warning) / (limits.critical - limits.warning), rel=0.03
    )
    assert f"{word} {QUESTIONS[limits.channel]} {warning} {critical}" in text
