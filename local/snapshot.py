"""What the tables hold, to compare before and after: every row without its time of writing."""

import hashlib
from collections.abc import Collection, Mapping

from shared.adapters.tables.registry_rows import GENERATION
from shared.bootstrap import Bootstrap

Snapshot = Mapping[tuple[str, str, str], str]  # (table, PartitionKey, RowKey) -> digest of the row's properties


def snapshot(app: Bootstrap, without: Collection[str] = ()) -> Snapshot:
    """Return every row of every table of the app, by its key, as a digest of its properties but some.

    Names of states of the registry are left out: they are made up anew with each.
    """
    rows, without = {}, {*without, GENERATION}
    for table in app.clients.tables():
        for entity in table.list_entities():
            content = repr(sorted(item for item in entity.items() if item[0] not in without)).encode()
            key = (table.table_name, entity["PartitionKey"], entity["RowKey"])
            rows[key] = hashlib.sha256(content).hexdigest()
    return rows


def derived(app: Bootstrap) -> Snapshot:
    """Return what the lake and people's decisions make, whenever data came: not what was said or stated on the way."""
    names = app.settings.storage
    said = {names.journal_table, names.alarms_table, names.statements_table, names.proof_tests_table}
    found = snapshot(app, without=("history", "moved"))  # what was moved names an etag
    # What was checked names the etags of blobs, which are others in every storage.
    return {key: row for key, row in found.items() if key[0] not in said and key[2] != "checked"}


def made_again(app: Bootstrap, prefix: str) -> Snapshot:
    """Return the rows that a clean run makes of the same lake, too, by names without the app's prefix.

    Left out are events, how far was ingested, and whether the registry's index is whole.
    """
    events = app.settings.storage.events_table
    return {
        (table.removeprefix(prefix), partition, row): digest
        for (table, partition, row), digest in derived(app).items()
        if table != events and row not in ("ingest", "head", "~")
    }


def differences(before: Snapshot, after: Snapshot) -> list[tuple[str, str, str]]:
    """Return the keys of the rows that were added, changed or removed, in order."""
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
