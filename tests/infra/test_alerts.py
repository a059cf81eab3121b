"""Alerts and the workbook look for lines that the stages say, and each alert has its page."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.snapshots import Resource, snapshot_of, values_at
from conformance.source import function_names, nodes
from tests.support.paths import ROOT

DEV = snapshot_of(ROOT, "dev")  # no variant has other alerts (promises)
ALERTS = [*DEV.of("Microsoft.Insights/scheduledQueryRules"), *DEV.of("Microsoft.Insights/metricAlerts")]
PAGE = re.compile(r"docs/operations\.md#([a-z-]+)$")
NOT_IN_A_DEMO = {
    "OMNIA failed",
    "source failed",
    "poison message",
    "platform unreadable",
    "proof test failed",
    "queue waits",
}  # it goes well


def queries() -> Iterator[str]:
    """Yield every query of the alerts and of the workbook."""
    yield from (query for one in ALERTS for query in values_at(one, "properties.criteria.allOf.query"))
    (workbook,) = DEV.of("Microsoft.Insights/workbooks")
    for item in json.loads(workbook["properties"]["serializedData"])["items"]:
        if item["type"] == 3:
            yield item["content"]["query"]


def key(alert: Resource) -> str:
    """Return the heading of an alert's page, as its description names it."""
    found = PAGE.search(alert["properties"]["description"])
    assert found, alert["name"]
    return found[1]


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
    """No line of ingest, days written that nobody scores, baselines that nobody looks after, events not handed over."""
    scored, looked_after = [query for query in queries() if "leftouter" in query]
    assert re.findall(r'startswith "(.+?)"', scored) == ["template ingested", "day scored"]
    assert re.findall(r'startswith "(.+?)"', looked_after) == ["template watched", "baselines looked after"]
    assert "blobs_written=" in scored
    metrics = {name for one in ALERTS for name in values_at(one, "properties.criteria.allOf.metricName")}
    assert metrics == {"DeliveryAttemptFailCount", "DroppedEventCount", "DeadLetteredCount"}


def test_events_that_are_given_up_are_kept_somewhere() -> None:
    """Without a place for them Event Grid counts no dead letter, and the alert could never be raised."""
    (subscription,) = DEV.of("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    place = "properties.deadLetterWithResourceIdentity.deadLetterDestination.properties.blobContainerName"
    (container,) = values_at(subscription, place)
    page = (ROOT / "docs" / "operations.md").read_text().partition("### `events-dead-lettered`")[2].partition("##")[0]
    assert f"`{container}`" in page


def test_the_cap_of_telemetry_is_told_of_with_what_it_blinds() -> None:
    """The alert asks the workspace, and its page names every alert that reads telemetry."""
    scopes = {key(one): values_at(one, "properties.scopes")[0].rpartition("/")[0] for one in ALERTS}
    assert scopes.pop("telemetry-cap").endswith("/Microsoft.OperationalInsights/workspaces")
    page = (ROOT / "docs" / "operations.md").read_text().partition("### `telemetry-cap`")[2].partition("###")[0]
    blinded = {name for name, scope in scopes.items() if scope.endswith("/Microsoft.Insights/components")}
    assert blinded
    assert blinded <= set(re.findall(r"`([a-z-]+)`", page))


def test_failed_runs_are_of_every_function_that_works_without_a_caller() -> None:
    """A new trigger that is not in the alert would fail unheard."""
    working = function_names(ROOT / "functions", "*.py")  # what has a caller lies deeper
    (heard,) = [found[1] for query in queries() if (found := re.search(r"name in \((.+?)\)", query))]
    assert set(re.findall(r"\w+", heard)) == working


def test_every_alert_has_its_page() -> None:
    """The heading in docs/operations.md is the end of the rule's name, as its description says."""
    assert all(one["name"].endswith(f"-{key(one)}") for one in ALERTS)
    headings = re.findall(r"^### `(.+)`$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert headings == [key(one) for one in ALERTS]


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
