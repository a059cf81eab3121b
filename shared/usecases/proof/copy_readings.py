"""The copy of a template's newest readings, with what a leak would add to them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from shared.arrays import Floats
from shared.domain.leak import Leak
from shared.domain.platform import Platform
from shared.domain.proof_test import PROOF_PLATFORM, Play
from shared.domain.template import Sensor, Template
from shared.domain.tsd import (
    BUCKET,
    ONE_DAY,
    SLOTS,
    SeriesDay,
    TemplateDay,
    days_between,
    start_of,
    utc,
)
from shared.ports import BaselineStore, DayStore, Registration
from shared.simulation import simulate
from shared.usecases.incidents.estimation_inputs import buckets_between, sea_between
from shared.usecases.lookup import readable_baseline
from shared.usecases.proof.space import ProofSpace

BEFORE = 5 * ONE_DAY  # of the leak: what a level rests on, and what an estimation looks back on


@dataclass(frozen=True, kw_only=True)
class CopyReadings:
    """Writes the copy of a template, baselines first and readings last: those set the functions going."""

    lake: DayStore
    baselines: BaselineStore
    space: ProofSpace

    def run(self, play: Play, record: Registration, template: Template) -> None:
        """Write it, in an empty space; raises InvalidInput for a leak that cannot be simulated."""
        copy = copy_of(template, play.copied_to)
        first = start_of((utc(play.leak.onset) - BEFORE).date())
        documents = {day: self.lake.read(template, day).document for day in days_between(first, play.until)}
        added = _added(record.platform, template, play.leak, documents, play.until)
        self._register(record, template, copy, documents)
        for day, document in documents.items():
            if document is not None:
                self.space.lake.write(copy, _copied(document, template, copy, added.get(day)), None)

    def _register(self, record: Registration, template: Template, copy: Template, days: Iterable[date]) -> None:
        environment = record.platform.environment
        platform = Platform(
            id=PROOF_PLATFORM,
            name="Proof test",
            facility=record.platform.facility,
            environment=environment,
            templates=(copy,),
        )
        self.space.registry.add(platform)
        stored = self.space.registry.platform(PROOF_PLATFORM).stored
        for sensor, mine in zip(template.sensors, copy.sensors, strict=True):
            history = record.history(sensor.id)
            for version in sorted({history.version_of(day) for day in days} - {""}):
                baseline = readable_baseline(self.baselines, sensor.id, version)
                if baseline is not None:  # otherwise this sensor is blind here as it is there
                    self.space.baselines.put(mine.id, baseline)
            if history.changes:
                etag = stored[mine.id].etag if mine.id in stored else None
                self.space.registry.set_history(copy, mine, history, etag)


def copy_of(template: Template, name: str) -> Template:
    """Return the template as the platform of proof tests has it, with sensors of ids of its own."""
    sensors = tuple(one.model_copy(update={"id": f"{name}-{one.number}"}) for one in template.sensors)
    return template.model_copy(update={"id": name, "platform": PROOF_PLATFORM, "sensors": sensors})


def _added(
    platform: Platform, template: Template, leak: Leak, documents: Mapping[date, TemplateDay | None], until: datetime
) -> Mapping[date, Floats]:
    """Return what the leak adds to the readings [sensors, 144] in ppmv, of each day that it reaches."""
    first = start_of(utc(leak.onset).date())
    sea = sea_between(platform, template, documents.get, first, until)
    times = buckets_between(first, until)
    whole = np.zeros((len(template.sensors), -(-times.size // SLOTS) * SLOTS))
    whole[:, : times.size] = simulate(template, sea, leak, times)
    days = days_between(first, until)
    return dict(zip(days, np.split(whole, whole.shape[1] // SLOTS, axis=1), strict=True))


def _copied(document: TemplateDay, template: Template, copy: Template, added: Floats | None) -> TemplateDay:
    sensors = {}
    for k, (sensor, mine) in enumerate(zip(template.sensors, copy.sensors, strict=True)):
        series = document.series_of(sensor)
        if series is not None:
            sensors[mine.id] = series if added is None else _raised(series, added[k])
    update = {"platform": PROOF_PLATFORM, "template": copy.id, "sensors": sensors}
    return document.model_copy(update=update)


def _raised(series: SeriesDay, added: Floats) -> SeriesDay:
    values = tuple(
        None if value is None else value + float(more) for value, more in zip(series.values, added, strict=True)
    )
    return series.model_copy(update={"values": values})


def newest_of(lake: DayStore, template: Template, now: datetime) -> datetime | None:
    """Return the end of the newest reading of any sensor, today's or yesterday's; None where there is none."""
    for day in (utc(now).date(), utc(now).date() - ONE_DAY):
        document = lake.read(template, day).document
        last = [_last(document, one, day) for one in template.sensors] if document else []
        known = [one for one in last if one is not None]
        if known:
            return max(known) + BUCKET
    return None


def _last(document: TemplateDay, sensor: Sensor, day: date) -> datetime | None:
    series = document.series_of(sensor)
    return None if series is None else series.last_sample(day)
