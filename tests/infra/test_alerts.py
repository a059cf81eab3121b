"""Alerts and the workbook look for lines that the stages say, and each alert has its page."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.source import function_names, nodes
from tests.support.paths import ROOT

PARTS = ROOT / "infra" / "parts"
ALERTS = ("alerts.bicep", "alerts-events.bicep")
NOT_IN_A_DEMO = {"OMNIA failed", "source failed", "poison message"}  # it goes well


def queries() -> Iterator[str]:
    """Yield every query of the alerts and of the workbook."""
    alerts = (PARTS / "alerts.bicep").read_text()
    yield from (one.replace("\\\\", "\\") for one in re.findall(r"query: '(.+)'", alerts))
    yield from re.findall(r"= '''\n(.*?)'''", alerts, re.DOTALL)
    for item in json.loads((PARTS / "workbook.json").read_text())["items"]:
        if item["type"] == 3:
            yield item["content"]["query"]


def wanted() -> Iterator[tuple[list[str], list[str]]]:
    """Yield the words that each query looks for, with the patterns of the fields that it reads from those lines."""
    for query in queries():
        words = re.findall(r'message startswith "(.+?)"', query)
        if words:
            yield words, re.findall(r'extract\(@"(.+?)", 1, message', query)


def told() -> Iterator[tuple[set[str], set[str]]]:
    """Yield the words of every line that the app can say, with the fields that are named where it is said."""
    for folder in ("shared", "functions"):
        for _, node in nodes(ROOT / folder):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "log_event":
                words = {str(one.value) for one in node.args if isinstance(one, ast.Constant)}
                yield words, {one.arg for one in node.keywords if one.arg}


def test_every_query_looks_for_words_that_the_app_says() -> None:
    """A line that is reworded would silence an alert."""
    looked_for = {one for words, _ in wanted() for one in words}
    assert len(looked_for) >= 8
    assert looked_for <= {one for words, _ in told() for one in words}


def test_queries_of_failures_read_fields_that_the_lines_have() -> None:
    """No demo says these lines, so they are held where they are said."""
    read = [(words[0], patterns) for words, patterns in wanted() if NOT_IN_A_DEMO & set(words)]
    assert {words for words, _ in read} == NOT_IN_A_DEMO
    for words, patterns in read:
        (fields,) = [fields for said, fields in told() if words in said]
        assert {one.partition("=")[0] for one in patterns} <= fields


def test_each_stage_that_can_fall_silent_is_listened_for() -> None:
    """No line of ingest, days written that nobody scores, and events that Event Grid could not hand over."""
    (scored,) = [query for query in queries() if "leftouter" in query]
    assert re.findall(r'startswith "(.+?)"', scored) == ["template ingested", "day scored"]
    assert "blobs_written=" in scored
    metrics = (PARTS / "alerts-events.bicep").read_text()
    assert all(one in metrics for one in ("DeliveryAttemptFailCount", "DroppedEventCount", "DeadLetteredCount"))
    assert "parts/alerts-events.bicep" in (ROOT / "infra" / "events.bicep").read_text()


def test_the_cap_of_telemetry_is_told_of_with_what_it_blinds() -> None:
    """The alert asks the workspace, and its page names every alert that reads telemetry."""
    alerts = (PARTS / "alerts.bicep").read_text()
    assert "one.key == 'telemetry-cap' ? workspace.id : insightsId" in alerts
    page = (ROOT / "docs" / "operations.md").read_text().partition("### `telemetry-cap`")[2].partition("###")[0]
    blinded = set(re.findall(r"key: '(.+)'", alerts)) - {"telemetry-cap"}
    assert blinded <= set(re.findall(r"`([a-z-]+)`", page))


def test_failed_runs_are_of_every_function_that_works_without_a_caller() -> None:
    """A new trigger that is not in the alert would fail unheard."""
    working = function_names(ROOT / "functions", "*.py")  # what has a caller lies deeper
    (heard,) = [found[1] for query in queries() if (found := re.search(r"name in \((.+?)\)", query))]
    assert set(re.findall(r"\w+", heard)) == working


def test_every_alert_has_its_page() -> None:
    """The heading in docs/operations.md is the end of the rule's name, as its description says."""
    keys = [key for file in ALERTS for key in re.findall(r"key: '(.+)'", (PARTS / file).read_text())]
    headings = re.findall(r"^### `(.+)`$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert headings == keys


@pytest.mark.azurite
@pytest.mark.slow
@pytest.mark.xdist_group("demo")
@pytest.mark.timeout(900)
def test_every_query_reads_its_fields_from_real_lines(finished_demo: Path) -> None:
    """Of everything that happens in a demo; that OMNIA fails, and that messages are poison, does not."""
    log = (finished_demo / "host.log").read_text().splitlines()
    read = 0
    for words, patterns in wanted():
        lines = [line for line in log if any(one in line for one in words)]
        if not NOT_IN_A_DEMO & set(words):
            for pattern in patterns:
                assert any(re.search(pattern, line) for line in lines), (words, pattern, lines[:1])
                read += 1
    assert read > 20
