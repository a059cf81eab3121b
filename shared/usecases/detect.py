"""Detect: score what the lake holds of a template's day, follow the change, and keep the incidents in step.

A pure function of lake content and baseline version, so arrival order and repetition of events do not matter.
What is stored is read BEFORE the lake: a write that still finds what was read can then never carry older data
over newer. Later days are written first: the day that tells of the change is the last to look unchanged.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import numpy as np

from shared.detection import Baseline, engine_id, is_newer
from shared.domain.deviation import Carry, DeviationDay, Level, same_carry
from shared.domain.environment import Floats
from shared.domain.event import Event, EventKind
from shared.domain.template import Sensor, Template
from shared.domain.tsd import ONE_DAY, SLOTS, SeriesDay, TemplateDay, grid, start_of
from shared.errors import Conflict, CorruptBlob, LeakDetectionError, NotFound
from shared.ports import (
    Baselines,
    Deviations,
    Events,
    Lake,
    Messages,
    Registry,
    StoredDeviations,
    Watched,
)
from shared.telemetry import tell
from shared.usecases.health import changes_of_health
from shared.usecases.incidents import Reconcile
from shared.usecases.latest import KeepLatest
from shared.usecases.lookup import find_template
from shared.usecases.scoring import Rescored, score_day

logger = logging.getLogger(__name__)

ATTEMPTS = 8

Reach = np.datetime64 | None  # until when what changed is felt; None: nowhere


@dataclass(frozen=True)
class Detect:
    """Scores days of a template."""

    lake: Lake
    registry: Registry
    baselines: Baselines
    deviations: Deviations
    events: Events
    messages: Messages
    reconcile: Reconcile
    # Templates whose baselines this process has asked for: of an older engine, they are made anew.
    asked: set[str] = field(default_factory=set, compare=False)

    def run(self, platform: str, template: str, first: date, last: date | None = None) -> int:
        """Score the days [first, last] and what follows from them; return how many rows were written.

        Raises NotFound for an unknown template, Conflict when others keep writing the same rows.
        """
        for attempt in range(ATTEMPTS):
            watched = self.registry.platform(platform)
            known = find_template(watched, template)
            try:
                written = _Run(self, watched, known, again=attempt > 0).run(first, last or first)
            except Conflict as conflict:
                logger.info("%s: %s; reading again", template, conflict)
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                self._renew(watched, known)
                return written
        raise AssertionError

    def _renew(self, watched: Watched, template: Template) -> None:
        """Ask for baselines of this engine where an older one made them; those of a newer one are left to it."""
        engines = {watched.history(sensor.id).engine for sensor in template.sensors} - {"", engine_id()}
        if template.id not in self.asked and any(not is_newer(one) for one in engines):
            self.messages.build_baselines(template)
            self.asked.add(template.id)


class OtherEngine(LeakDetectionError):
    """A baseline was made by another detection engine: what was scored by it stands until it is made anew."""


class _Run:
    """One attempt; it remembers what it read, never longer."""

    def __init__(self, detect: Detect, watched: Watched, template: Template, *, again: bool) -> None:
        self._do = detect
        self._begun = self._watched = watched
        self._template = template
        self._again = again  # another run was in between: what follows from these days is scored again
        self._documents: dict[date, TemplateDay | None] = {}
        self._unreadable: set[date] = set()
        self._stored: dict[tuple[str, date], StoredDeviations] = {}
        self._rows: dict[tuple[str, date], DeviationDay] = {}

    def run(self, first: date, last: date) -> int:
        """Score, write, and reconcile; return how many rows were written."""
        days = [first + offset * ONE_DAY for offset in range((last - first).days + 1)]
        for day in days:
            self._read_stored(day)
        self._refresh_baselines()
        felt: dict[str, Reach] = {sensor.id: self._initially_felt(days) for sensor in self._template.sensors}
        for day in days:
            if self._document(day) is not None:
                felt = self._score(day, felt)
        self._follow(last + ONE_DAY, felt)
        written = self._write()
        self._tell_scored(last, written)
        self._keep_latest(written)
        rows = [*self._rows.values(), *self._rows_after()]
        self._do.reconcile.run(self._watched.platform, self._template, rows, self._document)
        return len(written)

    def _tell_scored(self, day: date, written: Sequence[tuple[str, date]]) -> None:
        """Log how many samples got each level: those that are new, or have another one than before."""
        counts = Counter({level.name.lower(): 0 for level in Level})
        for key in written:
            row, before = self._rows[key].level, self._stored[key].row
            told = row[:0] if before is None else before.level[: row.size]
            news = np.concatenate((row[: told.size][row[: told.size] != told], row[told.size :]))
            counts.update({level.name.lower(): int(np.count_nonzero(news == level)) for level in Level})
        tell(logger, "day scored", template=self._template.id, day=day, rows=len(written), **counts)

    def _keep_latest(self, written: Sequence[tuple[str, date]]) -> None:
        """Bring the newest samples in step before the incidents are looked at: a full queue must not hide a level."""
        seen = {key: row for key, row in self._rows.items() if key in written or self._stored[key].fresh}
        latest = KeepLatest(self._do.registry, self._do.deviations)
        latest.run(self._begun, self._template, seen, wrote=bool(written))

    def _follow(self, day: date, felt: dict[str, Reach]) -> None:
        """Score the following days for as long as what changed is felt in them."""
        while any(
            until is not None and until > grid(day)[0] and self._version(sensor, day) for sensor, until in felt.items()
        ):
            if self._document(day) is None:
                return
            self._read_stored(day)  # after the lake: who changes this day meanwhile has changed the one before, too
            felt = self._score(day, felt)
            day += ONE_DAY

    def _score(self, day: date, felt: Mapping[str, Reach]) -> dict[str, Reach]:
        """Score the day of every sensor; return until when each sensor's changes are felt in the days after it."""
        reach: dict[str, Reach] = {}
        for sensor in self._template.sensors:
            reach[sensor.id] = None
            try:
                baseline = self._baseline(sensor, day)
            except OtherEngine as error:
                logger.info("%s is not scored: %s", sensor.id, error)
                continue
            except (NotFound, CorruptBlob) as error:
                # What was scored by it stays: without its baseline nobody can say anything else.
                logger.exception("%s cannot be scored", sensor.id)
                self._tell("corrupt_blob", day, sensor.id, f"{sensor.id} cannot be scored: {error}")
                continue
            scored = self._scored(sensor, day, baseline, felt[sensor.id])
            if scored.row.level.size == SLOTS:  # of a day that goes on, there is no next one
                reach[sensor.id] = scored.felt_until
            if scored.row.level.size or self._stored[sensor.id, day].row is not None:
                self._rows[sensor.id, day] = scored.row
        return reach

    def _scored(self, sensor: Sensor, day: date, baseline: Baseline | None, felt: Reach) -> Rescored:
        """Score one sensor's day; memory may be behind the table, so only the table says that nothing changed."""
        series, history = self._series(sensor, day), partial(self._readings, sensor)
        before = self._carry(sensor.id, day - ONE_DAY)

        def score(stored: DeviationDay | None) -> Rescored:
            return score_day(sensor.id, day, series, history, stored, baseline, before=before, felt_until=felt)

        scored = score(self._stored[sensor.id, day].row)
        if not scored.changed and not self._stored[sensor.id, day].fresh:
            stored = self._stored[sensor.id, day] = self._do.deviations.get(sensor.id, day, fresh=True)
            scored = score(stored.row)
        return scored

    def _carry(self, sensor: str, day: date) -> Carry | None:
        """Return what the day hands on, as it was scored just now, or as it is stored."""
        row = self._rows.get((sensor, day))
        if row is None:
            row = self._do.deviations.get(sensor, day, fresh=self._again).row
        return None if row is None or row.engine != engine_id() else row.carry

    def _write(self) -> list[tuple[str, date]]:
        """Write the rows that differ, the last day first, and before each what a person should know of it.

        Return which they were.
        """
        news = [key for key, row in self._rows.items() if not row.same_as(self._stored[key].row)]
        for day in sorted({day for _, day in news}):
            self._tell_unknown_series(day)
        for key in sorted(news, key=lambda key: key[1], reverse=True):
            self._tell_of_bad_values(self._rows[key], self._stored[key].row)
            self._tell_of_faults(self._rows[key], self._stored[key].row)
            self._do.deviations.put(self._rows[key], self._stored[key].tag)
        self._seal(news)
        return news

    def _seal(self, news: Sequence[tuple[str, date]]) -> None:
        """Write the days again that follow on one which now hands on something else.

        Another run may have read that one before it was written, and the day after it since: its write then fails
        on this one, and it reads again.
        """
        for sensor, day in news:
            before, after = self._stored[sensor, day].row, self._rows.get((sensor, day + ONE_DAY))
            if before is None or after is None or same_carry(before.carry, self._rows[sensor, day].carry):
                continue
            self._do.deviations.put(after, self._do.deviations.get(sensor, day + ONE_DAY).tag)

    def _rows_after(self) -> list[DeviationDay]:
        """Return the rows of the day after the last whole one that was scored.

        A run that ended between writing them and looking at their incidents left nothing else to see.
        """
        last = max((day for (_, day), row in self._rows.items() if row.baseline), default=None)
        if last is None or all(row.level.size < SLOTS for (_, day), row in self._rows.items() if day == last):
            return []
        if self._document(last + ONE_DAY) is None:
            return []
        after = [self._do.deviations.get(sensor.id, last + ONE_DAY).row for sensor in self._template.sensors]
        return [row for row in after if row is not None]

    def _read_stored(self, day: date) -> None:
        for sensor in self._template.sensors:
            self._stored[sensor.id, day] = self._do.deviations.get(sensor.id, day, fresh=self._again)

    def _document(self, day: date) -> TemplateDay | None:
        if day not in self._documents:
            document, _, problem = self._do.lake.read(self._template, day)
            if problem:
                self._unreadable.add(day)
                logger.error("%s", problem)
                self._tell("corrupt_blob", day, day.isoformat(), problem)
            self._documents[day] = document
        return self._documents[day]

    def _series(self, sensor: Sensor, day: date) -> SeriesDay | None:
        document = self._document(day)
        return None if document is None else document.series_of(sensor)

    def _readings(self, sensor: Sensor, day: date) -> Floats | None:
        """Return an earlier day's readings [144]; of one that cannot be read now, those that its row remembers."""
        series = self._series(sensor, day)
        if series is not None:
            return series.readings()
        if day not in self._unreadable:
            return None
        row = self._do.deviations.get(sensor.id, day).row
        return None if row is None else np.concatenate((row.ppmv, np.full(SLOTS - row.ppmv.size, np.nan)))

    def _initially_felt(self, days: list[date]) -> np.datetime64 | None:
        return np.datetime64(days[-1] + 2 * ONE_DAY, "s") if self._again else None

    def _version(self, sensor: str, day: date) -> str:
        return self._watched.history(sensor).version_of(day)

    def _refresh_baselines(self) -> None:
        """Read the histories again where stored rows name other versions: those may be newer than what we know."""
        for (sensor, day), stored in self._stored.items():
            if stored.row is not None and stored.row.baseline != self._version(sensor, day):
                self._watched = self._do.registry.platform(self._watched.platform.id)
                return

    def _baseline(self, sensor: Sensor, day: date) -> Baseline | None:
        version, engine = self._version(sensor.id, day), self._watched.history(sensor.id).engine
        if not version:
            return None
        if engine != engine_id():
            raise OtherEngine(f"its baselines come from detection engine {engine}, this is {engine_id()}")
        return self._do.baselines.get(sensor.id, version)

    def _tell_unknown_series(self, day: date) -> None:
        """Tell of sensors that the day's document lacks, and take it back of those that it has by now."""
        document = self._document(day)
        if document is None:
            return
        had_rows = any(self._stored[sensor.id, day].row is not None for sensor in self._template.sensors)
        for sensor in self._template.sensors:
            why = f"{self._watched.platform.source_name} knows no series {sensor.tag} for {sensor.id}"
            event = self._event("unknown_series", day, sensor.id, why)
            if document.series_of(sensor) is None:
                self._do.events.put(event)
            elif had_rows and self._stored[sensor.id, day].row is None:
                self._do.events.remove(event)

    def _tell_of_bad_values(self, row: DeviationDay, before: DeviationDay | None) -> None:
        told = before.bad if before else ""
        event = self._event("bad_values", row.day, row.sensor, f"{row.sensor}: buckets with bad values: {row.bad}")
        if row.bad and row.bad != told:
            logger.warning("%s on %s: bad values: %s", row.sensor, row.day, row.bad)
            self._do.events.put(event)
        elif told and not row.bad:
            self._do.events.remove(event)

    def _tell_of_faults(self, row: DeviationDay, before: DeviationDay | None) -> None:
        """Tell where sensors fall ill and get well, and take back what the readings say no more."""
        told = [] if before is None else changes_of_health(self._template.id, before)
        news = changes_of_health(self._template.id, row)
        for event in told:
            if event not in news:
                self._do.events.remove(event)
        for event in news:
            if event not in told:
                logger.warning("%s", event.message)
                self._do.events.put(event)

    def _event(self, kind: EventKind, day: date, about: str, message: str) -> Event:
        return Event(subject=self._template.id, kind=kind, at=start_of(day), about=about, message=message)

    def _tell(self, kind: EventKind, day: date, about: str, message: str) -> None:
        self._do.events.put(self._event(kind, day, about, message))
