"""Keeping: what is backed up and restored, and what goes when it is old."""
