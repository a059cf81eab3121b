"""How well leaks are found: leaks are put into recorded leak-free series, and three rules look for them.

The way of the figures: ``series`` reads a folder, ``folds`` cuts each series into a baseline and an evaluated part,
``leaks`` makes what is put in, ``rules`` score, ``trial`` scores one fold with and without leaks, ``figures`` and
``holding`` count, ``events`` looks at the rises that operators know, ``report`` and ``picture`` show. ``variants`` asks
what each choice of this system's own rule is worth.
"""
