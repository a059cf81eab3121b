"""Subsea leak detection: domain, algorithms, use cases and adapters."""

__version__ = "0.1.0"
