"""An emulator of OMNIA's Timeseries API v1.7 for local runs and tests: synthetic or recorded series, and faults."""

from omnia_emulator.server import Emulator, running

__all__ = ["Emulator", "running"]
