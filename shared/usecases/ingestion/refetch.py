"""Fetch days of a template again: what their source has of them by now takes the place of what the lake holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from shared.domain.template import Template
from shared.domain.tsd import ONE_DAY, floor_to_bucket, start_of
from shared.errors import InvalidInput
from shared.ports import PlatformRecord
from shared.usecases.ingestion.ingest import Ingest
from shared.usecases.ingestion.lake_writer import LakeWriter
from shared.usecases.ingestion.series_reader import SeriesReader, Span
from shared.usecases.ingestion.wanted import wanted_series
from shared.usecases.lookup import look_up_record


class Refetched(NamedTuple):
    """How far it is: every day before ``until`` is done; samples that differed, and series that could not be read."""

    until: date
    samples: int
    blobs_written: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Refetch:
    """Fetches again, beside the runs of ingest: watermarks stay as they are."""

    ingest: Ingest

    def run(self, template: str, first: date, last: date) -> Iterator[Refetched]:
        """Fetch the days of [first, last], and yield how far it is after each step; it may be stopped and repeated.

        Raises NotFound, SourceError, and InvalidInput where the days are in no order or have not begun.
        """
        record, known = look_up_record(self.ingest.registry, template)
        present = floor_to_bucket(self.ingest.clock.now())
        if not first <= last <= present.date():
            raise InvalidInput(f"{first} to {last} must be days in order, and none after {present.date()}")
        writer = self._writer(record, known, present)
        writer.reader.look_up(writer.reader.wanted)
        end = min(start_of(last) + ONE_DAY, present)
        begin = start_of(first)
        while begin < end:
            step = max(self.ingest.rules.step // ONE_DAY, 1) * ONE_DAY
            stop = min(begin + step, end)
            writer.merge_all(writer.reader.read(dict.fromkeys(list(writer.reader.found), Span(begin, stop))))
            problems = tuple(sorted(writer.reader.problems.values()))
            begin = stop
            until = (stop + timedelta(microseconds=-1)).date() + ONE_DAY
            yield Refetched(until, writer.samples, writer.blobs_written, problems)

    def _writer(self, record: PlatformRecord, template: Template, present: datetime) -> LakeWriter:
        wanted = wanted_series(record.platform, template, self.ingest.rules.plausible)
        source = self.ingest.source_of(record.platform)
        reader = SeriesReader(source, record.platform, template, wanted)
        writer = LakeWriter(self.ingest.lake, self.ingest.events, template, reader, present)
        state = record.ingested.get(template.id)
        for key, one in state.series.items() if state else ():
            if one.anew is not None:
                writer.kept[key] = one.anew
        return writer
