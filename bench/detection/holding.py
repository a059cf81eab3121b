"""Whether an alarm holds while the leak lasts, and clears after it: leaks of 5 sigma and more, 3 days long."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.detection.first_order import STEP_H
from bench.detection.plumes import LASTS
from bench.detection.trial import Trial
from shared.arrays import Flags, Floats, Scores

CLEAR_FOR = 12 * 6  # bins without alarm
SOON_H = 12.0


def holding(trials: Sequence[Trial], rule: str, threshold: float) -> dict[str, Any]:
    """Return how a rule's alarms hold and clear at a threshold, over the leaks that it found before their end.

    Held: of the samples with a score from the first flag to the leak's end, the share at or above the threshold,
    pooled, by kind of leak, and the median leak's. Clear: the first time after the end from which for 12 h no sample
    is at or above the threshold that is not so without the leak; later than can be seen counts as never.
    """
    found, leaks, shares, cleared = 0, 0, list[float](), list[float]()
    held, of = Counter[str](), Counter[str]()
    for trial in trials:
        scores, without = trial.holding.scores[rule], trial.holding.without[rule]
        flagged = scores >= threshold
        caused = flagged & ~(without >= threshold)
        for k, a in np.ndindex(scores.shape[:2]):
            leaks += 1
            if not caused[k, a, :LASTS].any():
                continue
            found += 1
            since = int(np.argmax(caused[k, a]))
            on, known = _held(scores[k, a, since:LASTS], flagged[k, a, since:LASTS])
            held[trial.holding.kinds[k]] += on
            of[trial.holding.kinds[k]] += known
            shares.append(on / known)
            cleared.append(hours_until_clear(caused[k, a, LASTS:]))
    return {
        "threshold": threshold,
        "leaks": leaks,
        "found": found,
        "held_share": held.total() / of.total() if of else float("nan"),
        "held_share_by_kind": {kind: held[kind] / of[kind] for kind in sorted(of)},
        "held_share_median_leak": _quantile(shares, 0.5),
        "held_share_p5_leak": _quantile(shares, 0.05),
        "clear_median_h": _quantile(cleared, 0.5),
        "clear_p95_h": _quantile(cleared, 0.95),
        "clear_within_12_h": float(np.mean(np.array(cleared) <= SOON_H)) if cleared else float("nan"),
    }


def _held(scores: Scores, flagged: Flags) -> tuple[int, int]:
    return int(np.count_nonzero(flagged)), int(np.count_nonzero(~np.isnan(scores)))


def hours_until_clear(caused: Flags) -> float:
    """Return the hours from the first sample [n] to where 12 h without alarm begin; inf when that is not seen."""
    alarmed = np.concatenate(([-1], np.flatnonzero(caused), [caused.size]))
    long_enough = np.flatnonzero(np.diff(alarmed) > CLEAR_FOR)
    return float((alarmed[long_enough[0]] + 1) * STEP_H) if long_enough.size else float("inf")


def _quantile(values: Sequence[float], share: float) -> float:
    """Return an observed value, so that what was never seen to clear stays so and is not averaged."""
    if not values:
        return float("nan")
    found: Floats = np.quantile(np.array(values), share, method="higher")
    return float(found)
