"""Baselines: give every sensor with enough clean history a baseline, and score again whatever is not scored by it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from shared.detection import build_baseline
from shared.detection.cleaning import first_clean_span
from shared.domain.event import Event
from shared.domain.template import Sensor, Template
from shared.domain.tsd import TemplateDay, grid, start_of
from shared.errors import InvalidInput
from shared.ports import BaselinePointer, Baselines, Deviations, Events, Lake, Registry, Watched
from shared.usecases.detect import Detect, find_template

logger = logging.getLogger(__name__)

Row = Mapping[str, Any]  # a scored day's plain properties

ONE_DAY = timedelta(days=1)
RECENT_DAYS = 3  # looked at again each time, whatever their rows say: cheap, and heals what a lost event left


@dataclass(frozen=True)
class BuildBaselines:
    """Builds baselines from the lake; the same lake gives the same versions."""

    lake: Lake
    registry: Registry
    baselines: Baselines
    deviations: Deviations
    events: Events
    detect: Detect
    min_days: float

    def run(self) -> dict[str, str]:
        """Look after every template; return what failed, by template, after all had their turn."""
        failed = {}
        for watched in self.registry.platforms():
            for template in watched.platform.templates:
                try:
                    self.run_template(watched.platform.id, template.id)
                except Exception as error:
                    logger.exception("baselines of %s failed", template.id)
                    failed[template.id] = f"{type(error).__name__}: {error}"
        return failed

    def run_template(self, platform: str, template: str) -> None:
        """Build the baselines that the template's sensors lack and can have, then score what needs it."""
        watched = self.registry.platform(platform)
        known = find_template(watched, template)
        days = self.lake.days(known)
        lacking = [sensor for sensor in known.sensors if sensor.id not in watched.baselines]
        if lacking and days:
            documents = [document for day in days if (document := self.lake.read(known, day).document)]
            for sensor in lacking:
                self._build(known, sensor, documents)
            watched = self.registry.platform(platform)
        self._rescore(watched, known, days)

    def _build(self, template: Template, sensor: Sensor, documents: Sequence[TemplateDay]) -> None:
        history = [(one.day, one.sensors[sensor.id]) for one in documents if sensor.id in one.sensors]
        if not history:
            return
        times = np.concatenate([grid(day) for day, _ in history])
        ppmv = np.concatenate([series.array() for _, series in history])
        span = first_clean_span(times, ppmv, self.min_days)
        if span is None:
            logger.info("%s: not enough clean history yet", sensor.id)
            return
        try:
            baseline = build_baseline(span.times, span.ppmv)
        except InvalidInput as error:
            logger.warning("%s: %s", sensor.id, error)
            return
        clean = int(np.count_nonzero(~np.isnan(span.ppmv)))
        self.baselines.put(sensor.id, baseline)
        self.events.put(
            Event(
                subject=template.id,
                kind="baseline_built",
                at=start_of(span.valid_from),
                about=sensor.id,
                message=f"{sensor.id} is scored from {span.valid_from} by version {baseline.version}: "
                f"{clean} clean samples, threshold {baseline.threshold:.0f} ppmv",
            )
        )
        # Last: while the sensor has no baseline, a run that died before is repeated.
        self.registry.set_baseline(template, sensor, BaselinePointer(baseline.version, span.valid_from))

    def _rescore(self, watched: Watched, template: Template, days: Sequence[date]) -> None:
        """Score the days whose rows are missing or come from another version, and the newest ones."""
        if not days:
            return
        rows = {
            sensor.id: {one["RowKey"]: one for one in self.deviations.summaries(sensor.id, days[0], days[-1])}
            for sensor in template.sensors
        }
        incidents = [one.incident for one in self.detect.reconcile.incidents.list(template.id)]
        stale = set(days[-RECENT_DAYS:])
        for day in days:
            told = any(one.onset.date() <= day <= one.last_critical.date() for one in incidents)
            found = {sensor.id: rows[sensor.id].get(day.isoformat()) for sensor in template.sensors}
            if not any(found.values()) or any(
                self._is_stale(row, watched, sensor, day, newest=max(rows[sensor], default=""))
                or (row is not None and row["critical"] and not told)
                for sensor, row in found.items()
            ):
                stale.add(day)
        for first, last in _runs(sorted(stale)):
            # Days are written last one first: next to a block that a crash left unwritten lies a half-written day.
            self.detect.run(watched.platform.id, template.id, first, min(last + ONE_DAY, days[-1]))

    def _is_stale(self, row: Row | None, watched: Watched, sensor: str, day: date, *, newest: str) -> bool:
        """Return whether the row is a hole among the sensor's rows, or comes from another version than it should."""
        if row is None:
            return day.isoformat() < newest  # a sensor may have ended; one that goes on has a row for each day
        pointer = watched.baselines.get(sensor)
        return bool(row["baseline"] != (pointer.version if pointer and day >= pointer.valid_from else ""))


def _runs(days: Sequence[date]) -> list[tuple[date, date]]:
    """Return the days as runs of consecutive ones (first, last)."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and (day - runs[-1][1]).days == 1:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs
