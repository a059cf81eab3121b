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


def logged_words() -> set[str]:
    """Return the words of every line that the app can say."""
    found = set()
    for folder in ("shared", "functions"):
        for _, node in nodes(ROOT / folder):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "log_event":
                found |= {str(one.value) for one in node.args if isinstance(one, ast.Constant)}
    return found


def test_every_query_looks_for_words_that_the_app_says() -> None:
    """A line that is reworded would silence an alert."""
    looked_for = {one for words, _ in wanted() for one in words}
    assert len(looked_for) >= 7
    assert looked_for <= logged_words()


def test_failed_runs_are_of_every_function_that_works_without_a_caller() -> None:
    """A new trigger that is not in the alert would fail unheard."""
    working = function_names(ROOT / "functions", "*.py")  # what has a caller lies deeper
    (heard,) = [found[1] for query in queries() if (found := re.search(r"name in \((.+?)\)", query))]
    assert set(re.findall(r"\w+", heard)) == working


def test_every_alert_has_its_page() -> None:
    """The heading in docs/operations.md is the end of the rule's name, as its description says."""
    keys = re.findall(r"key: '(.+)'", (PARTS / "alerts.bicep").read_text())
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
        if not {"OMNIA failed", "poison message"} & set(words):
            for pattern in patterns:
                assert any(re.search(pattern, line) for line in lines), (words, pattern, lines[:1])
                read += 1
    assert read > 20
