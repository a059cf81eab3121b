"""Simulation: the forward model from a leak to what the sensors read; numpy only."""

from shared.simulation.ambient import ResolvedEnvironment, resolve
from shared.simulation.enclosure import confinement
from shared.simulation.forward import box_response, plume_response, simulate
from shared.simulation.physics import Physics

__all__ = ["Physics", "ResolvedEnvironment", "box_response", "confinement", "plume_response", "resolve", "simulate"]
