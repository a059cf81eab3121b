"""The example as one picture."""

from pathlib import Path
from textwrap import wrap

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.example.curves import draw_currents, draw_readings
from bench.example.posterior import draw_map, draw_rates
from bench.example.rise import Rise
from bench.example.summary import moment, verdict
from bench.style import MUTED, STYLE

LEFT, MIDDLE, RIGHT = 0.05, 0.565, 0.985


def draw(rise: Rise, path: Path) -> None:
    """Write the rise's picture, curves, currents, place and rates, as PNG."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(15, 9), dpi=130, facecolor="white")
        curves = figure.add_gridspec(
            2, 1, left=LEFT, right=MIDDLE - 0.055, top=0.8, bottom=0.06, height_ratios=(3, 1), hspace=0.17
        )
        readings = figure.add_subplot(curves[0])
        draw_readings(readings, rise)
        draw_currents(figure.add_subplot(curves[1], sharex=readings), rise)
        draw_map(figure.add_axes((MIDDLE, 0.31, RIGHT - MIDDLE, 0.49)), rise)
        draw_rates(figure.add_axes((MIDDLE + 0.03, 0.075, RIGHT - MIDDLE - 0.03, 0.125)), rise)
        _title(figure, rise)
        figure.savefig(path, format="png")


def _title(figure: Figure, rise: Rise) -> None:
    answer = rise.answer
    figure.text(LEFT, 0.945, "A real rise at Snorre W, April 2021", fontsize=17, fontweight="bold")
    figure.text(LEFT, 0.912, verdict(answer), fontsize=12)
    began = "" if answer.onset is None else f"Began {moment(answer.onset.median)}. "
    mind = "".join(f"Mind: {warning}. " for warning in answer.warnings)
    lines = wrap(began + mind, 190)[:2]
    figure.text(LEFT, 0.898, "\n".join(lines), color=MUTED, va="top", linespacing=1.4)
