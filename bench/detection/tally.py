"""One rule's false alarms and finds at every threshold that can matter, counted once for all resamples.

``area`` is what rules are judged by: the mean recall over budgets of 0.25, 0.5, 1 and 2 false alarms per sensor-month.
A budget's threshold is the smallest that, like every higher one, keeps the false alarms of all sensors together, at one
threshold for all of them, within the budget. Recall counts leaks that cause an alarm, within 72 h, that is absent from
the same series without the leak, and is taken by kind of leak; of several kinds it is their mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bench.detection.figures import alarms, first_broken, just_above, peaks_of, quiet_of
from bench.detection.first_order import FIRST_ORDER
from bench.detection.leaks import KINDS, PLUMES
from bench.detection.trial import Leaky, Trial
from shared.arrays import Flags, Floats, Indices, Scores

BUDGETS = (0.25, 0.5, 1.0, 2.0)
GROUPS: Mapping[str, tuple[str, ...]] = {
    "overall": KINDS,
    "first_order": tuple(FIRST_ORDER),
    "plumes": PLUMES,
    **{kind: (kind,) for kind in KINDS},
}


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts by fold: months [f], leaks [f, kinds], alarms at peaks [f, p], found at thresholds [f, kinds, p + 1]."""

    months: Floats
    leaks: Floats
    alarms: Floats
    found: Floats

    @classmethod
    def of(cls, trials: Sequence[Trial], rule: str) -> Self:
        """Count a rule's scores of all folds."""
        quiet, _ = quiet_of(trials, rule)
        peaks = peaks_of(quiet)
        thresholds = just_above(peaks)
        return cls(
            np.array([trial.months for trial in trials]),
            np.array([[trial.leaks.kinds.count(kind) for kind in KINDS] for trial in trials], dtype=np.float64)
            * _amplitudes(trials, rule),
            np.array([[alarms(score, peak) for peak in peaks] for score in quiet], dtype=np.float64),
            np.stack([_by_kind(trial.leaks, rule, thresholds) for trial in trials]),
        )

    def recalls(self, weights: Floats, budgets: Sequence[float] = BUDGETS) -> Floats:
        """Return recall by kind [kinds, budgets] with each fold counted so often [f], at thresholds chosen for that."""
        per_month = weights @ self.alarms / (weights @ self.months)
        places = [first_broken(per_month, budget) for budget in budgets]
        found = np.einsum("f,fkb->kb", weights, self.found[:, :, places])
        leaks = weights @ self.leaks
        return np.asarray(np.where(leaks[:, None] > 0, found / np.maximum(leaks[:, None], 1), np.nan))


def area(recalls: Floats, group: str) -> float:
    """Return the area of a group of kinds in recalls [kinds, budgets]; kinds without a leak do not count."""
    return _mean(recalls[[KINDS.index(kind) for kind in GROUPS[group]]])


def recall_at(recalls: Floats, group: str, budget: float) -> float:
    """Return the recall of a group of kinds at one of the budgets in recalls [kinds, budgets]."""
    return _mean(recalls[[KINDS.index(kind) for kind in GROUPS[group]], BUDGETS.index(budget)])


def _mean(recalls: Floats) -> float:
    known = recalls[~np.isnan(recalls)]
    return float(known.mean()) if known.size else float("nan")


def _amplitudes(trials: Sequence[Trial], rule: str) -> int:
    return int(trials[0].leaks.scores[rule].shape[1])


def _by_kind(leaky: Leaky, rule: str, thresholds: Scores) -> Floats:
    """Return how many leaks of each kind are found at falling thresholds [t]: [kinds, t]."""
    each = found_at(leaky.scores[rule], leaky.without[rule], thresholds[::-1]).sum(axis=1)[:, ::-1]
    kinds = np.array(leaky.kinds)
    return np.stack([each[kinds == kind].sum(axis=0) for kind in KINDS]).astype(np.float64)


def found_at(scores: Scores, without: Scores, thresholds: Scores) -> Flags:
    """Return at which rising thresholds [t] leaks are found [k, a, t], from scores [k, a, n], without [k, 1, n].

    A sample is a find at the thresholds above its score without the leak, up to its score with it.
    """
    above = _reached(np.broadcast_to(without, scores.shape), thresholds)
    upto = _reached(scores, thresholds)
    finds = upto > above
    leak, amplitude, _ = np.nonzero(finds)
    steps = np.zeros((*scores.shape[:2], thresholds.size + 1), dtype=np.int32)
    np.add.at(steps, (leak, amplitude, above[finds]), 1)
    np.add.at(steps, (leak, amplitude, upto[finds]), -1)
    return np.asarray(np.cumsum(steps, axis=2)[:, :, :-1] > 0)


def _reached(scores: Scores, thresholds: Scores) -> Indices:
    """Return how many of the rising thresholds [t] each score reaches; a missing one none."""
    return np.where(np.isnan(scores), 0, np.searchsorted(thresholds, scores, side="right"))
