"""First-order response of the sensors, at irregular times."""

import numpy as np

from shared.arrays import Floats


def first_order(values: Floats, seconds: Floats, time_constant: float) -> Floats:
    """Return what a sensor reads [..., n] of what reaches it, ``values`` [..., n] at increasing ``seconds`` [n].

    y_n = a y_{n-1} + (1 - a) C_n with a = exp(-(t_n - t_{n-1}) / tau): exact for C_n held over the step that ends at
    t_n. The sensor starts in equilibrium with the first value. Raises ValueError when the last axis does not fit.
    """
    if values.shape[-1:] != seconds.shape:
        raise ValueError(f"values must end in the shape of seconds {seconds.shape}, not {values.shape}")
    if seconds.size == 0:
        return np.array(values, dtype=np.float64)
    keep = np.exp(-np.diff(seconds) / time_constant)
    steps = np.moveaxis(values, -1, 0)
    out = np.empty(steps.shape)
    out[0] = steps[0]
    for n, a in enumerate(keep, start=1):
        out[n] = a * out[n - 1] + (1 - a) * steps[n]
    return np.ascontiguousarray(np.moveaxis(out, 0, -1))
