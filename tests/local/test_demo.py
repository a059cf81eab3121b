"""The demo, as a person runs it: it finds the leak, and a second time it finds nothing to change."""

import re
from pathlib import Path

import pytest
import requests

from tests.support.demo import live_demo, run_demo

pytestmark = [
    pytest.mark.azurite,
    pytest.mark.slow,
    pytest.mark.xdist_group("demo"),
    pytest.mark.timeout(900),
]


def test_the_demo_finds_the_leak_and_a_second_run_changes_no_row(finished_demo: Path) -> None:
    """Truth stands beside the estimate; on the same storage everything is already known."""
    output = (finished_demo / "output.txt").read_text()
    assert re.search(r"CONFIRMED: probability of a leak here (0\.9\d|1\.00)", output)
    assert re.search(r"^verdict +a leak +CONFIRMED", output, re.MULTILINE)
    off = re.search(r"([\d.]+) m off", output)
    assert off is not None
    assert float(off[1]) < 5
    factor = re.search(r"x([\d.]+)$", output, re.MULTILINE)
    assert factor is not None
    assert 0.3 < float(factor[1]) < 3
    again, second_output = run_demo(finished_demo)
    assert again == 0, second_output
    assert "rows of the tables that this run wrote: 0 " in second_output


def test_one_operation_leads_from_the_timer_to_the_estimation(finished_demo: Path) -> None:
    """The host's log tells of every stage, and the operation that found the leak is in each."""
    log = (finished_demo / "host.log").read_text()
    stages = ("template ingested", "day scored", "incident opened", "incident estimated")
    operations = [set(re.findall(rf"{stage} .*operation=([0-9a-f]{{32}})", log)) for stage in stages]
    assert set.intersection(*operations), [len(one) for one in operations]


def test_the_real_rise_is_flagged_critical_and_estimated(real_series: Path, tmp_path: Path) -> None:
    """The Snorre rise of 2021-04-28 with its currents, as it was recorded."""
    code, output = run_demo(tmp_path, "--data", str(real_series))
    assert code == 0, output
    assert re.search(r"snorre-w +Critical since 2021-04-2[89]T", output)
    assert re.search(r"(CONFIRMED|UNDEFINED|EXTERNAL_CAUSE): probability of a leak here [\d.]+", output)


def test_another_story_on_the_same_storage_is_refused(tmp_path: Path) -> None:
    """Two presents in one storage would make neither true."""
    (tmp_path / "story.json").write_text('{"story": {}, "present": "2026-01-01T00:00:00Z"}')
    code, output = run_demo(tmp_path)
    assert code == 1
    assert "run it with FRESH=1" in output


def test_a_live_run_keeps_what_people_wrote(tmp_path: Path) -> None:
    """A note is there in the next run, which goes on where the first one ended, on the port that was asked for."""
    notes = "api/templates/snorre-w/events"
    with live_demo(tmp_path) as url:
        made = requests.post(f"{url}/{notes}", json={"message": "A diver was there.", "by": "Kari"}, timeout=30)
        assert made.status_code == 201
        port = url.rpartition(":")[2]
    with live_demo(tmp_path, "--port", port) as again:
        assert again == url
        told = requests.get(f"{again}/{notes}", timeout=30).json()["items"]
        assert [one["message"] for one in told if one["kind"] == "note"] == ["A diver was there."]
