"""Estimation: the inverse of the simulation; exact where it can be, numpy only."""

from shared.estimation.inversion import estimate
from shared.estimation.options import EstimationOptions

__all__ = ["EstimationOptions", "estimate"]
