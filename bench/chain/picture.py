"""What is found by rate, and when it is told, as one picture."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bench.style import COLOURS, MUTED, STYLE

WITHIN = "24"  # hours
DELAYS = {"warning_h": "Warning", "critical_h": "Critical: an alarm", "confirmed_h": "CONFIRMED"}
SHADES = ("#9dc3e6", "#4a90c9", COLOURS["ours"])


def draw(document: dict[str, Any], path: Path) -> None:
    """Write the picture as PNG."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12, 4.8), dpi=130, facecolor="white")
        left, right = figure.subplots(1, 2)
        figure.subplots_adjust(left=0.06, right=0.985, top=0.76, bottom=0.13, wspace=0.18)
        figure.text(0.06, 0.93, "From a leak to a person's screen", fontsize=17, fontweight="bold")
        false = document["rules"]["Critical"]
        figure.text(
            0.06,
            0.87,
            f"at {false['false_alarms_per_month']:.1f} false alarms per template-month of this system, "
            f"{false['older_false_alarms_per_month']:.1f} of the older rule; bars: 95 % intervals",
            color=MUTED,
        )
        _found(left, document)
        _delays(right, document)
        figure.savefig(path, format="png")


def _found(axes: Axes, document: dict[str, Any]) -> None:
    decades = document["decades"]
    series = {
        "this system": ("ours", [one["found"][WITHIN] for one in decades.values()]),
        "older rule": ("older", [one["beside_older"]["Critical"]["older"][WITHIN] for one in decades.values()]),
        "this system, one sensor": ("level", [one["one_sensor"][WITHIN] for one in decades.values()]),
    }
    for place, (label, (colour, shares)) in enumerate(series.items()):
        x = np.arange(len(shares)) + 0.08 * (place - 1)
        value, low, high = (np.array([one[name] for one in shares]) for name in ("value", "low", "high"))
        axes.errorbar(x, value, [value - low, high - value], color=COLOURS[colour], marker="o", label=label, capsize=2)
    axes.set_title(f"Leaks with an alarm within {WITHIN} h")
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    _rates(axes, document)


def _delays(axes: Axes, document: dict[str, Any]) -> None:
    decades = document["decades"]
    for shade, (name, label) in zip(SHADES, DELAYS.items(), strict=True):
        axes.plot(range(len(decades)), [one[name] for one in decades.values()], color=shade, marker="o", label=label)
    axes.set_title("Median delay of what is told [h]")
    axes.set_ylim(bottom=0)
    _rates(axes, document)


def _rates(axes: Axes, document: dict[str, Any]) -> None:
    decades = list(document["decades"])
    axes.set_xticks(range(len(decades)), [f"$10^{{{one.removeprefix('1e')}}}$" for one in decades])
    axes.set_xlabel("dissolved rate [kg/s]")
    axes.legend(loc="best")
