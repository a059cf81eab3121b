"""What a storage holds in the end, held against what was served, and against what the app makes of the same lake."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from bench.scale.quiet_sea import BEGUN, FIRST, QuietSea
from chaos.told import events_differ
from local.snapshot import differences, made_again
from shared.bootstrap import Bootstrap
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, SLOTS, start_of

MOST = 20  # differences that are told
Found = dict[datetime, tuple[float | None, int]]  # value and count of samples by bucket


@dataclass
class EndState:
    """How many buckets of all sensors were served, are in the lake, and are scored; what is not as it should be."""

    served: int = 0
    held: int = 0
    scored: int = 0
    judged: int = 0  # that have a level, of those since the first tick
    ticked: int = 0  # that were served since the first tick
    wrong: list[str] = field(default_factory=list)


def end_state(app: Bootstrap, sea: QuietSea, end: datetime) -> EndState:
    """Count what the app holds up to a moment: of every bucket what was served, once, and a score."""
    state = EndState()
    first = FIRST.date()
    for template in sea.templates:
        lake = _held(app, template)
        for sensor in template.sensors:
            served, held = sea.records[sensor.id].buckets(end), lake[sensor.id]
            scores = app.deviations.range(sensor.id, first, end.date())
            times = np.concatenate([row.times for row in scores]) if scores else np.empty(0, "datetime64[s]")
            levels = np.concatenate([row.level for row in scores]) if scores else np.empty(0)
            known = np.concatenate([row.ppmv for row in scores]) if scores else np.empty(0)
            since = times >= np.datetime64(BEGUN.replace(tzinfo=None))
            state.served += len(served)
            state.held += len(held)
            state.scored += int(np.isfinite(known).sum())
            state.judged += int((levels[since] >= 0).sum())
            state.ticked += sum(moment >= BEGUN for moment in served)
            if other := sorted(one for one in served.keys() | held.keys() if served.get(one) != held.get(one)):
                what = f"{held.get(other[0])} instead of {served.get(other[0])}"
                state.wrong.append(f"lake {sensor.id}: {len(other)} buckets from {other[0]} on, {what}")
            if known[np.isfinite(known)].tolist() != [served[moment][0] for moment in sorted(served)]:
                state.wrong.append(f"{sensor.id}: what was scored is not what was served")
    return state


def not_made_again(app: Bootstrap, prefix: str, made: Bootstrap, made_prefix: str, sea: QuietSea) -> Iterator[str]:
    """Yield in what rows and events differ from those that the app made of the same lake, and what work is left."""
    for key in differences(made_again(app, prefix), made_again(made, made_prefix)):
        yield " ".join(key)
    for template in sea.templates:
        yield from events_differ(app.events.list(template.id), made.events.list(template.id))
    left = {name: length for name, length in app.messages.lengths().items() if length}
    if left:
        yield f"messages: {left}"


def _held(app: Bootstrap, template: Template) -> dict[str, Found]:
    """Return what the lake holds of each sensor, by bucket."""
    held: dict[str, Found] = {sensor.id: {} for sensor in template.sensors}
    for day in app.lake.days(template):
        document = app.lake.read(template, day).document
        for sensor in template.sensors:
            series = document.series_of(sensor) if document else None
            if series is None:
                continue
            for slot in range(SLOTS):
                if series.values[slot] is not None or slot in series.bad:
                    held[sensor.id][start_of(day) + slot * BUCKET] = series.values[slot], series.counts[slot]
    return held
