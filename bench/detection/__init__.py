"""How well leaks are found: leaks are put into recorded leak-free series, and three rules look for them.

The way of the figures: ``recorded_series`` reads a folder, ``folds`` cuts each series into a baseline and an evaluated
part, ``leaks`` makes what is put in (``first_order`` and ``plumes``, carried by ``currents``), ``rules`` score,
``trial`` scores one fold with and without leaks, and after ``gaps``. ``tally`` and ``figures`` count, ``comparison``
and ``poisson`` say how certain that is, ``holding`` how alarms end, ``events`` looks at the rises that operators know;
``document`` holds all figures, ``report`` and ``picture`` show them.

What this system rests on: ``channel_figures`` are what its channels find before any threshold, ``scales`` measures how
rare these are at such sensors, and a sensor is judged by what the others measure. ``variants`` asks what each choice is
worth, ``explain`` why one moment is scored as it is.
"""
