"""A host of its own with something of everything, whose answers are held against the contract."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from local.process import HostProcess
from shared.bootstrap import Bootstrap
from shared.domain.incident import Incident
from shared.domain.suppression import Suppression
from tests.conftest import bootstrap, environment
from tests.support.contract import Contract
from tests.support.filled import NOW, QUIET, fill, plan


@dataclass(frozen=True)
class FilledHost:
    """The host, what it stands on, and the incident in it."""

    url: str
    app: Bootstrap
    incident: Incident

    @cached_property
    def contract(self) -> Contract:
        """What the host says of itself."""
        return Contract(requests.get(f"{self.url}/api/openapi.json", timeout=30).json())

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return the answer to a request below ``/api``; ``body``: bytes as they are, or what becomes JSON.

        AssertionError for an answer that the contract does not know.
        """
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        given = ({} if content is None else {"Content-Type": "application/json"}) | dict(headers or {})
        answer = requests.request(
            method, f"{self.url}/api/{path}", params=query, data=content, headers=given, timeout=60
        )
        kind = answer.headers.get("Content-Type", "")
        shown = answer.json() if "json" in kind and answer.content else answer.text or None
        self.contract.check(self.contract.find(method, f"/{path}"), answer.status_code, kind, shown)
        return answer

    def get(self, path: str, **query: str) -> Any:
        """Return what is at a path; AssertionError unless it is there."""
        answer = self.ask("GET", path, query=query)
        assert answer.ok, answer.text
        return answer.json()

    def planned(self) -> Suppression:
        """Return the operation of the good bodies, planned once."""
        return plan(self.app)

    def snapshot(self) -> Mapping[str, Any]:
        """Return all that is stored, with the tags that every write changes."""
        names = self.app.settings.storage
        containers = (names.lake_container, names.baselines_container, names.corrupt_container)
        return {
            **{
                name: {one.name: one.etag for one in self.app.clients.container(name).list_blobs()}
                for name in containers
            },
            **{
                table.table_name: {
                    (row["PartitionKey"], row["RowKey"]): row.metadata["etag"] for row in table.list_entities()
                }
                for table in self.app.clients.tables()
            },
            **{
                name: self.app.clients.queue(name).get_queue_properties().approximate_message_count
                for name in names.queues
            },
        }


@contextmanager
def filled_host(connection: str, prefix: str, folder: Path, *arguments: str, **more: str) -> Iterator[FilledHost]:
    """Run a host with these arguments and settings on filled storage of its own."""
    values = environment(connection, prefix, AS_OF=NOW.isoformat())
    app = bootstrap(values)
    app.clients.ensure_storage()
    incident = fill(app)
    with HostProcess({**values, **more, **QUIET}, *arguments, log=folder / "host.log") as host:
        yield FilledHost(host.url, app, incident)


def escaped(text: str) -> str:
    """Return a text as one segment of a path."""
    return quote(text, safe="")
