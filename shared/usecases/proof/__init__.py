"""Proof tests: whether a leak would be found today, by the functions that are deployed."""
