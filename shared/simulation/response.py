"""First-order response of the sensors, at irregular times."""

import numpy as np

from shared.arrays import Floats


def first_order(values: Floats, seconds: Floats, time_constant: float, fall: float = 1.0) -> Floats:
    """Return what a sensor reads [..., n] of what reaches it, ``values`` [..., n] at increasing ``seconds`` [n].

    y_n = a y_{n-1} + (1 - a) C_n with a = exp(-(t_n - t_{n-1}) / tau): exact for C_n held over the step that ends at
    t_n; where the reading falls, tau is ``fall`` times the ``time_constant`` in s. The sensor starts in equilibrium
    with the first value. Raises ValueError when the last axis does not fit.
    """
    if values.shape[-1:] != seconds.shape:
        raise ValueError(f"values must end in the shape of seconds {seconds.shape}, not {values.shape}")
    if seconds.size == 0:
        return np.array(values, dtype=np.float64)
    rises, falls = (-np.expm1(-np.diff(seconds) / tau) for tau in (time_constant, fall * time_constant))
    steps = np.moveaxis(values, -1, 0)
    out = np.empty(steps.shape)
    out[0] = steps[0]
    for n, (up, down) in enumerate(zip(rises, falls, strict=True), start=1):
        more = steps[n] - out[n - 1]
        out[n] = out[n - 1] + (up * more if up == down else np.where(more > 0, up, down) * more)
    return np.ascontiguousarray(np.moveaxis(out, 0, -1))
