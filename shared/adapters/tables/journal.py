"""Table of the journal: PartitionKey platform (or ``system``); rows are only added, and the lake cannot rebuild them.

Each entry has two rows, written by one transaction: ``topic|…`` by topic, its newest first, with what it rests on as
compressed JSON; and ``said|…`` by the time at which it was said, newest first.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from azure.data.tables import TableClient

from shared.adapters.tables.access import (
    LAST,
    commit,
    first_of,
    following,
    get_entity,
    newest_first,
    put,
    query,
    quoted,
)
from shared.domain.journal import MOST_ENTRIES, Evidence, JournalEntry, split_entry, split_place
from shared.domain.tsd import iso
from shared.schemas import SCHEMA, Stored, numbered, read

_PLAIN = [
    *("PartitionKey", "RowKey", SCHEMA, "subject", "topic", "number", "kind"),
    *("said", "at", "about", "message", "by", "withdrawn"),
]
TOPIC, SAID = "topic|", "said|"


class AzureJournalTable:
    """What was said and done."""

    def __init__(self, table: TableClient) -> None:
        """Use the table."""
        self._table = table

    def append(self, entry: JournalEntry, evidence: Evidence) -> None:
        """Store the entry; raises Conflict where the topic has one of its number."""
        commit(self._table, [put(row, None) for row in journal_entities(entry, evidence)])

    def last(self, platform: str, topic: str, until: datetime | None = None) -> JournalEntry | None:
        """Return the topic's newest entry, of those that were said by ``until`` if it is given; None: there is none."""
        said = f" and said le {quoted(iso(until))}" if until else ""
        return next(self._of(platform, f"{topic}|", said, at_once=1), None)

    def topic(self, platform: str, topic: str) -> Sequence[JournalEntry]:
        """Return all entries of a topic, newest first."""
        return list(self._of(platform, f"{topic}|"))

    def topics(self, platform: str, prefix: str) -> Sequence[JournalEntry]:
        """Return all entries of the topics that begin so, by topic, newest first."""
        return list(self._of(platform, prefix))

    def _of(self, platform: str, prefix: str, more: str = "", at_once: int | None = None) -> Iterator[JournalEntry]:
        low, high = quoted(TOPIC + prefix), quoted(TOPIC + prefix + LAST)
        where = f"PartitionKey eq {quoted(platform)} and RowKey ge {low} and RowKey lt {high}{more}"
        return map(entry_of, query(self._table, where, _PLAIN, at_once=at_once))

    def evidence(self, platform: str, entry: str) -> Evidence:
        """Return what an entry rests on; nothing where there is no such entry; raises InvalidInput."""
        found = get_entity(self._table, platform, topic_row(*split_entry(entry)))
        return Evidence() if found is None else evidence_of(found)

    def list(
        self,
        platform: str,
        *,
        limit: int,
        after: str | None = None,
        until: datetime | None = None,
        subject: str | None = None,
    ) -> Sequence[JournalEntry]:
        """Return so many entries, newest first, said by ``until``, of all subjects or of one.

        after: the place of an entry of any platform, after which they go on; raises InvalidInput.
        """
        first = SAID if until is None else SAID + newest_first(until)
        if after is not None:
            first = max(first, following(_said_row(*split_place(after))))
        where = f"PartitionKey eq {quoted(platform)} and RowKey ge {quoted(first)} and RowKey lt {quoted(SAID + LAST)}"
        where += f" and subject eq {quoted(subject)}" if subject is not None else ""
        return [entry_of(one) for one in first_of(self._table, where, limit, _PLAIN)]


def _said_row(said: datetime, topic: str, number: int) -> str:
    return f"{SAID}{newest_first(said)}|{topic}|{MOST_ENTRIES - number:06d}"


def topic_row(topic: str, number: int) -> str:
    """Return the key of an entry's row by topic."""
    return f"{TOPIC}{topic}|{MOST_ENTRIES - number:06d}"


def journal_entities(entry: JournalEntry, evidence: Evidence) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the entry as its rows in the table: by topic, and by when it was said."""
    topic = topic_row(entry.topic, entry.number)
    properties = {
        "PartitionKey": entry.platform,
        "subject": entry.subject,
        "topic": entry.topic,
        "number": entry.number,
        "kind": entry.kind,
        "said": iso(entry.said),
        "at": iso(entry.at),
        "about": entry.about,
        "message": entry.message,
        "by": entry.by,
        "withdrawn": entry.withdrawn,
    }
    kept = {name: zlib.compress(text.encode(), level=9) for name, text in evidence._asdict().items() if text}
    said = _said_row(entry.said, entry.topic, entry.number)
    return (
        numbered(Stored.JOURNAL, {**properties, **kept, "RowKey": topic}),
        numbered(Stored.JOURNAL, {**properties, "RowKey": said}),
    )


def entry_of(entity: Mapping[str, Any]) -> JournalEntry:
    """Return the entry that a row of the table holds; raises NewerSchema."""
    return read(Stored.JOURNAL, entity, _entry)


def _entry(entity: Mapping[str, Any]) -> JournalEntry:
    names = ("subject", "topic", "number", "kind", "said", "at", "about", "message", "by", "withdrawn")
    return JournalEntry(platform=entity["PartitionKey"], **{name: entity[name] for name in names})


def evidence_of(entity: Mapping[str, Any]) -> Evidence:
    """Return what the entry of a row rests on."""
    return Evidence(**{name: zlib.decompress(entity[name]).decode() for name in Evidence._fields if entity.get(name)})
