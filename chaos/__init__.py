"""A fault campaign: histories of what really happens, faults at every port call, and what a clean run makes of the end."""
