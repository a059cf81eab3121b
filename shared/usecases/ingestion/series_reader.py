"""Reads a template's series from their source: what cannot be read is left out with the reason, the others go on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple

from shared.domain.ingest_state import SeriesState
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import ONE_DAY, Reading, by_day, start_of
from shared.domain.units import Conversion
from shared.ports import ReadingSource, SourceSeries, Window
from shared.usecases.ingestion.wanted import WantedSeries, to_registered


class Span(NamedTuple):
    """The buckets of a series that are asked for, [start, end)."""

    start: datetime
    end: datetime

    def touches(self, day: date) -> bool:
        """Return whether some of it lies in that day."""
        return self.start < start_of(day) + ONE_DAY and self.end > start_of(day)


class Fetched(NamedTuple):
    """What the source says of a series in a span, by day; a bucket that is not there is one that it does not have."""

    span: Span
    readings: Mapping[date, Sequence[Reading]]


@dataclass
class SeriesReader:
    """One template's series at their source; ``problems`` says why a series cannot be read, by key."""

    source: ReadingSource
    platform: Platform
    template: Template
    wanted: Mapping[str, WantedSeries]
    found: dict[str, SourceSeries] = field(default_factory=dict)  # by key
    problems: dict[str, str] = field(default_factory=dict)
    _conversions: dict[str, Conversion] = field(default_factory=dict)

    def recall(self, states: Mapping[str, SeriesState]) -> None:
        """Take those series as they were found before whose state names them, and reads them as they are registered."""
        for key, one in states.items():
            wanted, unit = self.wanted[key], one.unit
            well = one.tag == wanted.tag and one.source_id and not one.problem
            if well and unit is not None and unit.registered == wanted.unit:
                self._take(key, SourceSeries(one.source_id, unit.source))

    def look_up(self, keys: Iterable[str]) -> None:
        """Find these series at the source; raises SourceError."""
        tags = {key: self.wanted[key].tag for key in keys}
        answers = self.source.resolve(self.platform.facility, list(tags.values()))
        for key, tag in tags.items():
            self.found.pop(key, None)
            self.problems.pop(key, None)
            if tag in answers.problems:
                self.problems[key] = answers.problems[tag]
            elif tag in answers:
                self._take(key, answers[tag])
            else:
                self.problems[key] = f"{self.platform.source_name} knows no series {tag}"

    def _take(self, key: str, series: SourceSeries) -> None:
        one = self.wanted[key]
        to_unit = to_registered(one, series.unit, self.template)
        if to_unit is None:
            self.problems[key] = (
                f"{self.platform.source_name} has {one.tag} in the unit {series.unit!r}, "
                f"registered is {one.unit!r}, and nothing is known that makes one of the other"
            )
            return
        self.found[key], self._conversions[key] = series, to_unit

    def read(self, spans: Mapping[str, Span]) -> dict[str, Fetched]:
        """Return what the source says of each series that can be read; raises SourceError.

        An id that can be read no more is looked up again: the series may have been made anew.
        """
        fetched = self._read(spans)
        left = {key: self.found[key].id for key in spans if key in self.found and key not in fetched}
        if left:
            why = dict(self.problems)
            self.look_up(left)
            anew = {key: spans[key] for key, known in left.items() if key in self.found and self.found[key].id != known}
            fetched |= self._read(anew)
            for key in left.keys() - fetched.keys():
                self.found.pop(key, None)
                self.problems.setdefault(key, why[key])
        return fetched

    def _read(self, spans: Mapping[str, Span]) -> dict[str, Fetched]:
        asked = {key: span for key, span in spans.items() if key in self.found and span.start < span.end}
        if not asked:
            return {}
        answers = self.source.read(
            [
                Window(self.found[key].id, *span, turn=self.wanted[key].turn(self.found[key].unit))
                for key, span in asked.items()
            ]
        )
        fetched = {}
        for key, span in asked.items():
            name = self.found[key].id
            if name in answers.problems:
                self.problems[key] = answers.problems[name]
            else:
                fetched[key] = Fetched(span, by_day(self._converted(key, answers.get(name, []))))
        return fetched

    def _converted(self, key: str, readings: Sequence[Reading]) -> Sequence[Reading]:
        to_unit = self._conversions[key]
        if to_unit == Conversion():
            return readings
        return [one if one.value is None else replace(one, value=to_unit.of(one.value)) for one in readings]
