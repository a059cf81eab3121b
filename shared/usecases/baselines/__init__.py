"""Baselines: what each sensor is compared with, how it is chosen, and when it is renewed."""
