"""The performance statement held against leaks of another truth, found by the detector itself; its time and memory."""
