"""The nearest window of a baseline, non-normalised Euclidean, by overlap-save FFT.

For a query w [m] and every baseline window x_j = x[j : j + m], over the query's observed bins o_k in {0, 1}:

    D_j^2 = sum_k o_k (w_k - x_{j+k})^2 = sum o w^2 - 2 sum_k (o w)_k x_{j+k} + sum_k o_k x_{j+k}^2

Both sums over j are correlations, computed blockwise: irfft(rfft(block) conj(rfft(query))), of which the first
B - m + 1 values of each block of B are free of wrap-around (overlap-save; Oppenheim & Schafer, Discrete-Time
Signal Processing). Cancellation spoils small differences of large sums, so the winner's distance is computed
again by plain subtraction, and everything is measured from the baseline's mean.

One query at a time on purpose: the same window then gives the same bits however the stream was cut.
"""

import numpy as np
import numpy.typing as npt

from shared.errors import InvalidInput

Floats = npt.NDArray[np.float64]
BLOCK = 2048


class NearestWindow:
    """Answers how far a query window is from its nearest window of a series [n] (NaN: missing)."""

    def __init__(self, series: Floats, window: int) -> None:
        """Prepare the series' spectra; raise InvalidInput when no window of it is complete."""
        self._window = window
        missing = np.isnan(series)
        complete = np.convolve(missing, np.ones(window), "valid") < 0.5 if series.size >= window else np.zeros(0)
        if not complete.any():
            raise InvalidInput(f"a baseline needs at least one complete window of {window}, found none")
        self._centre = float(np.nanmean(series))
        centred = np.where(missing, 0.0, series - self._centre)
        self._windows = np.lib.stride_tricks.sliding_window_view(centred, window)
        self._step = BLOCK - window + 1
        self._spectra = _spectra(centred, self._step)
        self._square_spectra = _spectra(centred**2, self._step)
        # In long double: a running sum of squares would otherwise carry the error of its largest value along.
        sums = np.concatenate(([0.0], np.cumsum(centred.astype(np.longdouble) ** 2)))
        self._energy = (sums[window:] - sums[:-window]).astype(np.float64)
        self._unusable = ~complete.astype(bool)

    def find(self, query: Floats) -> tuple[int, float]:
        """Return (start of the nearest window, distance) for a query [m] that may hold NaN.

        Missing bins count as being as far off as the observed ones on average (D^2 scaled by m / observed).
        """
        observed = ~np.isnan(query)
        if query.shape != (self._window,) or not observed.any():
            raise InvalidInput(f"a query needs {self._window} bins with at least one value, not {query.shape}")
        centred = np.where(observed, query - self._centre, 0.0)
        energy = self._energy if observed.all() else self._correlate(self._square_spectra, observed.astype(float))
        squares = energy - 2.0 * self._correlate(self._spectra, centred)
        squares[self._unusable] = np.inf
        nearest = int(np.argmin(squares))
        difference = (centred - self._windows[nearest])[observed]
        scale = self._window / difference.size
        return nearest, float(np.sqrt(scale * np.sum(difference**2)))

    def _correlate(self, spectra: npt.NDArray[np.complex128], kernel: Floats) -> Floats:
        products = spectra * np.conj(np.fft.rfft(kernel, BLOCK))
        blocks = np.fft.irfft(products, BLOCK, axis=1)[:, : self._step]
        return np.asarray(blocks.reshape(-1)[: self._windows.shape[0]])


def _spectra(series: Floats, step: int) -> npt.NDArray[np.complex128]:
    blocks = -(-series.size // step)
    padded = np.zeros((blocks - 1) * step + BLOCK)
    padded[: series.size] = series
    views = np.lib.stride_tricks.sliding_window_view(padded, BLOCK)[::step]
    return np.fft.rfft(views, axis=1)
