"""Figures of one rule: false alarms, thresholds that keep a budget of them, recall and delay.

An alarm is a run of samples at or above the threshold; alarms less than 24 h apart are one. A leak is found when,
within 72 h after its onset, a sample is at or above the threshold that is not so in the same series without the leak;
its delay is the time from the onset to the first such sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.detection.first_order import STEP_H
from bench.detection.trial import Leaky, Trial
from shared.arrays import Floats, Scores

MERGED_WITHIN = 144  # bins
Hours = Floats  # NaN: never


@dataclass(frozen=True, eq=False)
class Performance:
    """What a rule reaches at one threshold; by amplitude [a], ``hours`` [leaks, a] is each leak's delay."""

    threshold: float
    false_alarms_per_month: float
    time_in_alarm: float
    recall: float
    recall_by_amplitude: list[float]
    delay_h: float
    delay_h_by_amplitude: list[float]
    hours: Hours

    def summary(self) -> dict[str, object]:
        """Return the figures as JSON takes them, without each leak's."""
        return {name: value for name, value in vars(self).items() if name != "hours"}


def alarms(score: Scores, threshold: float) -> int:
    """Return the number of alarms in a score [n] that may hold NaN."""
    above = np.flatnonzero(score >= threshold)
    return int(above.size > 0) + int(np.count_nonzero(np.diff(above) >= MERGED_WITHIN))


def per_month(quiet: Sequence[Scores], months: float, threshold: float) -> float:
    """Return the false alarms per sensor-month in the leak-free scores, each [n]."""
    return sum(alarms(score, threshold) for score in quiet) / months


def budget_thresholds(quiet: Sequence[Scores], months: float, budgets: Sequence[float]) -> list[float]:
    """Return for each budget the smallest threshold that, like every higher one, keeps so many alarms per month.

    Every higher one too, since a low threshold merges all alarms into one.
    """
    peaks = peaks_of(quiet)
    per_peak = np.array([per_month(quiet, months, float(peak)) for peak in peaks])
    thresholds = just_above(peaks)
    return [float(thresholds[first_broken(per_peak, budget)]) for budget in budgets]


def peaks_of(quiet: Sequence[Scores]) -> Scores:
    """Return the scores, falling, at which the number of alarms can grow as the threshold passes below.

    A sample begins a new alarm only if none within 24 h of it is higher.
    """
    rising: Scores = np.unique(np.concatenate([_peaks(score) for score in quiet]))
    return rising[::-1]


def just_above(peaks: Scores) -> Scores:
    """Return the thresholds [p + 1] that the peaks [p] part: just above each, and the lowest itself."""
    return np.asarray(np.concatenate((np.nextafter(peaks, np.float32(np.inf)), peaks[-1:])), dtype=np.float32)


def first_broken(per_month: Floats, budget: float) -> int:
    """Return the first of falling thresholds at which the alarms per month [p] break the budget; p where none does."""
    broken = per_month > budget
    return int(np.argmax(broken)) if broken.any() else broken.size


def _peaks(score: Scores) -> Scores:
    reach = MERGED_WITHIN - 1
    padded = np.pad(np.where(np.isnan(score), -np.inf, score), reach, constant_values=-np.inf)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    found: Scores = score[(score >= highest) & np.isfinite(score)]
    return found


def first_flags(leaky: Leaky, rule: str, threshold: float) -> Hours:
    """Return the hours from onset to the first flag that the leak alone causes [leaks, amplitudes], NaN: none."""
    new = (leaky.scores[rule] >= threshold) & ~(leaky.without[rule] >= threshold)
    return np.where(new.any(axis=2), (np.argmax(new, axis=2) + 1) * STEP_H, np.nan)


def performance(trials: Sequence[Trial], rule: str, threshold: float) -> Performance:
    """Return what a rule reaches at a threshold over all trials."""
    quiet, months = quiet_of(trials, rule)
    scored = np.concatenate(quiet)
    hours = np.concatenate([first_flags(trial.leaks, rule, threshold) for trial in trials])
    found = np.isfinite(hours)
    return Performance(
        threshold=threshold,
        false_alarms_per_month=per_month(quiet, months, threshold),
        time_in_alarm=float(np.mean(scored[~np.isnan(scored)] >= threshold)),
        recall=float(found.mean()),
        recall_by_amplitude=[float(share) for share in found.mean(axis=0)],
        delay_h=median(hours),
        delay_h_by_amplitude=[median(column) for column in hours.T],
        hours=hours,
    )


def quiet_of(trials: Sequence[Trial], rule: str) -> tuple[list[Scores], float]:
    """Return the leak-free scores [n] of each trial by the rule, and their months in all."""
    return [trial.quiet[rule] for trial in trials], sum(trial.months for trial in trials)


def median(values: Floats) -> float:
    """Return the median of those values [n] that are not NaN; NaN where all are."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else float("nan")
