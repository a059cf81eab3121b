"""The sea and the sensors of the bench's truth, from none of the code that is put to the test.

Time runs in blocks of 10 minutes that end where a reading is asked for, each of 20 steps of 30 s.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from bench.estimation.family import Truth
from shared.arrays import Floats, Times
from shared.domain.environment import Environment

BLOCK_S, STEP_S = 600, 30
STEPS_PER_BLOCK = BLOCK_S // STEP_S
MEMORIES = 6  # of the sensor: what leaked before is forgotten
TIDE_S = 12.42 * 3600
STAND_IN_SPEED = 0.08  # m/s, of a tide that turns around
STAND_IN_TEMPERATURE = 6.5  # degrees Celsius
KG_M3_PER_PPMV = 2.715e-8  # at 6 degrees Celsius, salinity 35, at the surface
WARMING = 0.023  # share of solubility lost per degree, near 6 degrees Celsius
MOLAR_VOLUME = 3.6e-5  # m3/mol, of dissolved methane
GUST_MEMORY_S = RESIDUAL_MEMORY_S = 200.0


@dataclass(frozen=True, eq=False, slots=True)
class Span:
    """The blocks and steps over which a truth is followed; seconds since 1970."""

    ends: Floats  # [blocks]
    start: float
    onset: float

    @property
    def steps(self) -> Floats:
        """When each step begins [blocks * 20]."""
        return np.asarray(self.start + STEP_S * np.arange(self.ends.size * STEPS_PER_BLOCK), dtype=np.float64)

    @property
    def leaking(self) -> Floats:
        """The share of each step during which the source leaks [blocks * 20]."""
        return np.clip((self.steps + STEP_S - self.onset) / STEP_S, 0.0, 1.0)


def span_of(times: Times, onset: datetime | np.datetime64, time_constant_s: float) -> Span:
    """Return the blocks up to the last of ``times`` [n], from the onset on or as far back as sensors remember."""
    stamps, began = seconds(times), _moment(onset)
    before = np.ceil(np.clip(stamps[0] - began, 0.0, MEMORIES * time_constant_s) / BLOCK_S)
    after = np.ceil((stamps[-1] - stamps[0]) / BLOCK_S)
    ends = stamps[0] + BLOCK_S * np.arange(-before, after + 1)
    return Span(ends, float(ends[0]) - BLOCK_S, began)


def seconds(times: Times) -> Floats:
    """Return seconds since 1970 [n]."""
    return times.astype("datetime64[ms]").astype(np.int64) / 1000


def currents(environment: Environment, angle_from_north: float, at: Floats, phase: float) -> Floats:
    """Return the current towards starboard and fore [2, n] in m/s at seconds ``at`` [n].

    East and north are interpolated over whatever is missing; with nothing measured a tide of 8 cm/s turns around,
    beginning at ``phase`` radians from the fore axis.
    """
    speed, towards = environment.current_speed, np.radians(environment.current_direction - angle_from_north)
    known = np.isfinite(speed) & np.isfinite(towards)
    if not known.any():
        turn = phase + 2 * np.pi * at / TIDE_S
        return STAND_IN_SPEED * np.stack([np.sin(turn), np.cos(turn)])
    when = seconds(environment.times)[known]
    parts = speed[known] * np.sin(towards[known]), speed[known] * np.cos(towards[known])
    return np.stack([np.interp(at, when, part) for part in parts])


def wandering(rng: np.random.Generator, shape: tuple[int, int], memory_s: float, step_s: float = STEP_S) -> Floats:
    """Return Ornstein-Uhlenbeck series of mean 0 and variance 1 [series, steps] with the memory given."""
    kept = np.exp(-step_s / memory_s)
    values = rng.standard_normal(shape)
    values[:, 1:] *= np.sqrt(1 - kept**2)
    for step in range(1, shape[1]):
        values[:, step] += kept * values[:, step - 1]
    return values


def swinging(mean: Floats, truth: Truth, rng: np.random.Generator, step_s: float) -> Floats:
    """Return the current as it is [2, n] in m/s, in steps of ``step_s``, around its mean of minutes [2, n]."""
    count = mean.shape[1]
    turn = np.radians(truth.meander_deg) * wandering(rng, (1, count), truth.meander_memory_s, step_s)[0]
    gust = 1 + truth.gust * wandering(rng, (1, count), GUST_MEMORY_S, step_s)[0]
    rest = truth.residual_m_s * wandering(rng, (2, count), RESIDUAL_MEMORY_S, step_s)
    swung = np.maximum(gust, 0.0) * (mean[0] + 1j * mean[1]) * np.exp(1j * turn)
    return np.stack([swung.real, swung.imag]) + rest


def kg_m3_per_ppmv(environment: Environment, depth: float, at: Floats) -> Floats:
    """Return the dissolved methane [kg/m3] behind 1 ppmv at seconds ``at`` [n] and ``depth`` [m].

    A straight slope of ln solubility with temperature, and exp(-v P / R T) for the pressure on dissolved gas.
    """
    known = np.isfinite(environment.temperature)
    warm = np.full(at.shape, STAND_IN_TEMPERATURE)
    if known.any():
        warm = np.interp(at, seconds(environment.times)[known], environment.temperature[known])
    pressure = 1026 * 9.81 * depth
    squeezed = np.exp(-MOLAR_VOLUME * pressure / (8.314 * (warm + 273.15)))
    return np.asarray(KG_M3_PER_PPMV * np.exp(-WARMING * (warm - 6)) * squeezed, dtype=np.float64)


def sensed(ppmv: Floats, span: Span, times: Times, up_s: float, down_s: float) -> Floats:
    """Return what first-order sensors read at ``times`` [sensors, n] of the means of each block [sensors, blocks].

    They rise and fall by different time constants. A mean counts as constant over its block, for which the step is
    exact; they read 0 before the first block.
    """
    up, down = (-np.expm1(-BLOCK_S / one) for one in (up_s, down_s))
    readings, now = np.empty_like(ppmv), np.zeros(ppmv.shape[0])
    for block in range(ppmv.shape[1]):
        more = ppmv[:, block] - now
        now = now + np.where(more > 0, up, down) * more
        readings[:, block] = now
    at = seconds(times)
    return np.stack([np.interp(at, span.ends, one) for one in readings]) if len(readings) else readings[:, : at.size]


def _moment(onset: datetime | np.datetime64) -> float:
    if isinstance(onset, datetime):
        return onset.astimezone(UTC).timestamp()
    return float(onset.astype("datetime64[ms]").astype(np.int64)) / 1000
