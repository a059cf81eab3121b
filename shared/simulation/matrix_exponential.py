"""Exact steps of a linear system with a constant source: dC/dt = M C + s."""

import numpy as np

from shared.arrays import Floats

_TERMS = 15  # of the Taylor series: 0.5^15 / 16! is far below rounding
_LARGEST = 0.5  # norm up to which the series is used; larger steps are halved and doubled again


def step_matrices(rates: Floats, seconds: Floats) -> tuple[Floats, Floats]:
    """Return exp(M dt) and the integral of exp(M s) from 0 to dt [n, z, z], for M [n, z, z] in 1/s and dt [n] in s.

    These are the blocks of exp([[M, I], [0, 0]] dt), the augmented matrix, by Taylor series, scaling and squaring
    (Moler and Van Loan 2003, doi 10.1137/S00361445024180, methods 1 and 3). Each step is scaled by its own norm, so
    that its result does not depend on its neighbours.
    """
    scaled = rates * seconds[:, None, None]
    norm = np.abs(scaled).sum(axis=1).max(axis=1, initial=0.0)
    halvings = np.ceil(np.log2(np.maximum(norm / _LARGEST, 1.0))).astype(np.int64)
    part = 0.5**halvings
    scaled *= part[:, None, None]
    unit = np.eye(rates.shape[-1])
    series = np.broadcast_to(unit, scaled.shape)
    for term in range(_TERMS, 1, -1):
        series = unit + scaled @ series / term
    keep = unit + scaled @ series
    gain = series * (part * seconds)[:, None, None]
    for level in range(halvings.max(initial=0)):
        todo = halvings > level
        half = keep[todo]
        gain[todo] += half @ gain[todo]
        keep[todo] = half @ half
    return keep, gain
