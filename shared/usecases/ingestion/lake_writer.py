"""Puts what a source says of a template into its day documents, and counts what is new."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from shared.domain.event import corrupt_day
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, ONE_DAY, SLOTS, SeriesDay, TemplateDay, days_between, slot_of, start_of
from shared.ports import DayStore, EventsTable, StoredDay
from shared.retry import after_conflicts
from shared.usecases.ingestion.series_reader import Fetched, SeriesReader, Span
from shared.usecases.ingestion.wanted import WantedSeries

logger = logging.getLogger(__name__)


@dataclass
class LakeWriter:
    """Merges into one template's days; nothing counts as asked for from ``present`` on.

    What lies before a series' moment of ``kept`` is filled and replaced, and never emptied.
    """

    lake: DayStore
    events: EventsTable
    template: Template
    reader: SeriesReader
    present: datetime
    kept: dict[str, datetime] = field(default_factory=dict)
    newest: dict[str, datetime] = field(default_factory=dict)  # bucket of each series' newest usable sample
    samples: int = 0
    bad: int = 0
    blobs_written: int = 0

    def merge_all(self, fetched: Mapping[str, Fetched]) -> datetime | None:
        """Write every day that was fetched, in order; return the first bucket that changed, None where none did."""
        spans = [one.span for one in fetched.values()]
        if not spans:
            return None
        days = days_between(min(one.start for one in spans), max(one.end for one in spans))
        changes = [self.merge(day, {k: one for k, one in fetched.items() if one.span.touches(day)}) for day in days]
        return next((one for one in changes if one is not None), None)

    def merge(self, day: date, fetched: Mapping[str, Fetched]) -> datetime | None:
        """Write the day with what was fetched; return the first of its buckets that changed, None where none did.

        What this process wrote last is in memory, which may be behind the lake: then the write fails, and all is read
        again. Only the lake says that nothing changes.
        """

        def attempt(again: bool) -> datetime | None:
            stored = self.lake.read(self.template, day, fresh=again)
            whole = self._fetched_again(stored, day) if stored.problem else {}
            after = self._merged(stored.document, day, {**fetched, **whole})
            self._note_newest(after)
            if after == stored.document:
                return None if stored.fresh else attempt(True)
            self.lake.write(self.template, after, stored.etag)
            return self._count(stored.document, after)

        return after_conflicts(attempt, f"{self.template.id} on {day}")

    def _fetched_again(self, stored: StoredDay, day: date) -> dict[str, Fetched]:
        """Set the unreadable blob aside and return the whole day anew: nothing of it is lost."""
        copy = self.lake.quarantine(self.template, day)
        logger.error("%s; kept as %s, the day is fetched again", stored.problem, copy)
        source = self.reader.platform.source_name
        self.events.put(corrupt_day(self.template.id, day, stored.problem, copy, source))
        whole = Span(start_of(day), min(start_of(day) + ONE_DAY, self.present))
        return self.reader.read(dict.fromkeys(self.reader.found, whole))

    def _merged(self, before: TemplateDay | None, day: date, fetched: Mapping[str, Fetched]) -> TemplateDay:
        document = before or TemplateDay(platform=self.template.platform, template=self.template.id, day=day)
        sensors, environment = dict(document.sensors), dict(document.environment)
        for key, new in fetched.items():
            one = self.reader.wanted[key]
            part = sensors if one.is_sensor else environment
            part[key] = self._merged_series(part.get(key), one, day, new)
        latest = max(self.present, start_of(day))
        for part in (sensors, environment):
            for key, series in part.items():
                if series.until > latest:  # a clock was ahead: what has not come is not missing
                    part[key] = series.model_copy(update={"until": latest})
        return document.model_copy(
            update={"sensors": dict(sorted(sensors.items())), "environment": dict(sorted(environment.items()))}
        )

    def _merged_series(self, before: SeriesDay | None, one: WantedSeries, day: date, new: Fetched) -> SeriesDay:
        if before is None or (before.tag, before.unit) != (one.tag, one.unit):  # readings belong to their tag
            before = SeriesDay(tag=one.tag, unit=one.unit, until=start_of(day))
        begin = max(new.span.start, start_of(day))
        end = min(new.span.end, start_of(day) + ONE_DAY)
        first = max(begin, min(self.kept.get(one.key, begin), end))
        emptied = range(slot_of(first), slot_of(first) + (end - first) // BUCKET) if first < end else ()
        return before.merged(new.readings.get(day, []), max(begin, end), one.plausible, emptied)

    def _note_newest(self, document: TemplateDay) -> None:
        """Note the newest samples; where the source took back the one that was, none is known of."""
        for key, series in {**document.sensors, **document.environment}.items():
            if key not in self.reader.wanted or series.tag != self.reader.wanted[key].tag:
                continue
            known, last = self.newest.get(key), series.last_sample(document.day)
            if known is not None and known.date() == document.day:
                self.newest.pop(key)
                known = None
            if last is not None and (known is None or last > known):
                self.newest[key] = last

    def _count(self, before: TemplateDay | None, after: TemplateDay) -> datetime | None:
        """Count a written blob and what of it is new; return the first of its buckets that changed."""
        self.blobs_written += 1
        first = SLOTS
        for part in ("sensors", "environment"):
            held = {} if before is None else getattr(before, part)
            for key, series in getattr(after, part).items():
                news = series.news(held.get(key))
                self.samples += news.samples
                self.bad += news.bad
                change = series.first_change(held.get(key))
                first = first if change is None else min(first, change)
        return None if first == SLOTS else start_of(after.day) + first * BUCKET
