"""A small world whose sensors learn: a lake of noise, the use cases on it, and computing that is not repeated."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import numpy as np

from shared.detection import Baseline, Detection, LatchState, Rates, build_baseline, detect
from shared.detection.figures import NOTHING, Raw
from shared.domain.baseline_history import BaselineHistory
from shared.domain.environment import Environment
from shared.ports import Clock
from shared.usecases.baselines import recorded_readings, selection
from shared.usecases.baselines.build import BuildBaselines
from shared.usecases.baselines.renewal import RenewalRules
from shared.usecases.detection import scoring
from shared.usecases.feedback.feedback import Feedback
from tests.support.examples import DAY, document, platform, template
from tests.support.examples import at as moment
from tests.support.fakes import FakeClock, World

TEMPLATE = template()
ONE, TWO = "troll-a-1", "troll-a-2"
RULES = RenewalRules(
    min_days=14, max_days=400, augment_days=30, borrow=True, rates=(1.0, 0.1), clear=timedelta(hours=12)
)

ALARM_DAYS = 22  # of the world that alarmed

_built: dict[bytes, Baseline] = {}
_detected: dict[tuple[object, ...], Detection] = {}


def build_once(times: Any, ppmv: Any, rates: Rates) -> Baseline:
    """Build what was not built before: the same readings give the same baseline."""
    key = np.asarray(times).tobytes() + np.asarray(ppmv).tobytes()
    if key not in _built:
        _built[key] = build_baseline(times, ppmv, rates)
    return _built[key]


def detect_once(
    baseline: Baseline,
    times: np.ndarray,
    ppmv: np.ndarray,
    environment: Environment | None = None,
    *,
    since: np.datetime64,
    state: LatchState | None = None,
    known: Raw = NOTHING,
) -> Detection:
    """Detect in what was not searched before: the same input gives the same scores, which nobody may change."""
    handed = None if state is None else np.array(state).tobytes()
    sea = None if environment is None else environment.current_speed.tobytes() + environment.current_direction.tobytes()
    key = (baseline.version, times.tobytes(), ppmv.tobytes(), sea, since, handed, known.score.tobytes())
    if key not in _detected:
        found = detect(baseline, times, ppmv, environment, since=since, state=state, known=known)
        raw = (found.raw.score, found.raw.channel, found.raw.away)
        for array in (found.times, found.ppmv, found.score, found.level, *raw, found.fault):
            array.setflags(write=False)
        _detected[key] = found
    return _detected[key]


@contextmanager
def computing_once() -> Iterator[None]:
    """Let the use cases build each baseline, and search each piece of a series, once."""
    with (
        patch.object(recorded_readings, "build_baseline", build_once),
        patch.object(scoring, "detect", detect_once),
        patch.object(selection, "detect", detect_once),
    ):
        yield


def day_of(offset: int) -> date:
    """Return the world's day of that number."""
    return DAY + timedelta(days=offset)


def usual(offset: int, begun: int = 0) -> np.ndarray:
    """Return a usual day: lively for the first fortnight of a sensor, calmer ever after, so that nothing is amiss."""
    spread = 1.0 if offset < begun + 14 else 0.5
    return 10 + np.random.default_rng(offset).normal(0, spread, 144)


def put_day(target: World, offset: int, **sensors: np.ndarray) -> None:
    """Put a day of the template into the lake: usual, but for the sensors given (empty: no series)."""
    values = {"s1": usual(offset), "s2": usual(offset)[::-1]} | sensors
    held = {name: one for name, one in values.items() if one.size}
    day = day_of(offset)
    target.lake.cells.set((TEMPLATE.id, day), document(TEMPLATE, day, **held))


def world(days: int, special: Mapping[int, np.ndarray] | None = None, second: int = 0) -> World:
    """Return a world with so many days of sensor 1 (some of them special) and ``second`` days of sensor 2."""
    new = World()
    new.registry.add(platform(TEMPLATE))
    for offset in range(days):
        one = (special or {}).get(offset, usual(offset))
        put_day(new, offset, s1=one, **({} if offset < second else {"s2": np.empty(0)}))
    return new


def case(target: World, rules: RenewalRules = RULES, clock: Clock | None = None) -> BuildBaselines:
    """Return the baselines use case on that world; its time is never used up, unless a clock says so."""
    return BuildBaselines(
        lake=target.lake,
        registry=target.registry,
        baselines=target.baselines,
        deviations=target.deviations,
        marks=target.marks,
        events=target.told,
        detect=target.detect,
        messages=target.messages,
        clock=clock or FakeClock(at(0)),
        rules=rules,
        budget=timedelta(minutes=4),
    )


def feedback(target: World, day: int, hour: float = 0) -> Feedback:
    """Return the feedback use case on that world, at an hour of a day."""
    clock = FakeClock(at(day, hour))
    return Feedback(
        registry=target.registry,
        marks_table=target.marks,
        deviations=target.deviations,
        events=target.told,
        messages=target.messages,
        clock=clock,
    )


def at(day: int, hour: float = 0) -> datetime:
    """Return a moment of the world's day of that number."""
    return moment(day_of(day), hour)


def history(target: World, sensor: str = ONE) -> BaselineHistory:
    """Return the sensor's history as it is stored."""
    return target.registry.platform("troll").history(sensor)


def bumped() -> np.ndarray:
    """Return a usual day with ten hours of more methane."""
    values = usual(19)
    values[60:120] += 40
    return values


def alarmed() -> World:
    """Return a world that alarmed of a bump, with all its messages worked off."""
    target = world(ALARM_DAYS, {19: bumped()})
    case(target, replace(RULES, augment_days=0)).run()
    target.drain()
    return target


def follow(target: World) -> None:
    """Work off what was asked for."""
    while target.messages.baselines:
        case(target, replace(RULES, augment_days=0)).run_template("troll", target.messages.baselines[0])
        target.messages.baselines.pop(0)
    target.drain()
