"""What tests share: one Azurite per test process, names that no other test uses, and the app wired to both."""

import importlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.azurite import Azurite
from local.metadata import BY_HAND
from local.pictures import chromium
from shared import retry
from shared.bootstrap import Bootstrap
from shared.settings import Settings
from tests.support.demo import run_demo
from tests.support.http_calls import HttpFunctions
from tests.support.paths import RECORDED_SERIES
from tests.support.planted import Copy

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.http_host import FilledHost

NOWHERE = "http://127.0.0.1:9/plant/timeseries/v1.7"


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Return a copy of the project to plant faults in."""
    return Copy(tmp_path)


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Real storage in memory, started on first use; a test takes its own names in it (fixture `unique`)."""
    with Azurite() as running:
        yield running


@pytest.fixture
def without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once after a conflict."""
    monkeypatch.setattr(retry, "LONGEST_WAIT_S", 0.0)


@pytest.fixture
def unique() -> str:
    """A short name that no other test has, good for containers, queues and tables."""
    return f"t{uuid.uuid4().hex[:11]}"


def environment(connection: str, prefix: str, **more: str) -> dict[str, str]:
    """Return the app's settings as environment variables, with storage names of its own."""
    derived = ("REGISTRY", "DEVIATIONS", "INCIDENTS", "ESTIMATIONS", "EVENTS")
    tables = (*derived, "MARKS", "JOURNAL", "ALARMS", "SUPPRESSIONS", "STATEMENTS", "PROOF_TESTS")
    return {
        "AzureWebJobsStorage": connection,
        "AzureFunctionsWebHost__hostid": prefix,  # hosts of one name work on one queue of blob events
        "OMNIA__BASE_URL": NOWHERE,
        "OMNIA__STATIC_TOKEN": "test",
        "INGEST_SCHEDULE": BY_HAND,
        "INGEST__SPREAD_SECONDS": "0",
        "BASELINE__SPREAD_SECONDS": "0",
        "BASELINES_SCHEDULE": BY_HAND,
        "KEEP_SCHEDULE": BY_HAND,
        **{f"STORAGE__{name}_TABLE": f"{prefix}{name.lower().replace('_', '')}" for name in tables},
        "STORAGE__LAKE_CONTAINER": f"{prefix}-tsd",
        "STORAGE__BASELINES_CONTAINER": f"{prefix}-baselines",
        "STORAGE__CORRUPT_CONTAINER": f"{prefix}-corrupt",
        "STORAGE__BACKUP_CONTAINER": f"{prefix}-backup",
        "BACKUP__ON": "false",  # who tests it says so
        "STORAGE__CRITICAL_QUEUE": f"{prefix}-critical",
        "STORAGE__BASELINES_QUEUE": f"{prefix}-build",
        "STORAGE__NOTIFICATIONS_QUEUE": f"{prefix}-notifications",
        "STORAGE__STATEMENTS_QUEUE": f"{prefix}-state",
        "STORAGE__INGEST_QUEUE": f"{prefix}-ingest",
        "STORAGE__LAKE_EVENTS_QUEUE": f"{prefix}-lake",
        **more,
    }


def bootstrap(values: dict[str, str]) -> Bootstrap:
    """Return the app wired by these environment variables, without setting them."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        group, _, key = name.partition("__")
        if key:
            nested.setdefault(group.lower(), {})[key.lower()] = value
        else:
            nested[name if name == "AzureWebJobsStorage" else name.lower()] = value
    return Bootstrap(Settings(**nested))


@pytest.fixture
def make_app(azurite: Azurite) -> Callable[..., Bootstrap]:
    """Return a function that wires an app to storage names of its own, which are there."""

    def make(prefix: str, **more: str) -> Bootstrap:
        app = bootstrap(environment(azurite.connection_string, prefix, **more))
        app.clients.ensure_storage()
        return app

    return make


@pytest.fixture(scope="session")
def http_functions() -> HttpFunctions:
    """The app's HTTP functions; a test puts use cases of its own behind them."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment("UseDevelopmentStorage=true", "unused").items():
            patch.setenv(name, value)
        return HttpFunctions(importlib.import_module("function_app").app)


@pytest.fixture(scope="module")
def host(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator["FilledHost"]:
    """A host with something of everything, of this module's tests alone."""
    from tests.support.http_host import filled_host

    folder = tmp_path_factory.mktemp("host")
    with filled_host(azurite.connection_string, f"h{uuid.uuid4().hex[:11]}", folder) as running:
        yield running


@pytest.fixture(scope="session")
def finished_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that has run to its end."""
    folder = tmp_path_factory.mktemp("demo")
    code, output = run_demo(folder)
    assert code == 0, output
    (folder / "output.txt").write_text(output)
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """A real browser; tests that need it are skipped where there is none."""
    from playwright.sync_api import sync_playwright

    program = chromium()
    if program is None:
        pytest.skip("there is no browser: `apt-get install chromium`, or its path in CHROMIUM")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def real_series() -> Path:
    """Return the folder of recorded series; tests that need it are skipped where it is absent."""
    folder = RECORDED_SERIES
    if not folder.is_dir():
        pytest.skip("the recorded series (../shared/data) are not here")
    return folder
