"""The documented Python client does what it says, on a host with something of everything."""

import re
from typing import Any

import pytest

from tests.support.filled import SENSOR, TEMPLATE
from tests.support.http_host import FilledHost
from tests.support.paths import ROOT

pytestmark = [pytest.mark.azurite, pytest.mark.xdist_group("http_examples")]

CLIENT, FRAME = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python-client.md").read_text(), re.DOTALL)


@pytest.fixture
def client(host: FilledHost, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the client's names stand for after its code ran."""
    monkeypatch.setenv("LEAK_API", f"{host.url}/api")
    names: dict[str, Any] = {}
    exec(CLIENT, names)  # noqa: S102
    return names


def test_a_year_of_readings_comes_line_by_line(host: FilledHost, client: dict[str, Any]) -> None:
    """The same samples as JSON has."""
    span = {"from": "2025-03-04", "to": "2026-03-04 00:00:00+00:00"}
    found = list(client["lines"](f"sensors/{SENSOR}/tsd", **span))
    shown = host.get(f"sensors/{SENSOR}/tsd", **span)
    assert len(found) > 400
    assert [one["time"] for one in found] == shown["times"]
    assert [one["ppmv"] for one in found] == ["" if one is None else str(one) for one in shown["ppmv"]]


def test_a_list_goes_on_to_its_last_page(host: FilledHost, client: dict[str, Any]) -> None:
    """Pages of one item give what a single page gives."""
    path = f"templates/{TEMPLATE}/events"
    ids = [one["id"] for one in client["lines"](path, limit="1")]
    assert len(ids) > 1
    assert ids == [one["id"] for one in host.get(path)["items"]]


def test_the_data_frame_is_of_the_year(client: dict[str, Any]) -> None:
    """Where pandas is installed: a column of numbers with times."""
    pandas = pytest.importorskip("pandas")
    exec(FRAME, client)  # noqa: S102
    readings = client["readings"]
    assert isinstance(readings.index, pandas.DatetimeIndex)
    assert readings["ppmv"].dtype == "float64"
    assert len(readings) > 400
