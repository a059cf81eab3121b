"""Memory that a thread's searches use again: getting it afresh would cost as much as the arithmetic."""

import threading
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt


class Scratch(threading.local):
    """Arrays by name and type, as large as the largest so far; their contents are undefined."""

    def __init__(self) -> None:
        """Begin with none, in each thread."""
        self._arrays: dict[tuple[str, Any], npt.NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: Any = np.float64) -> npt.NDArray[Any]:
        """Return the array [*shape] of that name and type; who asks for the name next overwrites it."""
        size = prod(shape)
        flat = self._arrays.get((name, dtype))
        if flat is None or flat.size < size:
            flat = self._arrays[name, dtype] = np.empty(size, dtype)
        return flat[:size].reshape(shape)


SCRATCH = Scratch()
