"""Seeded noise on a fixed grid: its value depends on seed, name and time, never on what is asked, or when.

Time is cut into blocks of 32 days from 1970 on; a block is always made whole, from the dice of its own and of
the block before, whose end warms up the memory of slow noise.
"""

import zlib
from itertools import accumulate, islice

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

STEP_S = 300
BLOCK = 32 * 86_400 // STEP_S  # steps
LONGEST_MEMORY_H = 5 * 24.0


def times_of(block: int) -> npt.NDArray[np.datetime64]:
    """Return the block's times, datetime64[us] [BLOCK]."""
    seconds = (block * BLOCK + np.arange(BLOCK, dtype=np.int64)) * STEP_S
    return seconds.astype("datetime64[s]").astype("datetime64[us]")


def block_of(moment: np.datetime64) -> int:
    """Return the number of the block that holds the moment."""
    return int(moment.astype("datetime64[s]").astype(np.int64)) // (BLOCK * STEP_S)


def dice(seed: int, name: str, block: int = 0) -> np.random.Generator:
    """Return the random generator that belongs to seed, name and block."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), block])


def white(seed: int, name: str, block: int) -> Floats:
    """Return white noise of unit deviation [BLOCK]."""
    return dice(seed, name, block).standard_normal(BLOCK)


def red(seed: int, name: str, block: int, memory_h: float) -> Floats:
    """Return first-order autoregressive noise of unit deviation [BLOCK], with a memory of at most five days [h]."""
    if not 0 < memory_h <= LONGEST_MEMORY_H:
        raise ValueError(f"memory_h must be in (0, {LONGEST_MEMORY_H:g}] h, not {memory_h:g}")
    keep = float(np.exp(-STEP_S / 3600 / memory_h))
    drawn = np.concatenate([white(seed, name, block - 1), white(seed, name, block)])
    steps = (float(np.sqrt(1 - keep**2)) * drawn).tolist()
    remembered = accumulate(steps, lambda before, step: step + keep * before)
    return np.fromiter(islice(remembered, BLOCK, None), dtype=np.float64, count=BLOCK)
