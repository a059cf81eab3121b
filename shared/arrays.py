"""The types of arrays, and the bucket that times are gridded by.

A type says what the numbers are; their shape and unit stand where the array is named.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]  # quantities: readings in ppmv, distances, rates
ComplexFloats = npt.NDArray[np.complex128]  # currents: east + i north, in m/s
Singles = npt.NDArray[np.float32]  # quantities that need no more digits, where memory or speed counts
Scores = npt.NDArray[np.float32]  # how unlike the baseline each bucket is
Levels = npt.NDArray[np.int8]  # the number of each bucket's level, or of its fault
Indices = npt.NDArray[np.intp]  # positions in other arrays, and counts
Times = npt.NDArray[np.datetime64]  # moments or days in UTC
Flags = npt.NDArray[np.bool_]  # what holds for each element

BUCKET_S = 600  # the grid of the data: ten minutes
BUCKET_STEP = np.timedelta64(BUCKET_S, "s")
