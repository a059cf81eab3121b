"""One template, with or without a leak: what the chain tells of it, and what the rules score."""

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

import numpy as np

from bench.chain.ablations import Ablation, ablated
from bench.chain.drawn import Played, Task, drawn
from bench.chain.watch import Said, Series, Watch
from bench.detection.figures import MERGED_WITHIN
from bench.detection.folds import CONTEXT, DAY
from bench.detection.rules import Scorer, older
from bench.estimation.backgrounds import Block
from bench.estimation.leak import TrueLeak
from shared.arrays import BUCKET_STEP, Flags, Floats, Scores
from shared.detection import detect
from shared.detection.channels import CRITICAL_SCORE
from shared.domain.alarm import Cause
from shared.domain.incident import CriticalMessage
from shared.domain.tsd import BUCKET, to_datetime
from shared.settings import DetectionSettings

HOUR = timedelta(hours=1)
FOLLOWED = timedelta(days=1)  # by estimations: an incident, or a leak from its first Critical on
CLEAR = DetectionSettings().clear_hours * 6  # bins before a leak in which nothing may be alarmed
MOST_DRAWS = 100
_OLDER: WeakKeyDictionary[Block, Scorer] = WeakKeyDictionary()


@dataclass(frozen=True)
class Trial:
    """A task, and what goes wrong meanwhile; ``tick_hours`` is how often the app looks."""

    task: Task
    ablation: Ablation = "none"
    tick_hours: int = 1
    update_hours: int = DetectionSettings().update_hours
    with_older: bool = True
    estimated: bool = True  # otherwise it ends with the alarm of a leak


@dataclass(frozen=True, eq=False)
class Scored:
    """What the rules say of every sensor after the context [sensors, n], with and without the leak, NaN: nothing."""

    ours: Scores
    ours_without: Scores
    older: Scores
    older_without: Scores


@dataclass(frozen=True, eq=False)
class Confirmed:
    """What is said of a leak when it is CONFIRMED first: after how many hours, how far off, whether rates hold it."""

    hours: float
    horizontal_m: float
    rate_90: bool


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a trial: each alarm's cause as it was told last, and hours after the onset; NaN: never."""

    trial: Trial
    rate_kg_s: float  # NaN without a leak
    sensor_days: Floats  # [sensors], that were read
    days: float  # in which any sensor was read
    causes: tuple[Cause, ...]
    told_h: float  # a Critical that the leak caused
    cause: Cause | None  # of that alarm, as it was told last
    confirmed: Confirmed | None
    scored: Scored
    redrawn: int = 0  # templates before this one that were alarmed without the leak when it was to begin


def run(trial: Trial) -> Outcome:
    """Return what comes of a trial; the same for the same one, wherever it runs."""
    with _quiet():  # a sensor that is not well is told in the journal
        return _outcome(trial)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let the app log errors alone, for as long as it takes."""
    logger = logging.getLogger("shared")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _outcome(trial: Trial) -> Outcome:
    for attempt in range(MOST_DRAWS):
        played = drawn(trial.task, attempt)
        without = _gone_wrong(trial, played.without)
        ours = _ours(without)
        if played.leaking is None:
            return _watched(trial, without, None, _scored(trial, played, (without, ours), (without, ours)))
        if not (ours[:, CONTEXT - CLEAR : CONTEXT + 1] >= CRITICAL_SCORE).any():
            ppmv = played.without.ppmv + played.leaking.signal(played.without)
            series = _gone_wrong(trial, replace(played.without, ppmv=ppmv))
            scored = _scored(trial, played, (series, _ours(series)), (without, ours))
            return replace(_watched(trial, series, played.leaking.leak, scored), redrawn=attempt)
    raise RuntimeError(f"all of {MOST_DRAWS} templates are alarmed before they leak")


def _gone_wrong(trial: Trial, series: Series) -> Series:
    """Return what is read; what goes wrong does so a day before a leak."""
    since = CONTEXT - DAY if trial.task.leak else CONTEXT
    return ablated(trial.ablation, series, since, trial.task.seed * 10_000 + trial.task.number)


def _watched(trial: Trial, series: Series, leak: TrueLeak | None, scored: Scored) -> Outcome:
    begin = to_datetime(series.times[CONTEXT])
    first = _first_news(scored, begin) if leak else None

    def answered(message: CriticalMessage) -> bool:
        if not trial.estimated:
            return False
        since = message.onset if leak is None else first
        return since is not None and timedelta(0) <= message.at - since <= FOLLOWED

    watch = Watch(series, trial.tick_hours * HOUR, trial.update_hours, answered)
    watch.catch_up(begin)
    critical = (scored.ours >= CRITICAL_SCORE).any(axis=0)
    told, mine = None, ""
    for now in watch.ticks(np.concatenate([np.zeros(CONTEXT, bool), critical])):
        if first is not None and told is None and (mine := watch.alarm_of(first)):
            told = now
        if told is not None and _is_over(watch.said(), mine, now - told, trial):
            break
    said = [one for one in watch.said() if one.entry.said > begin]
    of_leak = [one for one in said if told is not None and one.entry.about == mine]
    read = np.isfinite(series.ppmv[:, CONTEXT:])
    last = {one.entry.about: one for one in said}
    return Outcome(
        trial=trial,
        rate_kg_s=leak.rate_kg_s if leak else math.nan,
        sensor_days=read.sum(axis=1) / DAY,
        days=float(read.any(axis=0).sum() / DAY),
        causes=tuple(one.alarm.cause for one in last.values()),
        told_h=(told - begin) / HOUR if told else math.nan,
        cause=of_leak[-1].alarm.cause if of_leak else None,
        confirmed=_confirmed(of_leak, leak, begin) if leak else None,
        scored=scored,
    )


def _first_news(scored: Scored, begin: datetime) -> datetime | None:
    """Return the bucket of the first Critical of any sensor that would not be there without the leak."""
    new = np.flatnonzero(news(scored.ours, scored.ours_without, CRITICAL_SCORE))
    return begin + int(new[0]) * BUCKET if new.size else None


def news(scores: Scores, without: Scores, threshold: float) -> Flags:
    """Return where any sensor's score [sensors, n] is at or above a threshold that is not so without the leak [n]."""
    return np.asarray(((scores >= threshold) & ~(without >= threshold)).any(axis=0))


def new_alarm(scores: Scores, without: Scores, threshold: float) -> Flags:
    """Return where any sensor's score [sensors, n] is an alarm that is not there without the leak, nor within 24 h [n].

    Alarms less than 24 h apart are one, so one that is there anyway says nothing of a leak by lasting longer.
    """
    anyway = (without >= threshold).any(axis=0)
    near = np.convolve(anyway, np.ones(2 * MERGED_WITHIN - 1), "same") > 0 if anyway.any() else anyway
    return np.asarray((scores >= threshold).any(axis=0) & ~near)


def _is_over(said: Sequence[Said], mine: str, since: timedelta, trial: Trial) -> bool:
    """Return whether a leak is CONFIRMED, or nothing more is estimated of it."""
    confirmed = any(one.entry.about == mine and one.alarm.cause is Cause.LEAK for one in said)
    return confirmed or not trial.estimated or since > FOLLOWED


def _confirmed(said: Sequence[Said], leak: TrueLeak, begin: datetime) -> Confirmed | None:
    """Return what is said first that CONFIRMs the leak."""
    for one in said:
        answer = one.estimation
        if answer is not None and answer.verdict == "CONFIRMED" and answer.place and answer.dissolved_rate_kg_s:
            rate, place = answer.dissolved_rate_kg_s, answer.place
            off = math.hypot(place.x - leak.place[0], place.y - leak.place[1])
            return Confirmed((one.entry.said - begin) / HOUR, off, rate.low_90 <= leak.rate_kg_s <= rate.high_90)
    return None


def _scored(trial: Trial, played: Played, leaky: tuple[Series, Scores], without: tuple[Series, Scores]) -> Scored:
    found = []
    for series, ours in (leaky, without):
        theirs = _older(series, played.blocks) if trial.with_older else np.full_like(ours[:, CONTEXT:], np.nan)
        found.append((ours[:, CONTEXT:], theirs))
    return Scored(found[0][0], found[1][0], found[0][1], found[1][1])


def _ours(series: Series) -> Scores:
    """Return the detector's scores of all sensors [sensors, n], as the day rows have them."""
    found = np.full(series.ppmv.shape, np.nan, dtype=np.float32)
    for row, baseline, ppmv in zip(found, series.baselines, series.ppmv, strict=True):
        if np.isfinite(ppmv).any():
            detection = detect(baseline, series.times, ppmv, series.told)
            begin = int((detection.times[0] - series.times[0]) / BUCKET_STEP)
            row[begin : begin + detection.score.size] = detection.score
    return found


def _older(series: Series, blocks: Sequence[Block]) -> Scores:
    found = []
    for block, ppmv in zip(blocks, series.ppmv, strict=True):
        if block not in _OLDER:
            times = series.times[0] + np.arange(block.history.size) * BUCKET_STEP
            _OLDER[block] = older(times, block.history)
        found.append(_OLDER[block](series.times, ppmv, series.times[CONTEXT]))
    return np.stack(found)
