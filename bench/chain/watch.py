"""The app's own use cases, wired as it wires them, on storage in memory and a clock that runs fast.

Readings come into the lake by the hour, or as often as is said; then days are scored, incidents followed, alarms
raised, and what waits is estimated, if it is to be answered. Ingest is left out. A level belongs to its reading,
however often one looks; what is said of it comes up to a tick later.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import cast

import numpy as np

from bench.chain import memory
from local.metadata import BY_HAND
from shared.arrays import BUCKET_S, Flags, Floats, Times
from shared.bootstrap import Bootstrap
from shared.detection import Baseline, engine_id
from shared.domain.alarm import Alarm
from shared.domain.baseline_history import BaselineHistory, Change, DayRange, Recipe
from shared.domain.environment import Environment
from shared.domain.estimation import Estimation
from shared.domain.incident import CriticalMessage
from shared.domain.journal import Evidence, JournalEntry
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import (
    BUCKET,
    ONE_DAY,
    SLOTS,
    SeriesDay,
    TemplateDay,
    days_between,
    start_of,
    to_datetime,
    to_datetime64,
)
from shared.ports import EventsTable
from shared.settings import Settings
from shared.usecases.journal.journaled_events import JournaledEvents

SEA = {"current_speed": ("SPEED", "m/s"), "current_direction": ("DIRECTION", "deg")}
UNIT = "ppmv"
Answered = Callable[[CriticalMessage], bool]


@dataclass(frozen=True, eq=False)
class Series:
    """What a template's sensors and its meter say: baselines by sensor, ppmv [sensors, n] at 10-minute times [n]."""

    template: Template
    baselines: Sequence[Baseline]
    times: Times
    ppmv: Floats
    told: Environment | None

    def currents(self, quantity: str) -> Floats:
        """Return what the meter says at the times [n], NaN where it says nothing."""
        found = np.full(self.times.size, np.nan)
        if self.told is not None:
            places = (self.told.times - self.times[0]).astype(np.int64) // BUCKET_S
            inside = (places >= 0) & (places < found.size)
            found[places[inside]] = getattr(self.told, quantity)[inside]
        return found


@dataclass
class FastClock:
    """A clock that is set."""

    moment: datetime

    def now(self) -> datetime:
        """Return what it is set to."""
        return self.moment


@dataclass(frozen=True)
class Said:
    """What the journal says of an alarm: the entry, and what it rests on."""

    entry: JournalEntry
    evidence: Evidence

    @cached_property
    def alarm(self) -> Alarm:
        """The alarm after it."""
        return Alarm.from_json(self.evidence.state)

    @cached_property
    def estimation(self) -> Estimation | None:
        """The estimation that it tells of, if any."""
        text = self.evidence.estimation
        return Estimation.model_validate_json(text) if text else None


class Watch:
    """An app that watches one template."""

    def __init__(self, series: Series, tick: timedelta, update_hours: int, answered: Answered) -> None:
        """Register the template; nothing of it is known yet.

        An alarm that goes on is estimated anew after so many hours; ``answered`` says which messages are.
        """
        self._answered = answered
        self._series, self._tick, self._update_hours = series, tick, update_hours
        self._template = series.template
        self._begin = to_datetime(series.times[0])
        self._clock = FastClock(self._begin)
        self._journal, self._queue, self._lake = memory.MemoryJournal(), memory.MemoryQueue(), memory.MemoryLake()
        self.app = self._wired()
        self._rows = self._days()

    @property
    def now(self) -> datetime:
        """What time it is."""
        return self._clock.moment

    @property
    def end(self) -> datetime:
        """When all is read."""
        return self._begin + self._series.times.size * BUCKET

    def catch_up(self, moment: datetime) -> None:
        """Let all up to a moment come at once, day by day."""
        for day in days_between(self.now, moment):
            self._read(min(start_of(day) + ONE_DAY, moment))

    def ticks(self, critical: Flags) -> Iterator[datetime]:
        """Let time pass up to the end; yield after each tick.

        critical: where any sensor is Critical [n]. Up to the tick that shows it, and while no alarm goes on, nothing is
        told but levels: there the clock jumps, and the days are scored at once.
        """
        while self.now < self.end:
            here = (self.now - self._begin) // BUCKET
            ahead = np.flatnonzero(critical[here:])
            quiet = ahead[0] * BUCKET // self._tick * self._tick if ahead.size else self.end - self.now
            if quiet and not self._alarmed:
                self.catch_up(self.now + quiet)
            else:
                self._read(min(self.now + self._tick, self.end))
            yield self.now

    def alarm_of(self, moment: datetime) -> str:
        """Return the incident that a Critical of that moment belongs to, if there is an alarm of it; else nothing."""
        for one in self.app.incidents.list(self._template.id):
            if one.incident.onset <= moment <= one.incident.last_critical:
                return one.incident.id if self.app.alarms_table.get(one.incident.id) else ""
        return ""

    @property
    def _alarmed(self) -> bool:
        return any(one.incident.open for one in self.app.incidents.list(self._template.id))

    def said(self) -> list[Said]:
        """Return what was said of alarms, in order."""
        return [Said(*one) for one in self._journal.entries if one[0].kind.startswith("alarm_")]

    # --- one tick

    def _read(self, moment: datetime) -> None:
        """Let the clock show a moment, and the app do what it does then."""
        before, self._clock.moment = self.now, moment
        for day in days_between(before, moment):
            self._lake.write(self._template, self._document(day, moment), self._lake.etag(self._template, day))
            self.app.detect.run(self._template.platform, self._template.id, day)
        while self._queue.criticals:
            message = self._queue.criticals.pop(0)
            if self._answered(message):
                self.app.estimate.run(message)

    def _document(self, day: date, moment: datetime) -> TemplateDay:
        until = min(moment, start_of(day) + ONE_DAY)
        slots = (until - start_of(day)) // BUCKET
        values = {key: _known(row, slots) for key, row in self._rows[day].items()}
        sensors = {
            one.id: SeriesDay(tag=one.tag, unit=UNIT, until=until, values=found, counts=_counts(found))
            for one in self._template.sensors
            for found in (values[one.id],)
        }
        sea = {
            name: SeriesDay(tag=tag, unit=unit, until=until, values=values[name], counts=_counts(values[name]))
            for name, (tag, unit) in SEA.items()
        }
        return TemplateDay(
            platform=self._template.platform, template=self._template.id, day=day, sensors=sensors, environment=sea
        )

    def _days(self) -> dict[date, dict[str, list[float | None]]]:
        """Return the values of each day [144] by sensor and quantity, None where there is none."""
        days = days_between(self._begin, self.end)
        first = int((self._series.times[0] - to_datetime64(start_of(days[0]))).astype(np.int64)) // BUCKET_S
        rows = dict(zip((one.id for one in self._template.sensors), self._series.ppmv, strict=True))
        rows |= {name: self._series.currents(name) for name in SEA}
        found: dict[date, dict[str, list[float | None]]] = {day: {} for day in days}
        for key, values in rows.items():
            whole = np.full(len(days) * SLOTS, np.nan)
            whole[first : first + values.size] = values
            for place, day in enumerate(days):
                part = whole[place * SLOTS : (place + 1) * SLOTS].tolist()
                found[day][key] = [value if value == value else None for value in part]  # noqa: PLR0124 (NaN)
        return found

    # --- wiring

    def _wired(self) -> Bootstrap:
        """Return the app as it wires itself, on storage in memory."""
        app = Bootstrap(
            Settings(
                AzureWebJobsStorage="UseDevelopmentStorage=true",
                omnia={"base_url": "http://127.0.0.1"},
                ingest_schedule=BY_HAND,
                baselines_schedule=BY_HAND,
                detection={"update_hours": self._update_hours},
            )
        )
        baselines = dict(zip((one.id for one in self._template.sensors), self._series.baselines, strict=True))
        histories = {sensor: self._history(sensor, one.version) for sensor, one in baselines.items()}
        app.__dict__ |= {
            "clock": self._clock,
            "registry": memory.MemoryRegistry(_platform(self._template), histories),
            "lake": self._lake,
            "baselines": memory.MemoryBaselines(baselines),
            "deviations": memory.MemoryDeviations(),
            "marks": memory.NoMarks(),
            "incidents": memory.MemoryIncidents(),
            "estimations": memory.MemoryEstimations(),
            "journal_table": self._journal,
            "alarms_table": memory.MemoryAlarms(),
            "messages": self._queue,
        }
        events = cast(EventsTable, memory.MemoryEvents())
        app.__dict__["events"] = JournaledEvents(table=events, journal=app.journal)
        return app

    def _history(self, sensor: str, version: str) -> BaselineHistory:
        begin = self._begin.date() - ONE_DAY
        recipe = Recipe(source=sensor, days=(DayRange(begin - 60 * ONE_DAY, begin),))
        change = Change(valid_from=begin, reason="built", recipe=recipe, version=version)
        return BaselineHistory(changes=(change,), engine=engine_id())


def _platform(template: Template) -> Platform:
    return Platform.model_validate(
        {
            "id": template.platform,
            "name": template.platform.title(),
            "facility": "SNA",
            "environment": {name: {"tag": tag, "unit": unit} for name, (tag, unit) in SEA.items()},
            "templates": [template.model_dump()],
        }
    )


def _known(row: list[float | None], slots: int) -> tuple[float | None, ...]:
    return (*row[:slots], *[None] * (SLOTS - slots))


def _counts(values: tuple[float | None, ...]) -> tuple[int, ...]:
    return tuple(int(value is not None) for value in values)
