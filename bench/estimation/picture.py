"""The study as one picture: for each truth its ranks, its coverage, how far off its places are, and its rates."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec, SubplotSpec
from matplotlib.ticker import PercentFormatter

from bench.estimation.calibration import BINS
from bench.estimation.outcome import RANKS
from bench.estimation.report import name_of
from bench.style import COLOURS, INK, MUTED, STYLE

BLUE, ORANGE, BAND = COLOURS["ours"], COLOURS["older"], "#dfe9f2"
FARTHEST_M, FURTHEST_RATIO = 6.0, 3.0
TITLES = {"rate": "ln rate", "onset": "onset", "x": "x, to starboard", "y": "y, to fore"}
ROW, HEAD, LEFT = 4.5, 1.3, 0.04  # inches, inches, share


def draw(document: dict[str, Any], path: Path) -> None:
    """Write the study's picture, places and rates against the truth, as PNG."""
    truths = list(document["truths"])
    height = HEAD + ROW * len(truths)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(17, height), dpi=130, facecolor="white")
        _title(figure, document, height)
        rows = figure.add_gridspec(
            len(truths), 1, left=LEFT, right=0.985, top=1 - (HEAD + 0.7) / height, bottom=0.6 / height, hspace=0.5
        )
        for row, kind in enumerate(truths):
            _truth(figure, rows[row], document, kind)
        figure.savefig(path, format="png")


def _title(figure: Figure, document: dict[str, Any], height: float) -> None:
    options = document["options"]
    words = "an open template" if options["template"] == "open" else "a semi-closed template"
    figure.text(LEFT, 1 - 0.42 / height, "How well leaks are located and sized", fontsize=17, fontweight="bold")
    figure.text(
        LEFT,
        1 - 0.96 / height,
        f"{options['scenarios']} leaks per truth at {words}, four sensors, one day of readings; "
        f"currents: {document['currents']}; noise: {document['noise']}\n"
        "pale behind ranks and shares: their 95 % interval; orange: ranks outside of it, and truths outside of theirs",
        color=MUTED,
        linespacing=1.4,
    )


def _truth(figure: Figure, place: SubplotSpec, document: dict[str, Any], kind: str) -> None:
    one = document["truths"][kind]
    columns = GridSpecFromSubplotSpec(1, 4, place, width_ratios=[1.45, 1, 1, 1.15], wspace=0.2)
    box = place.get_position(figure)
    over = 0.52 / figure.get_figheight()
    figure.text(LEFT, box.y1 + over, name_of(document, kind), fontsize=13, fontweight="bold", color=BLUE)
    _ranks(figure, columns[0], one["calibration"])
    _coverage(figure.add_subplot(columns[1]), one["calibration"]["coverage"])
    _places(figure.add_subplot(columns[2]), one)
    _rates(figure.add_subplot(columns[3]), one)


def _ranks(figure: Figure, place: SubplotSpec, calibration: dict[str, Any]) -> None:
    cells = GridSpecFromSubplotSpec(2, 2, place, hspace=0.3, wspace=0.08)
    corner = place.get_position(figure)
    over = 10 / 72 / figure.get_figheight()  # as far as the other titles are
    figure.text(corner.x0, corner.y1 + over, "Ranks of the truth in the posterior", fontsize=11, fontweight="bold")
    highest = max(max(calibration[name]["histogram"]) for name in RANKS)
    edges = np.linspace(0, 1, BINS + 1)
    for index, name in enumerate(RANKS):
        axes, one = figure.add_subplot(cells[index // 2, index % 2]), calibration[name]
        low, high = one["band"]
        axes.axhspan(low, high, color=BAND, linewidth=0)
        axes.axhline(one["n"] / BINS, color=INK, linewidth=0.9, linestyle=(0, (2, 3)))
        inside = [low <= count <= high for count in one["histogram"]]
        colours = [BLUE if fits else ORANGE for fits in inside]
        axes.bar(edges[:-1], one["histogram"], 1 / BINS, align="edge", color=colours, edgecolor="white", linewidth=1)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.3 * max(highest, high))
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"] if index > 1 else [])
        axes.tick_params(labelleft=index % 2 == 0)
        axes.grid(visible=False, axis="x")
        if index > 1:
            axes.set_xlabel("posterior below the truth")
        named: dict[str, Any] = {"xycoords": "axes fraction", "va": "top", "fontsize": 9}
        axes.annotate(TITLES[name], (0.03, 0.97), fontweight="bold", ha="left", **named)
        axes.annotate(_likely(one["p"]), (0.97, 0.97), ha="right", color=MUTED, **named)


def _likely(p: float) -> str:
    return "KS p < 0.001" if p < 0.001 else f"KS p {p:.2g}"


def _coverage(axes: Axes, coverage: Sequence[dict[str, float]]) -> None:
    levels, values, low, high = ([one[key] for one in coverage] for key in ("level", "value", "low", "high"))
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.9, linestyle=(0, (2, 3)))
    axes.fill_between(levels, low, high, color=BAND, linewidth=0)
    axes.plot(levels, values, color=BLUE, marker="o", markersize=5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("nominal")
    axes.set_title("The rate's intervals hold the truth")


def _places(axes: Axes, one: dict[str, Any]) -> None:
    off = np.sort([point["horizontal_m"] for point in one["points"]])
    held = np.arange(1, off.size + 1) / max(off.size, 1)
    axes.step([0, *off, max(FARTHEST_M, *off, 0)], [0, *held, 1], where="post", color=BLUE)
    for level, metres in ((0.5, one["location_median_m"]), (0.9, one["location_p90_m"])):
        axes.plot([0, metres, metres], [level, level, 0], color=INK, linewidth=0.9, linestyle=(0, (2, 3)))
        axes.annotate(f"{metres:.1f} m", (metres, 0.02), xytext=(4, 0), textcoords="offset points", fontsize=9)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlim(0, max(FARTHEST_M, 1.15 * one["location_p90_m"]))
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("horizontal distance, m")
    axes.set_title("Places are so near the truth")


def _rates(axes: Axes, one: dict[str, Any]) -> None:
    points = one["points"]
    true, estimated, low, high = (
        np.array([point[key] for point in points])
        for key in ("true_rate_kg_s", "rate_kg_s", "low_90_kg_s", "high_90_kg_s")
    )
    covered = (low <= true) & (true <= high)
    line = np.array([0.4 * true.min(), 2.5 * true.max()]) if true.size else np.array([1e-8, 1e-2])
    axes.fill_between(line, line / FURTHEST_RATIO, line * FURTHEST_RATIO, color=BAND, linewidth=0)
    axes.plot(line, line, color=INK, linewidth=0.9, linestyle=(0, (2, 3)))
    for part, colour, word in ((covered, BLUE, "in the 90 % interval"), (~covered, ORANGE, "outside")):
        axes.vlines(true[part], low[part], high[part], color=colour, linewidth=1, alpha=0.4)
        axes.plot(true[part], estimated[part], "o", color=colour, markersize=4.5, markeredgecolor="white", label=word)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(*line)
    axes.set_ylim(line[0] / 3, line[1] * 3)
    axes.minorticks_off()
    axes.set_xlabel("true dissolved rate, kg/s")
    axes.set_title("Estimated rate, kg/s (pale: within x3)")
    axes.legend(loc="upper left", fontsize=9, handletextpad=0.2, borderaxespad=0.2)
