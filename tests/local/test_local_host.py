"""The local host runs a sample app in a process of its own, on real storage."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient

from local.azurite import Azurite
from local.event_grid import EventGrid
from local.process import HostProcess
from shared.adapters.lake_events import lake_event

pytestmark = pytest.mark.azurite
QUARTERLY = "0 0 0 1 */3 *"  # a schedule that does not come during a test


@dataclass
class Sample:
    """One sample app's settings, storage and journal."""

    name: str
    storage: str
    folder: Path
    container: ContainerClient
    queue: QueueClient

    def host(self, *arguments: str, **settings: str) -> HostProcess:
        """A host for the app, not yet started."""
        ours = {
            "AzureWebJobsStorage": self.storage,
            "AzureFunctionsWebHost__hostid": self.name,
            "SAMPLE_NAME": self.name,
            "SAMPLE_SCHEDULE": QUARTERLY,
            "SAMPLE_JOURNAL": str(self.folder / "journal"),
        }
        command = ("--app", "tests.support.host_sample_app", "--lease", "2", *arguments)
        return HostProcess(ours | settings, *command, root=self.folder, log=self.folder / "log")

    def journal(self, kind: str) -> list[Any]:
        """What runs of that kind wrote, in order."""
        path = self.folder / "journal"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [value for what, value in lines if what == kind]

    def send(self, text: str) -> None:
        """Puts a message on the queue, encoded as an SDK producer must."""
        self.queue.send_message(base64.b64encode(text.encode()).decode())

    def messages(self, queue: str) -> list[str]:
        """The texts on another queue of the account."""
        with QueueClient.from_connection_string(self.storage, queue) as client:
            return [base64.b64decode(m.content).decode() for m in client.peek_messages(max_messages=32)]


@pytest.fixture
def sample(azurite: Azurite, unique: str, tmp_path: Path) -> Iterator[Sample]:
    """A sample app with a container and a queue of its own."""
    storage = azurite.connection_string
    with (
        BlobServiceClient.from_connection_string(storage) as blobs,
        QueueClient.from_connection_string(storage, unique) as queue,
    ):
        container = blobs.create_container(unique)
        queue.create_queue()
        yield Sample(unique, storage, tmp_path, container, queue)


def test_http_triggers_answer_with_routes_methods_and_bodies(sample: Sample) -> None:
    """Routes, parameters, methods, headers, bodies and failures travel as on the platform."""
    with sample.host() as host, requests.Session() as session:
        item = session.get(f"{host.url}/api/items/a%20b?x=1&x=&x=2&y=&z")
        assert item.json() == {"name": "a b", "query": {"x": "1,2"}, "url": item.url}
        assert item.headers["X-Kind"] == "item"
        assert item.headers.get("Connection") != "close"
        assert item.headers["Content-Type"] == "application/json"
        assert session.get(f"{host.url}/api/items/special").text == "exact_item 36"
        head = session.head(f"{host.url}/api/items/a")
        assert (head.status_code, head.content, int(head.headers["Content-Length"]) > 0) == (200, b"", True)
        posted = session.post(f"{host.url}/api/files/a/b.txt", data=b"\x00body")
        assert (posted.status_code, posted.content, posted.headers["X-Rest"]) == (201, b"\x00body", "a/b.txt")
        chunked = session.post(f"{host.url}/api/files/a", data=iter([b"a ", b"body"]))
        assert (chunked.status_code, chunked.content) == (201, b""), "the platform passes no body without a length"
        assert session.post(f"{host.url}/api/files/a", data=b"next").content == b"next"
        boom = session.get(f"{host.url}/api/boom")
        assert (boom.status_code, boom.content) == (500, b"")
        for method, path in (("DELETE", "items/a"), ("GET", "files/a"), ("FOO", "items/a"), ("GET", "nothing")):
            assert session.request(method, f"{host.url}/api/{path}").status_code == 404
        assert session.get(f"{host.url}/admin/host/status").json()["state"] == "Running"
        assert host.wait_idle()["failed"] == {"boom": 1}
    assert "a secret of the inside" in (sample.folder / "log").read_text()


def test_each_storage_trigger_runs_and_a_stopped_host_exits_with_zero(sample: Sample) -> None:
    """Timer, queue and blob triggers run on their own and on request; wait_idle tells when they have."""
    sample.container.upload_blob("troll/2024-01-01.json", b"one")
    sample.container.upload_blob("troll/2024-01-01.txt", b"not ours")
    host = sample.host().start()
    sample.send("hello")
    host.wait_idle()
    assert sample.journal("tick") == [False]
    assert sample.journal("message") == [["hello", 1]]
    assert sample.journal("blob") == [[f"{sample.name}/troll/2024-01-01.json", "one", 3]]
    sample.container.upload_blob("troll/2024-01-01.json", b"two", overwrite=True)
    host.run_now("tick")
    host.run_now("take", "by hand")
    state = host.wait_idle()
    assert [content for _, content, _ in sample.journal("blob")] == ["one", "two"]
    assert sample.journal("tick") == [False, False]
    assert sample.journal("message")[1] == ["by hand", None]
    assert (state["invocations"], state["failures"]) == (6, 0)
    assert host.stop() == 0


def test_what_always_fails_ends_as_poison(sample: Sample) -> None:
    """A message is tried five times and moved; a blob is tried five times and reported; what is well goes on."""
    sample.send("bad")
    sample.send("good")
    sample.container.upload_blob("troll/bad.json", b"bad")
    with sample.host() as host:
        assert host.wait_idle()["failed"] == {"take": 5, "see": 5}
    assert sample.journal("begun").count("bad") == 5
    assert sample.messages(f"{sample.name}-poison") == ["bad"]
    assert sample.journal("message") == [["good", 1]]
    poisoned = [json.loads(text) for text in sample.messages("webjobs-blobtrigger-poison")]
    mine = [message for message in poisoned if message["ContainerName"] == sample.name]
    assert [(m["BlobName"], m["FunctionId"]) for m in mine] == [("troll/bad.json", "Host.Functions.see")]


def test_a_message_that_cannot_be_decoded_is_put_aside_at_once(sample: Sample) -> None:
    """No run and no second look can read it: it is kept as it came."""
    raw = "%%% not base64"
    sample.queue.send_message(raw)
    sample.send("good")
    with sample.host() as host:
        assert host.wait_idle()["failures"] == 0
    assert sample.journal("message") == [["good", 1]]
    with QueueClient.from_connection_string(sample.storage, f"{sample.name}-poison") as poison:
        assert [message.content for message in poison.peek_messages(max_messages=32)] == [raw]


def test_a_killed_host_goes_on_where_it_was(sample: Sample) -> None:
    """After a SIGKILL in the middle of work a new host loses nothing, and does not repeat what was finished."""
    for number in range(30):
        sample.send(f"m{number}")
        sample.container.upload_blob(f"troll/{number}.json", b"x")
    host = sample.host(SAMPLE_SECONDS="0.1").start()
    while len(sample.journal("message")) < 5:
        time.sleep(0.01)
    host.kill()
    finished = {text for text, _ in sample.journal("message")}
    assert len(finished) < 30
    with sample.host() as again:
        again.wait_idle()
    assert {text for text, _ in sample.journal("message")} == {f"m{number}" for number in range(30)}
    blobs = [name for name, _, _ in sample.journal("blob")]
    assert set(blobs) == {f"{sample.name}/troll/{number}.json" for number in range(30)}
    with sample.host() as third:
        third.wait_idle()
    assert [name for name, _, _ in sample.journal("blob")] == blobs


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_each_function_group_has_its_process_and_blobs_have_two(sample: Sample, start_method: str) -> None:
    """As on Flex Consumption; both processes of the blob group take from one queue."""
    for number in range(12):
        sample.container.upload_blob(f"troll/{number}.json", b"x")
    one_at_a_time = {"AzureFunctionsJobHost__extensions__blobs__maxDegreeOfParallelism": "1", "SAMPLE_SECONDS": "0.3"}
    with sample.host("--start-method", start_method, **one_at_a_time) as host:
        processes = host.wait_idle()["processes"]
        assert set(processes) == {"http#0", "blob#0", "blob#1", "function:tick#0", "function:take#0"}
        assert len(set(processes.values())) == 5
        assert set(sample.journal("process")) == {processes["blob#0"], processes["blob#1"]}
        host.run_now("see", f"{sample.name}/troll/1.json")
        assert host.wait_idle()["processes"] == processes
    assert len(sample.journal("blob")) == 13


def test_a_process_that_dies_is_started_again(sample: Sample) -> None:
    """What it held comes back when it is visible again; the other processes go on."""
    with sample.host(SAMPLE_SECONDS="1") as host:
        before = host.wait_idle()["processes"]
        sample.send("slow")
        while not sample.journal("begun"):
            time.sleep(0.01)
        os.kill(before["function:take#0"], signal.SIGKILL)
        after = host.wait_idle()["processes"]
    assert sample.journal("message") == [["slow", 2]]
    assert {name for name, process in before.items() if after[name] != process} == {"function:take#0"}
    assert "function:take#0 ended with -9 and is started again" in (sample.folder / "log").read_text()


def test_a_run_over_the_function_timeout_cuts_its_process(sample: Sample) -> None:
    """It cannot tell of its end: the next delivery finds that it had all its tries. Other groups do not notice."""
    bounds = {
        "AzureFunctionsJobHost__functionTimeout": "00:00:01",
        "AzureFunctionsJobHost__extensions__queues__maxDequeueCount": "1",
    }
    sample.send("endless")
    with sample.host(SAMPLE_SECONDS="600", **bounds) as host:
        state = host.wait_idle()
        assert requests.get(f"{host.url}/api/items/a", timeout=10).ok
    assert sample.journal("begun") == ["endless"]
    assert sample.messages(f"{sample.name}-poison") == ["endless"]
    assert state["failures"] == 0
    assert "take ran over functionTimeout of 1 s" in (sample.folder / "log").read_text()


def test_an_event_of_what_a_blob_was_before_is_dropped(sample: Sample) -> None:
    """The function runs on the blob as it was found, or not at all; so is an event of what is gone."""
    sample.container.upload_blob("troll/1.json", b"now")
    with sample.host() as host:
        host.wait_idle()
        with QueueClient.from_connection_string(sample.storage, f"azure-webjobs-blobtrigger-{sample.name}") as queue:
            for name in ("troll/1.json", "troll/gone.json"):
                event = {"FunctionId": "Host.Functions.see", "BlobName": name, "ETag": '"0x8D0"'}
                queue.send_message(base64.b64encode(json.dumps(event).encode()).decode())
        state = host.wait_idle()
    assert [content for _, content, _ in sample.journal("blob")] == ["now"]
    assert state["failures"] == 0


def test_event_grid_tells_a_queue_of_every_blob_of_a_container(sample: Sample) -> None:
    """Once for each time that it is written, whatever its name; one that starts again tells of all of them again."""
    sample.container.upload_blob("troll/1.json", b"one", metadata={"operation": "0f" * 16})
    sample.container.upload_blob("notes.txt", b"two")
    told = []
    for _ in range(2):
        grid = EventGrid(sample.storage, sample.name, sample.name)
        assert (grid.tell(), grid.tell()) == (2, 0)
        told.append(sorted(map(lake_event, sample.messages(sample.name))))
        sample.queue.clear_messages()
    assert told[0] == told[1] == [(sample.name, "notes.txt", ""), (sample.name, "troll/1.json", "0f" * 16)]
    sample.container.upload_blob("notes.txt", b"three", overwrite=True)
    assert grid.tell() == 1


def test_a_long_run_keeps_its_message(sample: Sample) -> None:
    """A function that takes longer than the lease keeps its message, which is not delivered a second time."""
    sample.send("slow")
    with sample.host(SAMPLE_SECONDS="3") as host:
        host.wait_idle()
    assert sample.journal("begun") == ["slow"]


def test_a_missed_timer_run_is_made_up_for(sample: Sample) -> None:
    """A timer whose moment passed while the host was down runs at once, and is told that it is late."""
    from local.storage import HOST_CONNECTION, Records, connect

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOST_CONNECTION, sample.storage)
        connect.cache_clear()
        Records(f"{sample.name}/timers").put("tick", next="2024-01-01T00:00:00+00:00")
        connect.cache_clear()
    with sample.host() as host:
        host.wait_idle()
    assert sample.journal("tick") == [True]


def test_faults_repeat_deliveries_and_change_their_order(sample: Sample) -> None:
    """With the fault switches every event comes twice, and blobs out of order."""
    names = [f"{sample.name}/troll/{number:02}.json" for number in range(12)]
    for number in range(12):
        sample.container.upload_blob(f"troll/{number:02}.json", b"x")
    sample.send("hello")
    with sample.host("--redeliver", "1", "--shuffle", "--seed", "3") as host:
        host.wait_idle()
    blobs = [name for name, _, _ in sample.journal("blob")]
    assert sorted(blobs) == sorted(names * 2)
    assert blobs != sorted(blobs)
    assert sample.journal("message") == [["hello", 1], ["hello", 2]]


def test_a_missing_app_setting_is_named(tmp_path: Path) -> None:
    """The host does not start, and one line says which setting of which function is missing."""
    settings = tmp_path / "local.settings.json"
    settings.write_text(json.dumps({"Values": {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}}))
    command = ["-m", "local.host", "--port", "0", "--root", str(tmp_path), "--app", "tests.support.host_sample_app"]
    result = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, timeout=30)
    assert result.returncode == 1
    assert result.stdout == ""
    assert "function tick, schedule of its timerTrigger: there is no app setting 'SAMPLE_SCHEDULE'" in result.stderr
