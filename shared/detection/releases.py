"""What a leak does to a sensor: three channels that look for it in the last 40 hours of innovations.

A METS sensor follows the water as a first-order system does, within about two hours (``TIME_CONSTANT_H``). So a release
of a known course gives a known response:

    course    Steady, growing, pulsed or swelling with the tide: how well the best of these fits (a bank of matched
              filters).
    sudden    The same for the last hours. Little is known of these, so strong innovations count for more, and there are
              more false ones: it has a scale of its own.
    release   Any source that is never negative, piecewise constant over 4 h: how much of the innovations that explains
              (a cone statistic: Silvapulle & Sen, Constrained Statistical Inference, ch. 3).
"""

import numpy as np

from shared.arrays import Floats
from shared.detection.background import SPAN, Background, Spans

BINS_PER_H = 6
TIME_CONSTANT_H = 2.0
KEPT = float(np.exp(-1 / (BINS_PER_H * TIME_CONSTANT_H)))  # of a response after a bin
BLOCK = 48  # bins: at its end 2 % of what was at its beginning is left, so nothing is lost to rounding
LEFT = KEPT ** np.arange(BLOCK)  # of what was at its beginning
TIDE_H = 12.42  # the semidiurnal lunar tide
CLIP = 2.5  # usual sizes; from 2 to 4 the result is the same
BEGAN_BEFORE_H = (10, 20, 30, 40)
SUDDEN_BEFORE_H = (2, 4, 6)
SUDDEN_CLIP = 8.0
SUDDEN_BINS = 24  # 4 h, before which it is judged how loud it was
PULSE_PHASES, PULSE_SHARE = 6, 0.45  # of a tide in which the plume reaches the sensor
SWELL_PHASES, SWELL = 4, 0.45  # how much less reaches it when the tide is against it
PIECE_H = 4
SWEEPS = 15  # of coordinate descent; more change nothing that a threshold sees


def response(source: Floats) -> Floats:
    """Return a sensor's response [..., n] from rest to a source [..., n] of the same unit."""
    found = np.empty_like(source)
    before = np.zeros(source.shape[:-1])
    for begin in range(0, source.shape[-1], BLOCK):  # a sum of what each bucket adds, as the block's first one is left
        part = source[..., begin : begin + BLOCK]
        left = LEFT[: part.shape[-1]]
        sums = np.cumsum(part * ((1 - KEPT) / left), axis=-1)
        found[..., begin : begin + BLOCK] = left * (sums + KEPT * before[..., np.newaxis])
        before = found[..., begin + part.shape[-1] - 1]
    return found


def _courses(began_before_h: int) -> list[Floats]:
    """Return sources that began so long ago: steady, growing, pulsed and swelling with the tide, each [hours * 6]."""
    time = np.arange(began_before_h * BINS_PER_H) / BINS_PER_H
    pulsed = [
        ((time / TIDE_H + phase) % 1 < PULSE_SHARE).astype(float) for phase in np.arange(PULSE_PHASES) / PULSE_PHASES
    ]
    swelling = [
        1 - SWELL * (1 + np.cos(2 * np.pi * (time / TIDE_H + phase))) / 2
        for phase in np.arange(SWELL_PHASES) / SWELL_PHASES
    ]
    return [np.ones_like(time), time / began_before_h, *pulsed, *swelling]


def _responses(sources: list[Floats]) -> Floats:
    """Return the responses to sources that end with the span [sources, SPAN]."""
    return response(np.array([np.concatenate((np.zeros(SPAN - source.size), source)) for source in sources]))


def _pieces() -> Floats:
    """Return the responses to a source that is on for 4 h, one for each such piece of the span [pieces, SPAN]."""
    on = np.arange(SPAN) // (PIECE_H * BINS_PER_H)
    return response((on == np.arange(on[-1] + 1)[:, np.newaxis]).astype(float))


COURSES = _responses([course for hours in BEGAN_BEFORE_H for course in _courses(hours)])
SUDDEN = _responses([course for hours in SUDDEN_BEFORE_H for course in _courses(hours)[:2]])
PIECES = _pieces()


class Releases:
    """Releases as the innovations of one background show them."""

    def __init__(self, background: Background) -> None:
        """Whiten the patterns for this background."""
        self._courses, self._sudden, self._pieces = (
            _unit(background.whitened(patterns)) for patterns in (COURSES, SUDDEN, PIECES)
        )
        self._alike = np.einsum("ik,jk->ij", self._pieces, self._pieces)
        self._usual, self._sudden_usual = background.usual(CLIP), background.usual(SUDDEN_CLIP)

    def spans(self, innovations: Floats, first: int) -> Spans:
        """Return the spans of the buckets from ``first`` on, of innovations [n] (NaN: none)."""
        return Spans.of(np.clip(innovations, -CLIP, CLIP), first, self._usual)

    def course(self, spans: Spans) -> Floats:
        """Return how well the known course that fits best does, for each span [k]."""
        return self._best(self._courses, spans)

    def sudden(self, innovations: Floats, first: int) -> Floats:
        """Return how well a release of the last hours fits, for each bucket from ``first`` on [k], of innovations [n].

        It is set against how loud it was before.
        """
        clipped = np.clip(innovations, -SUDDEN_CLIP, SUDDEN_CLIP)
        return self._best(self._sudden, Spans.of(clipped, first, self._sudden_usual, SUDDEN_BINS))

    @staticmethod
    def _best(patterns: Floats, spans: Spans) -> Floats:
        return np.asarray(np.max(spans.found(patterns), axis=1, initial=0.0) / spans.loudness)

    def release(self, spans: Spans) -> Floats:
        """Return how well the best source that is never negative fits, for each span [k]."""
        rest = spans.found(self._pieces).T / spans.loudness  # what no piece explains yet, [pieces, k]
        wanted = rest.copy()
        least = np.zeros_like(rest)  # what a piece's rate may change by: it is never negative
        for _ in range(SWEEPS):
            settled = True
            for piece, alike in enumerate(self._alike[..., np.newaxis]):
                more = np.maximum(rest[piece], least[piece])
                if np.count_nonzero(more):  # of a quiet sensor hardly any piece changes
                    least[piece] -= more
                    rest -= alike * more
                    settled = False
            if settled:
                break
        explained = np.zeros(rest.shape[1])
        for piece, rate in enumerate(-least):  # in this order, however many spans there are
            explained += rate * (wanted[piece] + rest[piece])
        return np.asarray(np.sqrt(np.maximum(explained, 0.0)))


def _unit(patterns: Floats) -> Floats:
    return np.asarray(patterns / np.maximum(np.linalg.norm(patterns, axis=1, keepdims=True), 1e-12))
