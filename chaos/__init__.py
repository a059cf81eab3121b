"""A fault campaign: histories of what really happens, with faults at any port call, held against a clean run."""
