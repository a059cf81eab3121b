"""The performance statement by HTTP: asked for, made by its function's use case, and shown by API and page."""

import pytest
import requests

from tests.support.filled import NOW, TEMPLATE
from tests.support.http_host import FilledHost

pytestmark = [pytest.mark.azurite, pytest.mark.xdist_group("http_resources")]
PATH = f"templates/{TEMPLATE}/performance"


def page(host: FilledHost) -> str:
    """Return the page's HTML."""
    answer = requests.get(f"{host.url}/{PATH}", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_statement_is_asked_for_and_shown(host: FilledHost) -> None:
    """Before there is one, and where nothing can be promised, page and API say so."""
    assert host.get(PATH)["stale"] == ["none was made yet"]
    assert "No statement has been made" in page(host)
    asked = host.ask("POST", PATH)
    assert (asked.status_code, asked.json()["newest"]) == (202, None)
    queue = host.app.clients.queue(host.app.settings.storage.statements_queue)
    assert queue.get_queue_properties().approximate_message_count == 1
    host.app.performance.run(TEMPLATE)
    try:
        found = host.get(PATH)
        assert found["before"] is None
        assert found["newest"]["template"] == TEMPLATE
        (why,) = found["newest"]["unknown"]
        assert why.startswith("the current was not measured for 120 h on end")
        assert why in page(host)
        assert "How reliable it was" in page(host)
    finally:
        host.app.statements_table.remove_all(TEMPLATE)
        queue.clear_messages()


def test_who_is_not_registered_has_none(host: FilledHost) -> None:
    """A page and a problem of their own, as everywhere."""
    assert host.ask("GET", "templates/snorre-zz/performance").status_code == 404
    assert host.ask("POST", "templates/snorre-zz/performance").status_code == 404
    assert requests.get(f"{host.url}/templates/snorre-zz/performance", timeout=30).status_code == 404


def test_subjects_are_the_templates_that_have_a_statement(host: FilledHost) -> None:
    """Those of a platform, for who looks for what belongs to no template."""
    table = host.app.statements_table
    host.app.performance.run(TEMPLATE)
    try:
        assert table.subjects("snorre-") == [TEMPLATE]
        assert table.subjects("troll-") == []
        assert table.count(TEMPLATE) == 1
        stored = table.get(TEMPLATE)
        assert stored is not None
        assert stored.statements.newest.made == NOW
    finally:
        table.remove_all(TEMPLATE)
    table.remove_all(TEMPLATE)
    assert (table.get(TEMPLATE), table.count(TEMPLATE)) == (None, 0)
