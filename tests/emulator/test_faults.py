"""The emulator's faults and its command line."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from omnia_emulator import __main__ as command
from omnia_emulator.faults import FaultPlan, Faults
from omnia_emulator.server import running

from shared.adapters.omnia import OmniaSource, StaticCredential
from shared.ports import Window
from tests.support.omnia_http import NOW, START, Client, first, store, values
from tests.support.paths import ROOT

PROJECT = ROOT


@pytest.fixture
def client() -> Iterator[Client]:
    """Give a client of an emulator with the hand-made store, which takes only the token ``secret``."""
    with running(store(), token="secret") as emulator:
        made = Client(emulator)
        with made.session:
            yield made


def test_throttles_and_fails_a_set_number_of_times(client: Client) -> None:
    """A counted fault strikes that often, then no more."""
    assert client.set(throttle={"count": 1, "retry_after": 3}, error={"count": 1}).status_code == 200
    answers = [client.get("/search") for _ in range(3)]
    assert [one.status_code for one in answers] == [429, 500, 200]
    assert answers[0].headers["Retry-After"] == "3"


def test_cuts_connections_and_garbles_bodies(client: Client) -> None:
    """A cut answer ends before its length; a malformed one is complete but no JSON."""
    client.set(cut={"count": 1})
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.get("/search")
    client.set(malformed={"count": 1})
    with pytest.raises(requests.exceptions.JSONDecodeError):
        client.get("/search").json()
    assert client.get("/search").json()["count"] == 2


def test_answers_slowly(client: Client) -> None:
    """A slow answer comes after the read timeout of an impatient client."""
    client.set(slow={"probability": 1, "seconds": 30})
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.session.get(client.emulator.base_url + "/search", timeout=0.05)


def test_repeats_datapoints(client: Client) -> None:
    """Repeated datapoints come once more at the end, out of order."""
    client.set(repeat={"share": 1})
    assert values(client.get(f"/{first(client)}/data")) == [*range(36), *range(36)]


def test_withholds_late_samples(client: Client) -> None:
    """All samples are delayed, and a share of them longer, always the same ones."""
    path = f"/{first(client)}/data"
    client.set(late={"minutes": 200})
    assert values(client.get(path)) == list(range(33))
    client.set(late={"share": 0.5, "share_minutes": 10_000})
    some = values(client.get(path))
    assert 8 < len(some) < 28
    assert values(client.get(path)) == some
    client.set()
    assert values(client.get(path)) == list(range(36))


def test_refuses_unknown_faults(client: Client) -> None:
    """A fault that does not exist is refused by name, and those in force stay."""
    client.set(error={"probability": 0.25})
    answer = client.set(flood={})
    assert answer.status_code == 400
    assert "flood" in answer.json()["message"]
    got = client.session.get(client.emulator.root_url + "/faults", timeout=5).json()
    assert got["error"]["probability"] == 0.25


def test_the_same_seed_throws_the_same_dice() -> None:
    """Faults by probability follow the seed."""
    plan = FaultPlan.model_validate({"error": {"probability": 0.5}})
    runs = []
    for seed in (7, 7, 8):
        faults = Faults(plan, seed)
        runs.append([faults.strikes("error") for _ in range(40)])
    assert runs[0] == runs[1] != runs[2]


def test_the_client_gets_through_every_fault() -> None:
    """With all passing faults at once the client reads exactly what it reads without them."""
    plan = FaultPlan.model_validate(
        {
            "throttle": {"probability": 0.2, "retry_after": 0},
            "error": {"probability": 0.2},
            "cut": {"probability": 0.2},
            "repeat": {"share": 0.5},
        }
    )
    with (
        running(store(), seed=3) as emulator,
        OmniaSource(StaticCredential(), emulator.base_url, backoff=0.0, retries=12) as source,
    ):
        windows = [Window(one, START, NOW) for one in emulator.store.series]
        calm = source.read(windows)
        emulator.faults.set(plan)
        assert [source.read(windows) for _ in range(10)] == [calm] * 10
        assert len(emulator.requests) > 24


def test_tells_the_truth_beside_the_api(client: Client) -> None:
    """The truth needs no token and is not part of the API."""
    assert requests.get(client.emulator.root_url + "/truth", timeout=5).json() == {"leak": None}
    assert requests.get(client.emulator.root_url + "/elsewhere", timeout=5).status_code == 404
    assert client.get("/truth").status_code == 404


def test_runs_from_the_command_line() -> None:
    """The first line is the base URL; a SIGTERM ends the process well."""
    environment = os.environ | {"PYTHONPATH": "mock"}
    arguments = [sys.executable, "-m", "omnia_emulator", "--now", "2026-03-01T12:00:00Z", "--platforms", "troll"]
    leak = ["--leak-template", "troll-a", "--leak-hours-ago", "6"]
    with subprocess.Popen(
        [*arguments, *leak, "--faults", '{"error": {"count": 1}}'],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        truth = requests.get(url.split("/plant")[0] + "/truth", timeout=5).json()
        with OmniaSource(StaticCredential(), url, backoff=0.0) as source:
            assert list(source.resolve("TRA", ["31AI010A"])) == ["31AI010A"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert truth["leak"]["onset"] == "2026-03-01T06:00:00Z"
    assert (truth["leak"]["template"], truth["leak"]["rate_kg_s"]) == ("troll-a", 2e-5)


@pytest.mark.parametrize(
    "options",
    [
        ["--platforms", "atlantis"],
        ["--leak-template", "troll-z"],
        ["--leak-template", "troll-a", "--leak-point", "Q9"],
        ["--as-of", "2021-05-01"],
        ["--faults", '{"flood": 1}'],
        ["--data", "no-such-directory"],
    ],
)
def test_refuses_options_that_make_no_sense(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake on the command line is said in one line, and nothing is served."""
    assert command.main(options) == 2
    assert capsys.readouterr().err.startswith("omnia_emulator: ")


def test_samples_change_in_time() -> None:
    """A line is silent and then has everything; an hour is wrong until it is corrected; another one is deleted."""
    present = [NOW]
    with running(store(lambda: present[0]), token="secret") as emulator:
        client = Client(emulator)
        with client.session:
            path, later = f"/{first(client)}/data", NOW + timedelta(hours=1)
            span = {"start": (START + timedelta(hours=1)).isoformat(), "end": (START + timedelta(hours=2)).isoformat()}
            silent = {"kind": "silent", **span, "at": later.isoformat(), "tags": "19H-1"}
            assert client.set(changes=[silent]).json()["changes"][0]["kind"] == "silent"
            assert values(client.get(path)) == [*range(12), *range(24, 36)]
            client.set(changes=[{**silent, "kind": "corrected", "value": 900}])
            assert values(client.get(path)) == [*range(12), *[900] * 12, *range(24, 36)]
            client.set(changes=[{**silent, "kind": "deleted"}])
            assert values(client.get(path)) == list(range(36))
            present[0] = later
            assert values(client.get(path)) == [*range(12), *range(24, 36)]
            client.set(changes=[silent])
            assert values(client.get(path)) == list(range(36))
            client.set(changes=[{**silent, "kind": "deleted", "tags": "19H-2"}])
            assert values(client.get(path)) == list(range(36))


def test_series_are_not_what_they_were(client: Client) -> None:
    """One is gone, made anew under another id, or there twice; in another unit; unreadable, or refused."""
    one = first(client)
    client.set(odd=[{"tags": "19H-1", "kind": "gone"}])
    assert client.get("/search", name="19H-1").json()["count"] == 0
    client.set(odd=[{"tags": "19H-1", "kind": "anew"}])
    (anew,) = client.get("/search", name="19H-1").json()["data"]["items"]
    assert anew["id"] != one
    assert (client.get(f"/{one}/data").status_code, client.get(f"/{anew['id']}/data").status_code) == (404, 200)
    client.set(odd=[{"tags": "19H-1", "kind": "twice"}], units=[{"tags": "19H-1", "unit": "K"}])
    twins = client.get("/search", name="19H-1").json()["data"]["items"]
    assert len({twin["id"] for twin in twins}) == 2
    assert {twin["unit"] for twin in twins} == {"K"}
    client.set(odd=[{"tags": "19H-1", "kind": "unreadable"}])
    assert set(values(client.get(f"/{one}/data"))) == {"Bad Input"}
    client.set(odd=[{"tags": "19H-1", "kind": "refused"}])
    assert client.get(f"/{one}/data").status_code == 400


def test_a_hanging_series_does_not_answer(client: Client) -> None:
    """Until the emulator is closed; the other series does."""
    client.set(odd=[{"tags": "19H-1", "kind": "hanging"}])
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.session.get(f"{client.emulator.base_url}/{first(client)}/data", timeout=0.05)
    assert client.get(f"/{list(client.emulator.store.series)[1]}/data").status_code == 200
