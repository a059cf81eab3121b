"""Simulation: the forward model from a leak to what the sensors read; numpy only."""

from shared.simulation.forward import simulate, unit_response
from shared.simulation.physics import Physics
from shared.simulation.surroundings import ResolvedEnvironment, resolve

__all__ = ["Physics", "ResolvedEnvironment", "resolve", "simulate", "unit_response"]
