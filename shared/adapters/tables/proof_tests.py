"""Table of proof tests: PartitionKey platform, RowKey template.

The tests are compressed JSON; plain properties are for people.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.tables.access import TemplateRows, etag_of, every, get_entity, platform_of, put_entity
from shared.domain.proof_test import ProofTests
from shared.domain.tsd import iso
from shared.ports import ETag, StoredProofTests
from shared.schemas import Stored, numbered, read


class AzureProofTestsTable(TemplateRows):
    """The proof tests of each template."""

    def all(self) -> Sequence[StoredProofTests]:
        """Return the tests of every template that has any."""
        return [proof_tests_of(row, etag_of(row)) for row in every(self._table)]

    def get(self, template: str) -> StoredProofTests | None:
        """Return the template's tests, or None."""
        found = get_entity(self._table, platform_of(template), template)
        return None if found is None else proof_tests_of(found, etag_of(found))

    def put(self, tests: ProofTests, etag: ETag) -> str:
        """Write them on what was read and return the new etag; raises Conflict."""
        return put_entity(self._table, proof_tests_entity(tests), etag)


def proof_tests_entity(tests: ProofTests) -> dict[str, Any]:
    """Return a template's tests as their row in the table."""
    last = tests.last
    properties = {
        "PartitionKey": platform_of(tests.template),
        "RowKey": tests.template,
        "state": tests.now.state if tests.now else "",
        "last": last.state if last else "",
        "ended": iso(last.ended) if last and last.ended else "",
        "tests": zlib.compress(tests.model_dump_json().encode()),
    }
    return numbered(Stored.PROOF_TEST, properties)


def proof_tests_of(entity: Mapping[str, Any], etag: ETag) -> StoredProofTests:
    """Return the tests that a row of the table holds; raises NewerSchema."""
    return read(Stored.PROOF_TEST, entity, lambda row: StoredProofTests(_tests(row), etag))


def _tests(row: Mapping[str, Any]) -> ProofTests:
    return ProofTests.model_validate_json(zlib.decompress(row["tests"]), extra="ignore")
