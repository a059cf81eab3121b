"""The study as one picture: recall against amplitude and against false alarms, and the known rises with scores."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter, DayLocator
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import PercentFormatter

from bench.detection.events import Rise
from bench.detection.rules import RULES
from bench.detection.study import Study
from bench.style import COLOURS, INK, MUTED, STYLE

BUDGET = 1.0
HIGHEST_SCORE, LOWEST_SCORE = 20.0, 0.05


def draw(study: Study, path: Path) -> None:
    """Write the study's picture, recall, delay and known rises by rule, as PNG."""
    document, rises = study.document, study.rises
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(15, 10.2 if rises else 5.4), dpi=130, facecolor="white")
        top = figure.add_gridspec(1, 3, left=0.055, right=0.985, top=0.87, bottom=0.54 if rises else 0.13, wspace=0.2)
        _title(figure, document)
        _recall_by_amplitude(figure, top, document)
        _recall_by_false_alarms(figure.add_subplot(top[2]), document)
        if rises:
            below = figure.add_gridspec(
                2, len(rises), left=0.055, right=0.985, top=0.435, bottom=0.06, wspace=0.2, hspace=0.12
            )
            for column, rise in enumerate(rises):
                _rise(figure, below, column, rise)
        figure.savefig(path, format="png")


def _title(figure: Figure, document: dict[str, Any]) -> None:
    figure.text(0.055, 0.955, "How well leaks are found", fontsize=17, fontweight="bold")
    figure.text(
        0.055,
        0.928,
        f"{document['leaks']} leaks put into {document['sensor_months']:.1f} months of {len(document['sensors'])} "
        "sensors' recorded readings; found within 72 h",
        color=MUTED,
    )


def _recall_by_amplitude(figure: Figure, grid: GridSpec, document: dict[str, Any]) -> None:
    names = document["amplitudes"]
    title = f"Recall at {BUDGET:g} false alarm a month"
    for column, (unit, label) in enumerate((("ppmv", "leak, ppmv"), ("sigma", "leak, standard deviations"))):
        axes = figure.add_subplot(grid[column])
        chosen = [index for index, name in enumerate(names) if name.endswith(unit)]
        for rule in RULES:
            recalls = _at_budget(document, rule.name)["recall_by_amplitude"]
            values = [recalls[index] for index in chosen]
            axes.plot(values, color=COLOURS[rule.name], marker="o", markersize=6, label=rule.label, **_front(rule.name))
        axes.set_xticks(range(len(chosen)), [names[index].split()[0] for index in chosen])
        axes.set_xlabel(label)
        axes.set_title(title if column == 0 else "The same in units of the baseline's spread")
        _shares(axes)
        if column == 0:
            axes.legend(loc="upper left")


def _at_budget(document: dict[str, Any], rule: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in document["rules"][rule]["budgets"] if one["budget"] == BUDGET)
    return found


def _recall_by_false_alarms(axes: Axes, document: dict[str, Any]) -> None:
    for rule in RULES:
        figures, colour = document["rules"][rule.name], COLOURS[rule.name]
        curve = figures["curve"]
        budgets, recalls = [one["budget"] for one in curve], [one["recall"] for one in curve]
        axes.plot(budgets, recalls, drawstyle="steps-post", color=colour, label=rule.label, **_front(rule.name))
        for when, marker in (("warning", "o"), ("critical", "D")):
            if fixed := document["fixed"][rule.name].get(when):
                place = (fixed["false_alarms_per_month"], fixed["recall"])
                axes.plot(*place, marker, color=colour, markeredgecolor="white", markersize=10, zorder=5)
    axes.axvline(BUDGET, color=INK, linewidth=1, linestyle=(0, (2, 3)))
    axes.set_xlim(0, document["rules"]["ours"]["curve"][-1]["budget"])
    axes.set_xlabel("false alarms per sensor-month    (● Warning, ◆ Critical)")
    axes.set_title("Mean recall against false alarms")
    _shares(axes)


def _rise(figure: Figure, grid: GridSpec, column: int, rise: Rise) -> None:
    reading = figure.add_subplot(grid[0, column])
    scores = figure.add_subplot(grid[1, column], sharex=reading)
    times: Any = rise.times
    reading.fill_between(times, rise.ppmv, color="#bcd3e6", linewidth=0)
    reading.plot(times, rise.ppmv, color=INK, linewidth=1.2)
    reading.set_ylim(bottom=0)
    reading.set_title(f"{' '.join(rise.sensor.replace('_', ' ').split())}, {rise.known.first}")
    reading.tick_params(labelbottom=False)
    for rule in RULES:
        scores.plot(
            times,
            rise.scores[rule.name],
            color=COLOURS[rule.name],
            linewidth=1.6,
            label=rule.label,
            **_front(rule.name),
        )
    for threshold, word in ((1.0, "Warning"), (2.0, "Critical")):
        scores.axhline(threshold, color=INK, linewidth=0.9, linestyle=(0, (2, 3)))
        scores.annotate(word, (0.01, threshold), xycoords=("axes fraction", "data"), va="bottom", fontsize=8)
    scores.set_yscale("log", nonpositive="mask")
    scores.set_ylim(LOWEST_SCORE, HIGHEST_SCORE)
    scores.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    scores.minorticks_off()
    days = DayLocator()  # type: ignore[no-untyped-call]
    scores.xaxis.set_major_locator(days)
    scores.xaxis.set_major_formatter(ConciseDateFormatter(days))  # type: ignore[no-untyped-call]
    scores.set_xlim(times[0], times[-1])
    if column == 0:
        reading.set_ylabel("reading, ppmv")
        scores.set_ylabel("score")


def _shares(axes: Axes) -> None:
    axes.set_ylim(0, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


def _front(rule: str) -> dict[str, Any]:
    """Return how this system stands before the others."""
    return {"zorder": 4} if rule == "ours" else {"zorder": 3, "alpha": 0.9}
