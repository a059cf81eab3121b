"""What is stored by its age: keys tell it, so nothing else of a row is read."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient
from azure.storage.blob import ContainerClient

from shared.adapters.tables.access import LAST, MOST_AT_ONCE, first_of, newest_first, query, quoted, remove_rows
from shared.adapters.tables.journal import SAID, TOPIC, topic_row
from shared.ports import OldEvent


class AzureAgedStorage:
    """The tables and the container whose contents go when they are old."""

    def __init__(
        self, deviations: TableClient, events: TableClient, journal: TableClient, corrupt: ContainerClient
    ) -> None:
        """Use these tables, and the container of what was put aside."""
        self._deviations = deviations
        self._events = events
        self._journal = journal
        self._corrupt = corrupt

    def scored_days_before(self, sensor: str, day: date) -> Sequence[date]:
        """Return the sensor's scored days before a day, in order."""
        where = f"PartitionKey eq {quoted(sensor)} and RowKey lt {quoted(day.isoformat())}"
        return [date.fromisoformat(row["RowKey"]) for row in query(self._deviations, where, ["RowKey"])]

    def remove_scored_days(self, sensor: str, days: Sequence[date]) -> None:
        """Remove the rows of these days; removing them again changes nothing."""
        remove_rows(self._deviations, sensor, [day.isoformat() for day in days])

    def events_before(self, subject: str, moment: datetime) -> Iterator[OldEvent]:
        """Yield the subject's events of before a moment: their keys sort the newest first."""
        where = f"PartitionKey eq {quoted(subject)} and RowKey gt {quoted(newest_first(moment) + LAST)}"
        for row in query(self._events, where, ["RowKey", "kind", "at", "about"]):
            yield OldEvent(row["RowKey"], row["kind"], datetime.fromisoformat(row["at"]), row["about"])

    def remove_events(self, subject: str, keys: Sequence[str]) -> None:
        """Remove events by the keys of their rows; removing them again changes nothing."""
        remove_rows(self._events, subject, keys)

    def remove_entries(self, platform: str, moment: datetime, standing: Collection[str]) -> Iterator[int]:
        """Remove entries of the journal that were said before a moment; yield how many after each piece.

        First the row by topic: without the other one nobody would find it again.
        """
        low, high = quoted(SAID + newest_first(moment) + LAST), quoted(SAID + LAST)
        where = f"PartitionKey eq {quoted(platform)} and RowKey gt {low} and RowKey lt {high}"
        piece: list[tuple[str, str]] = []
        newest: dict[str, int] = {}
        for row in query(self._journal, where, ["RowKey", "topic", "number"]):
            topic, number = str(row["topic"]), int(row["number"])
            if topic not in newest:
                newest[topic] = -1 if topic.startswith("event:") else self._newest_of(platform, topic)
            if topic in standing or number == newest[topic]:
                continue
            piece.append((topic_row(topic, number), row["RowKey"]))
            if len(piece) == MOST_AT_ONCE:
                yield self._remove_pairs(platform, piece)
                piece = []
        if piece:
            yield self._remove_pairs(platform, piece)

    def corrupt_before(self, day: date) -> Iterator[str]:
        """Yield the names of the blobs that were put aside before a day."""
        begin = datetime.combine(day, time(), UTC)
        for blob in self._corrupt.list_blobs():
            if blob.last_modified < begin:
                yield blob.name

    def remove_corrupt(self, names: Sequence[str]) -> None:
        """Remove blobs that were put aside; removing them again changes nothing."""
        for name in names:
            try:
                self._corrupt.delete_blob(name)
            except ResourceNotFoundError:
                continue

    def _newest_of(self, platform: str, topic: str) -> int:
        """Return the number of a topic's newest entry; -1: there is none."""
        low, high = quoted(f"{TOPIC}{topic}|"), quoted(f"{TOPIC}{topic}|{LAST}")
        where = f"PartitionKey eq {quoted(platform)} and RowKey ge {low} and RowKey lt {high}"
        return next((int(row["number"]) for row in first_of(self._journal, where, 1, ["RowKey", "number"])), -1)

    def _remove_pairs(self, platform: str, pairs: Sequence[tuple[str, str]]) -> int:
        remove_rows(self._journal, platform, [topic for topic, _ in pairs])
        remove_rows(self._journal, platform, [said for _, said in pairs])
        return len(pairs)
