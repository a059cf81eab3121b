"""Detect: score what the lake holds of a template's day, follow the change, and keep the incidents in step.

A pure function of lake content and baseline version, so arrival order and repetition of events do not matter.

What is stored is read BEFORE the lake, and written only on what was read. Each row says what it rests on: its readings,
those of two days before, what it was handed. After a day was written, the days that follow are looked at, and scored
again where they rest on something else; so it does not matter where an earlier run ended. And after it wrote days that
no later event will come for, a run looks whether what they rest on is still so: another run that saw a change and found
the old rows right would not come again.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from shared.detection import Baseline, engine_id, is_newer
from shared.domain.deviation import DeviationDay, Level, Readings, same_carry
from shared.domain.template import Sensor, Template
from shared.domain.tsd import ONE_DAY, SLOTS
from shared.errors import Conflict, CorruptBlob, NewerSchema, NotFound, OtherEngine
from shared.ports import (
    BaselineStore,
    DayStore,
    DeviationsTable,
    EventsTable,
    MessageQueues,
    PlatformRecord,
    RegistryTable,
)
from shared.retry import after_conflicts
from shared.telemetry import log_event
from shared.usecases.detection.day_events import DayEvents
from shared.usecases.detection.day_rows import DayRows, handed_other
from shared.usecases.detection.lake_days import LakeDays
from shared.usecases.detection.latest_samples import UpdateLatest
from shared.usecases.detection.recalled import Recalled, relied_on
from shared.usecases.detection.scoring import score_day
from shared.usecases.incidents.reconcile import Reconcile
from shared.usecases.journal.journal import Journal
from shared.usecases.lookup import find_template

logger = logging.getLogger(__name__)

REACH = 2 * ONE_DAY  # how far the readings of a day have an effect on scores (scoring.CONTEXT_BINS)
LOOKS = 6  # between two requests for a template's baselines: about an hour of ticks


@dataclass(frozen=True, kw_only=True)
class Detect:
    """Scores days of a template."""

    lake: DayStore
    registry: RegistryTable
    baselines: BaselineStore
    deviations: DeviationsTable
    events: EventsTable
    messages: MessageQueues
    reconcile: Reconcile
    journal: Journal
    # How often this process has looked at templates whose baselines an older engine made.
    outdated: Counter[str] = field(default_factory=Counter, compare=False)
    recalled: Recalled = field(default_factory=Recalled, compare=False)  # by this process

    def run(self, platform: str, template: str, first: date, last: date | None = None) -> int:
        """Score the days [first, last] and what follows from them; return how many rows were written.

        Raises NotFound for an unknown template, Conflict when others keep writing the same rows.
        """

        def attempt(again: bool) -> int:
            record = self.registry.part(platform, [template])
            known = find_template(record, template)
            written = _Run(self, record, known, again=again).run(first, last or first)
            self._renew(record, known)
            return written

        return after_conflicts(attempt, template)

    def _renew(self, record: PlatformRecord, template: Template) -> None:
        """Ask for baselines of this engine where an older one made them; those of a newer one are left to it.

        Now and then again, as long as it is needed: an instance of the older release may have taken the message.
        """
        engines = {record.history(sensor.id).engine for sensor in template.sensors} - {"", engine_id()}
        if not any(not is_newer(one) for one in engines):
            self.outdated.pop(template.id, None)
            return
        if self.outdated[template.id] % LOOKS == 0:
            self.messages.build_baselines(template)
        self.outdated[template.id] += 1


class _Run:
    """One attempt; it remembers what it read, never longer."""

    def __init__(self, detect: Detect, record: PlatformRecord, template: Template, *, again: bool) -> None:
        self._deps, self._again = detect, again
        self._begun = self._watched = record
        self._template = template
        self._days = LakeDays(detect.lake, record.platform, template, self._row, tell=self._tell_corrupt)
        self._events = DayEvents(detect.events, template, record.platform.source_name, self._days.document)
        self._rows = DayRows(detect.deviations, self._events, template, fresh=again)

    def run(self, first: date, last: date) -> int:
        """Score, write, and reconcile; return how many rows were written."""
        days = [first + offset * ONE_DAY for offset in range((last - first).days + 1)]
        for day in days:
            self._rows.read(day)
        self._refresh_baselines()
        for day in days:
            if self._days.document(day) is not None:
                self._score(day)
        written = [*self._write(days), *self._follow(last)]
        self._check_what_it_rests_on(written)
        self._log_scored(last, written)
        self._update_latest(written)
        rows = [*self._rows.scored.values(), *self._rows_after()]
        self._deps.reconcile.run(self._watched.platform, self._template, days, rows, self._days.document)
        return len(written)

    # --- scoring

    def _follow(self, last: date) -> list[DeviationDay]:
        """Score and write the days after ``last`` that rest on something else; return what was written.

        They are read from the table after what they rest on was written: a run beside this one that wrote one of them
        later looks at that by itself.
        """
        written: list[DeviationDay] = []
        day = last + ONE_DAY
        while self._is_followed(last) and day <= last + REACH:
            self._rows.read(day, fresh=True)
            if any(self._rows.rests_on_other(sensor.id, day) for sensor in self._template.sensors):
                if self._days.document(day) is None:
                    break
                self._score(day)
                if changed := self._write([day]):
                    written += changed
                    last = day
            day += ONE_DAY
        return written

    def _score(self, day: date) -> None:
        """Score the day of every sensor that can be scored."""
        for sensor in self._template.sensors:
            try:
                baseline = self._baseline(sensor, day)
            except (OtherEngine, NewerSchema) as error:
                logger.info("%s is not scored: %s", sensor.id, error)
                continue
            except (NotFound, CorruptBlob) as error:
                # What was scored by it stays: without its baseline nobody can say anything else.
                logger.exception("%s cannot be scored", sensor.id)
                self._events.corrupt_baseline(sensor.id, day, str(error))
                continue
            self._rows.keep(self._scored(sensor, day, baseline))

    def _scored(self, sensor: Sensor, day: date, baseline: Baseline | None) -> DeviationDay:
        """Score one sensor's day; memory may be behind the table, so only the table says that nothing changed.

        And only the table says that the day before hands on something else.
        """
        series = self._days.series(sensor, day)
        goes_on = series is not None and series.closed_slots(day) < SLOTS

        def readings(of: date) -> Readings | None:
            return self._recalled(sensor, day, of) if goes_on and of < day else self._days.readings(sensor, of)

        def score() -> DeviationDay:
            before, known = self._rows.before(sensor.id, day), self._rows.trusted(sensor.id, day)
            return score_day(sensor.id, day, series, readings, known, baseline, before=before)

        scored, stored = score(), self._rows.stored[sensor.id, day]
        row = stored.row
        if not stored.fresh and (row is None or scored.same_as(row) or not same_carry(scored.before, row.before)):
            self._rows.read_from_table(sensor.id, day)
            scored = score()
        return scored

    def _recalled(self, sensor: Sensor, day: date, of: date) -> Readings | None:
        """Return the readings of a day before one that goes on: those that its row rests on, where they are known.

        Where this run itself knows other readings of that day, or met another run, the lake is asked.
        """
        row = self._rows.stored[sensor.id, day].row
        if self._again or self._rows.rests_on_other_readings(sensor.id, day, of):
            return self._days.readings(sensor, of)
        known = self._deps.recalled.of(row, of)
        if known is None:
            known = relied_on(row, self._rows.read_with(sensor.id, day, of)) or self._days.readings(sensor, of)
            self._deps.recalled.keep(row, of, known)
        return known

    # --- writing

    def _write(self, days: Sequence[date]) -> list[DeviationDay]:
        """Write the rows of these days that differ, and tell what a person should know of them."""
        changed = self._rows.changed(days)
        for row in changed:
            self._rows.write(row)
        return changed

    def _check_what_it_rests_on(self, written: Sequence[DeviationDay]) -> None:
        """Raise Conflict if what whole or emptied days were scored from has changed meanwhile: it all begins anew then.

        A day that goes on is looked at again with its next samples.
        """
        keys = {(row.sensor, row.day) for row in written}
        whole = {row.day for row in written if row.level.size in (0, SLOTS)}
        for day, stored in sorted(self._days.stored.items()) if whole else ():
            if self._deps.lake.etag(self._template, day) != stored.etag:
                raise Conflict(f"the day {day} of {self._template.id} changed while it was scored")
        for row in written:
            created = self._rows.stored[row.sensor, row.day].row is None
            if (created or row.day in whole) and (row.sensor, row.day - ONE_DAY) not in keys:
                before = self._deps.deviations.get(row.sensor, row.day - ONE_DAY, fresh=True).row
                if before is not None and handed_other(row, before):
                    raise Conflict(f"{row.sensor}: the day before {row.day} was scored again meanwhile")

    def _update_latest(self, written: Sequence[DeviationDay]) -> None:
        """Bring the newest samples in step before the incidents are looked at: a full queue must not hide a level."""
        keys = {(row.sensor, row.day) for row in written}
        seen = {key: row for key, row in self._rows.scored.items() if key in keys or self._rows.stored[key].fresh}
        latest = UpdateLatest(
            registry=self._deps.registry, deviations=self._deps.deviations, journal=self._deps.journal
        )
        latest.run(self._begun, self._template, seen, wrote=bool(written))

    def _rows_after(self) -> list[DeviationDay]:
        """Return the rows of the day after the last whole one that was scored.

        A run that ended between writing them and looking at their incidents left nothing else to see.
        """
        day = self._rows.day_after_last()
        return [] if day is None or self._days.document(day) is None else self._rows.stored_rows(day)

    def _log_scored(self, day: date, written: Sequence[DeviationDay]) -> None:
        """Log how many samples got each level: those that are new, or have another one than before."""
        counts = Counter({level.name.lower(): 0 for level in Level})
        for row in written:
            stored = self._rows.stored[row.sensor, row.day].row
            before = row.level[:0] if stored is None else stored.level[: row.level.size]
            same = np.zeros(row.level.size, dtype=bool)
            same[: before.size] = row.level[: before.size] == before
            news = row.level[~same]
            counts.update({level.name.lower(): int(np.count_nonzero(news == level)) for level in Level})
        log_event(logger, "day scored", template=self._template.id, day=day, rows=len(written), **counts)

    # --- what scoring rests on

    def _tell_corrupt(self, day: date, problem: str) -> None:
        self._events.corrupt_day(day, problem)

    def _is_followed(self, day: date) -> bool:
        """Return whether another day may follow on this one: it is whole, was, or nothing is known of it any more."""
        series = [self._days.series(sensor, day) for sensor in self._template.sensors]
        known = max((one.closed_slots(day) for one in series if one is not None), default=0)
        return known in (0, SLOTS) or self._rows.was_whole(day)

    def _row(self, sensor: str, day: date) -> DeviationDay | None:
        return self._deps.deviations.get(sensor, day).row

    def _version(self, sensor: str, day: date) -> str:
        return self._watched.history(sensor).version_of(day)

    def _refresh_baselines(self) -> None:
        """Read the histories again where stored rows name other versions: those may be newer than what we know."""
        for (sensor, day), stored in self._rows.stored.items():
            if stored.row is not None and stored.row.baseline != self._version(sensor, day):
                self._watched = self._deps.registry.record(self._template.id)
                return

    def _baseline(self, sensor: Sensor, day: date) -> Baseline | None:
        version, engine = self._version(sensor.id, day), self._watched.history(sensor.id).engine
        if not version:
            return None
        if engine != engine_id():
            raise OtherEngine(f"its baselines come from detection engine {engine}, this is {engine_id()}")
        before = self._rows.known(sensor.id, day - ONE_DAY)
        if before is not None and before.baseline and before.engine != engine_id():
            # Scored without what that day hands on, a leak that goes on would look as if it had ended.
            raise OtherEngine(f"the day before {day} is still scored by detection engine {before.engine}")
        return self._deps.baselines.get(sensor.id, version)
