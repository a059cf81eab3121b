"""Where the leak may be, seen from above, and how large it may be."""

from collections import defaultdict
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from bench.example.rise import Rise
from bench.example.summary import interval
from bench.style import COLOURS, INK, MUTED
from shared.domain.estimation import PlaceProbability
from shared.estimation import EstimationOptions

MARGIN, ASIDE = 3.0, 9.0  # m, around the template; to starboard, where the rose is
SECTORS = 24
SHADES = LinearSegmentedColormap.from_list("blues", ["#dfeaf5", COLOURS["ours"]])

Column = tuple[float, float]


def columns_of(places: tuple[PlaceProbability, ...]) -> dict[Column, float]:
    """Return the probability of each x, y over all heights, most likely first."""
    found: dict[Column, float] = defaultdict(float)
    for one in places:
        found[one.x, one.y] += one.probability
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def region(columns: dict[Column, float], share: float) -> list[Column]:
    """Return the fewest columns that hold the share of the probability."""
    held, chosen = 0.0, []
    for column, probability in columns.items():
        if held >= share:
            break
        held += probability
        chosen.append(column)
    return chosen


def draw_map(axes: Axes, rise: Rise) -> None:
    """Draw the template from above: cells with their probability, 50 % and 90 % regions, sensors, known leak points."""
    template, columns = rise.template, columns_of(rise.answer.places)
    half_x, half_y = template.width / 2, template.length / 2
    axes.add_patch(Rectangle((-half_x, -half_y), 2 * half_x, 2 * half_y, facecolor="#f6f8fa", edgecolor="#aab4be"))
    size = cell_size(rise.answer.places)
    most = max(columns.values(), default=1.0)
    for (x, y), probability in columns.items():
        colour = SHADES(probability / most)
        axes.add_patch(Rectangle((x - size / 2, y - size / 2), size, size, facecolor=colour, linewidth=0, zorder=2))
    for share, width, style in ((0.5, 2.2, "solid"), (0.9, 1.2, "dashed")):
        edges = outline(region(columns, share), size)
        for index, (xs, ys) in enumerate(edges):
            label = f"{100 * share:.0f} % region" if index == 0 else None
            axes.plot(xs, ys, color=INK, linewidth=width, linestyle=style, zorder=3, label=label)
    _marks(axes, rise)
    axes.set_aspect("equal", anchor="NW")
    axes.set_xlim(-half_x - MARGIN, half_x + ASIDE)
    axes.set_ylim(-half_y - MARGIN, half_y + MARGIN)
    axes.set_xlabel("x to starboard, m")
    axes.set_ylabel("y to fore, m")
    axes.set_title("Where: seen from above, all heights together")
    axes.legend(loc="lower right", fontsize=8.5, borderaxespad=0.2, labelspacing=0.7)
    _north(axes, template.angle_from_north)
    _rose(axes, rise)


def cell_size(places: tuple[PlaceProbability, ...]) -> float:
    """Return the cells' edge in m: the smallest step between two of them, the default's where there is none.

    Known leak points, which lie off the grid, have a name.
    """
    cells = [one for one in places if not one.name]
    steps = [np.diff(np.unique([getattr(one, axis) for one in cells])) for axis in ("x", "y")]
    apart = np.concatenate(steps)
    return float(apart.min()) if apart.size else EstimationOptions().spacing_m


def outline(columns: list[Column], size: float) -> list[tuple[Column, Column]]:
    """Return the edges around the columns, each as its two x and its two y in m."""
    held = {(round(x / size, 3), round(y / size, 3)) for x, y in columns}
    found: list[tuple[Column, Column]] = []
    for x, y in sorted(held):
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            if (round(x + dx, 3), round(y + dy, 3)) not in held:
                xs, ys = (x + dx / 2 - dy / 2, x + dx / 2 + dy / 2), (y + dy / 2 - dx / 2, y + dy / 2 + dx / 2)
                found.append(((xs[0] * size, xs[1] * size), (ys[0] * size, ys[1] * size)))
    return found


def _marks(axes: Axes, rise: Rise) -> None:
    template = rise.template
    for row, sensor in enumerate(template.sensors):
        heard = row == rise.row
        colour = COLOURS["older"] if heard else "white"
        label = "sensor with data" if heard else ("sensor without data" if row == 0 else None)
        axes.plot(sensor.x, sensor.y, "o", color=colour, markeredgecolor=INK, markersize=8, zorder=5, label=label)
        _name(axes, str(sensor.number), sensor.x, sensor.y)
    for index, point in enumerate(template.leak_points):
        label = "known leak point" if index == 0 else None
        axes.plot(point.x, point.y, "X", color=MUTED, markeredgecolor="white", markersize=9, zorder=4, label=label)
        _name(axes, point.name, point.x, point.y)


def _name(axes: Axes, text: str, x: float, y: float) -> None:
    axes.annotate(text, (x, y), xytext=(7, 5), textcoords="offset points", fontsize=9, zorder=6)


def _north(axes: Axes, heading: float) -> None:
    towards = np.radians(-heading)
    dx, dy = 0.05 * np.sin(towards), 0.05 * np.cos(towards)
    x, y = 0.06, 0.88
    arrow: Any = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.6}
    axes.annotate("", (x + dx, y + dy), (x - dx, y - dy), "axes fraction", "axes fraction", arrowprops=arrow)
    place: Any = {"transform": axes.transAxes, "ha": "center", "va": "center"}
    axes.text(x + 1.7 * dx, y + 1.7 * dy, "N", fontweight="bold", **place)


def _rose(axes: Axes, rise: Rise) -> None:
    """Draw where the current flowed towards since the onset, in the template's axes."""
    since = rise.answer.onset
    moment = rise.observations.times[0] if since is None else np.datetime64(since.median.replace(tzinfo=None), "s")
    towards = rise.environment.current_direction[rise.environment.times >= moment] - rise.template.angle_from_north
    counts, edges = np.histogram(towards[np.isfinite(towards)] % 360, bins=SECTORS, range=(0, 360))
    rose: Any = axes.inset_axes((0.79, 0.69, 0.2, 0.29), projection="polar")
    rose.set_theta_zero_location("N")
    rose.set_theta_direction(-1)
    rose.bar(np.radians(edges[:-1] + 180 / SECTORS), np.sqrt(counts), width=2 * np.pi / SECTORS, color="#7fa8cf")
    rose.set_xticks([])
    rose.set_yticks([])
    rose.spines["polar"].set_color("#c3ccd4")
    rose.patch.set_alpha(0.85)
    rose.set_xlabel("flows towards,\nsince the onset", fontsize=7.5, labelpad=2)


def draw_rates(axes: Axes, rise: Rise) -> None:
    """Draw median, 50 % and 90 % interval of both rates."""
    rates = {"total": rise.answer.total_rate_kg_s, "dissolved": rise.answer.dissolved_rate_kg_s}
    for row, (name, one) in enumerate(rates.items()):
        if one is None:
            continue
        colour = COLOURS["ours" if name == "dissolved" else "level"]
        axes.plot([one.low_90, one.high_90], [row, row], color=colour, linewidth=2.5, solid_capstyle="round")
        axes.plot([one.low_50, one.high_50], [row, row], color=colour, linewidth=9, solid_capstyle="butt")
        axes.plot(one.median, row, "o", color="white", markeredgecolor=colour, markeredgewidth=2, markersize=9)
        axes.annotate(interval(one), (one.low_90, row), xytext=(0, 11), textcoords="offset points", fontsize=8.5)
    axes.set_xscale("log")
    axes.set_ylim(-0.5, 1.75)
    axes.set_yticks(range(2), list(rates))
    axes.grid(False, axis="y")
    axes.set_xlabel("kg/s    (line 90 %, bar 50 %, ring median)")
    axes.set_title("How large")
