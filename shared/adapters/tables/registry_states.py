"""What changes with every tick of a template, in a partition of its own: how far it was ingested, newest samples.

A tick reads and writes these two rows alone, however many templates there are. The partition of the index comes right
before them, so that one query of keys tells whether anything is other than what is in memory: of all platforms, and of
all templates.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from azure.data.tables import TableClient, TableEntity

from shared.adapters.tables.access import (
    etag_of,
    get_entity,
    put_entity,
    query,
    quoted,
    remove_entity,
    remove_partition,
    upsert_entity,
)
from shared.adapters.tables.registry_rows import (
    CHECKED,
    COMPLETE,
    GENERATION,
    INDEX,
    INGEST,
    LATEST,
    MOVED,
    Entity,
    Legacy,
    OldState,
    both_ingested,
    both_latest,
    checked_entity,
    checked_of,
    index_entity,
    ingest_entity,
    ingest_state,
    latest_entity,
    latest_of,
    own_partition,
)
from shared.domain.checked_days import CheckedDays
from shared.domain.deviation import Latest
from shared.domain.ingest_state import IngestState
from shared.errors import Conflict
from shared.ports import ETag, PlatformRecord, Registration, StoredCheck
from shared.retry import after_conflicts
from shared.schemas import Stored, read

KEYS = ["PartitionKey", "RowKey", GENERATION]
OF_A_TICK = f"RowKey ge {quoted(INGEST)}"  # rows that change with every tick, and not the one that comes before them


class Own(NamedTuple):
    """One row of a template's own partition; ``moved`` is the etag of the old release's row that went into it."""

    value: Any
    etag: ETag
    moved: str = ""


OwnRows = Mapping[str, Own | Exception]  # by row; why it cannot be read


class Listed(NamedTuple):
    """What there is beside the platforms' partitions: the state of each platform, and each template's own rows."""

    generations: Mapping[str, str]  # by platform
    complete: bool  # whether every platform is among them
    own: Mapping[str, OwnRows]  # by template


class TemplateStates:
    """Reads and writes the templates' own rows; what was read stays in memory with its etag."""

    def __init__(self, table: TableClient) -> None:
        """Use the registry's table."""
        self._table = table
        self._memory: dict[tuple[str, str], Own] = {}
        self._lock = threading.Lock()

    # --- reading

    def generations(self) -> Listed:
        """Return what the index says, and nothing of the templates: one partition."""
        return self._listed(query(self._table, f"PartitionKey eq {quoted(INDEX)}"), ())

    def all(self, *, changed: bool) -> Listed:
        """Return everything: by one query of keys if nothing changed, at once if that is expected."""
        where = f"PartitionKey eq {quoted(INDEX)} or (PartitionKey gt {quoted(INDEX)} and {OF_A_TICK})"
        rows = list(query(self._table, where, None if changed else KEYS))
        own = [row for row in rows if row["PartitionKey"] != INDEX]
        if not changed and any(self._known(row) is None for row in own):
            own = list(query(self._table, f"PartitionKey gt {quoted(INDEX)} and {OF_A_TICK}"))
        with self._lock:
            there = {(row["PartitionKey"], row["RowKey"]) for row in own}
            self._memory = {key: one for key, one in self._memory.items() if key in there}
        return self._listed((row for row in rows if row["PartitionKey"] == INDEX), own)

    def of(self, template: str) -> OwnRows:
        """Return a template's own rows, by one query."""
        return self.between(template, template).get(template, {})

    def between(self, first: str, last: str) -> Mapping[str, OwnRows]:
        """Return the own rows of the templates from the first to the last, by one query."""
        partitions = quoted(own_partition(first)), quoted(own_partition(last))
        where = "PartitionKey eq {}" if first == last else "PartitionKey ge {} and PartitionKey le {}"
        return self._listed((), list(query(self._table, f"{where.format(*partitions)} and {OF_A_TICK}"))).own

    def _listed(self, index: Iterable[TableEntity], own: Sequence[TableEntity]) -> Listed:
        found: dict[str, dict[str, Own | Exception]] = {}
        for row in own:
            found.setdefault(row["PartitionKey"].removeprefix(INDEX), {})[row["RowKey"]] = self._own(row)
        named = {str(row["RowKey"]): str(row.get(GENERATION, "")) for row in index}
        return Listed({key: one for key, one in named.items() if key != COMPLETE}, COMPLETE in named, found)

    def _known(self, row: TableEntity) -> Own | None:
        with self._lock:
            known = self._memory.get((row["PartitionKey"], row["RowKey"]))
        return known if known is not None and known.etag == etag_of(row) else None

    def _own(self, row: TableEntity) -> Own | Exception:
        """Return what a row says, from memory if it is the same, or why it cannot be read."""
        known = self._known(row)
        if known is not None:
            return known
        make = {INGEST: ingest_state, LATEST: latest_of}.get(row["RowKey"])
        try:
            value = None if make is None else read(Stored.REGISTRY, row, make)
        except Exception as error:  # it must not stop other platforms; whoever uses it raises it
            return error
        own = Own(value, etag_of(row), str(row.get(MOVED, "")))
        with self._lock:
            self._memory[row["PartitionKey"], row["RowKey"]] = own
        return own

    def checked(self, template: str) -> StoredCheck:
        """Return which of a template's days were found right; raises NewerSchema."""
        row = get_entity(self._table, own_partition(template), CHECKED)
        if row is None:
            return StoredCheck(None, None)
        return StoredCheck(read(Stored.REGISTRY, row, checked_of), etag_of(row))

    # --- writing

    def put_checked(self, template: str, days: CheckedDays, etag: ETag) -> None:
        """Write which of a template's days were found right on what was read; raises Conflict."""
        put_entity(self._table, checked_entity(template, days), etag)

    def name(self, platform: str, generation: str) -> None:
        """Write into the index in which state the platform is about to be."""
        upsert_entity(self._table, index_entity(platform, generation))

    def named(self, platform: str) -> ETag:
        """Return the etag of the platform's row of the index; None where there is none."""
        row = get_entity(self._table, INDEX, platform)
        return None if row is None else etag_of(row)

    def forget_platform(self, platform: str, etag: ETag) -> None:
        """Take the platform out of the index, unless somebody has named it meanwhile."""
        if etag is not None:
            with suppress(Conflict):
                remove_entity(self._table, INDEX, platform, etag)

    def complete(self) -> None:
        """Write down that every platform is in the index."""
        upsert_entity(self._table, index_entity(COMPLETE, ""))

    def put_ingested(self, template: str, state: IngestState, etag: ETag, moved: str | None = None) -> str:
        """Write how far a template was ingested on what was read, return the new etag; raises Conflict."""
        return self._put_own(ingest_entity(template, state), etag, moved)

    def put_latest(self, template: str, latest: Mapping[str, Latest], etag: ETag, moved: str | None = None) -> str:
        """Write a template's newest samples on what was read, return the new etag; raises Conflict."""
        return self._put_own(latest_entity(template, latest), etag, moved)

    def _put_own(self, row: Entity, etag: ETag, moved: str | None) -> str:
        """Write a row of a template's own; what was moved into it stays known unless it is said anew."""
        return put_entity(self._table, row if moved is None else {**row, MOVED: moved}, etag, keep=True)

    def remove(self, template: str) -> None:
        """Remove all that is a template's own; removing it again changes nothing."""
        remove_partition(self._table, own_partition(template))

    def remove_all_of(self, platform: str) -> None:
        """Remove what is left of the platform's templates, also of those that nobody knows any more."""
        first, last = own_partition(f"{platform}-"), own_partition(f"{platform}-~")
        where = f"PartitionKey gt {quoted(first)} and PartitionKey lt {quoted(last)}"
        for template in {row["PartitionKey"].removeprefix(INDEX) for row in query(self._table, where, KEYS)}:
            self.remove(template)

    def drop(self, template: str, keys: Set[str], *, touch: bool) -> None:
        """Take these series out of a template's own rows; ``touch`` writes the rows also where they are not in them.

        A run that read the rows before cannot write them any more then.
        """
        if not keys:
            return
        remove_entity(self._table, own_partition(template), CHECKED)  # what was found right was of other series

        def attempt(_: bool) -> None:
            rows = self.of(template)
            ingested, latest = value_of(rows, INGEST), value_of(rows, LATEST)
            if ingested is not None:
                state: IngestState = ingested.value
                known = state.series.keys() | state.told.keys()
                if touch or known & keys:
                    after = state.only(known - keys) if known & keys else state
                    self.put_ingested(template, after, ingested.etag)
            if latest is not None and (touch or latest.value.keys() & keys):
                left = {sensor: one for sensor, one in latest.value.items() if sensor not in keys}
                self.put_latest(template, left, latest.etag)

        after_conflicts(attempt, f"what is known of {template}")

    def move(self, legacy: Legacy) -> None:
        """Take over what the release before wrote since the last time, of each template; its rows stay as they are."""
        for template in sorted(legacy.ingested.keys() | legacy.latest.keys()):
            after_conflicts(partial(self._move, template, legacy), f"what is known of {template}")

    def _move(self, template: str, legacy: Legacy, _: bool) -> None:
        rows = self.of(template)
        old, own = legacy.ingested.get(template), value_of(rows, INGEST)
        if old is not None and is_news(old, own):
            after = both_ingested(own.value if own else None, old.value)
            self.put_ingested(template, after, own.etag if own else None, old.etag)
        old, own = legacy.latest.get(template), value_of(rows, LATEST)
        if old is not None and is_news(old, own):
            newest = both_latest(own.value if own else None, old.value)
            self.put_latest(template, newest, own.etag if own else None, old.etag)


def value_of(rows: OwnRows, name: str) -> Own | None:
    """Return that row; None where there is none; raises what keeps it from being read."""
    found = rows.get(name)
    if isinstance(found, Exception):
        raise found
    return found


def sensors_in(rows: OwnRows) -> set[str]:
    """Return the sensors that a template's own rows say something of."""
    ingested, latest = value_of(rows, INGEST), value_of(rows, LATEST)
    of_state = set() if ingested is None else {*ingested.value.series, *ingested.value.told}
    return {key for key in of_state if "-" in key} | (set() if latest is None else set(latest.value))


def is_news(old: OldState, own: Own | None) -> bool:
    """Return whether the release before has written its row since it was taken over last."""
    return own is None or own.moved != old.etag


def record_of(known: Registration, legacy: Legacy, own: Mapping[str, OwnRows]) -> PlatformRecord:
    """Return a platform with what its templates' own rows say, and the release before; raises what cannot be read."""
    ingested: dict[str, IngestState] = {}
    latest: dict[str, Latest] = {}
    etags: dict[str, dict[str, ETag]] = {INGEST: {}, LATEST: {}}
    for template in (one.id for one in known.platform.templates):
        for name, of_templates in etags.items():
            row = value_of(own.get(template, {}), name)
            old = (legacy.ingested if name == INGEST else legacy.latest).get(template)
            value = None if row is None else row.value
            if old is not None and is_news(old, row):
                value = both_ingested(value, old.value) if name == INGEST else both_latest(value, old.value)
            if row is not None:
                of_templates[template] = row.etag
            if value is not None and name == INGEST:
                ingested[template] = value
            elif value is not None:
                latest |= value
    return PlatformRecord(
        known.platform,
        stored=known.stored,
        etag=known.etag,
        generation=known.generation,
        schema=known.schema,
        deletions=known.deletions,
        whole=known.whole,
        ingested=ingested,
        latest=latest,
        ingest_etags=etags[INGEST],
        latest_etags=etags[LATEST],
    )
