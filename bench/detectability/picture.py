"""What a template can see, from above: the rates from which on leaks are noticed, and how far off places would be."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from bench.style import INK, MUTED, STYLE
from shared.arrays import Floats

RATES, ERRORS = "viridis_r", "magma_r"
LEFT = 0.045


def draw(document: dict[str, Any], path: Path) -> None:
    """Write the three maps as PNG."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(17, 6.6), dpi=120, facecolor="white")
        figure.text(LEFT, 0.935, "What a template can see", fontsize=17, fontweight="bold")
        figure.text(
            LEFT,
            0.885,
            f"{document['template']} from above: rates as medians over heights, "
            "errors of cells at two heights by turns; "
            f"currents: {document['currents']}; "
            f"sensors: {document['sensors']}",
            color=MUTED,
        )
        columns = figure.add_gridspec(1, 3, left=LEFT, right=0.985, top=0.76, bottom=0.03, wspace=0.1)
        panels = [figure.add_subplot(columns[k]) for k in range(3)]
        maps = document["maps"]
        norm = _rates_norm(maps)
        rate = document["options"]["rate_kg_s"]
        _rates(figure, panels[0], document, "rate_0.5", norm, "Noticed within a day in half of all cases")
        _rates(figure, panels[1], document, "rate_0.9", norm, "Noticed within a day in 9 of 10 cases")
        _map(panels[2], document, "error", ERRORS, Normalize(0, float(np.nanmax(maps["error"][2]))))
        panels[2].set_title(f"Expected error of the place of a leak of {_power(rate)} kg/s")
        figure.colorbar(
            panels[2].collections[0],
            ax=panels[2],
            location="bottom",
            pad=0.14,
            aspect=32,
            shrink=0.9,
            label="m, horizontally",
        )
        panels[0].set_ylabel("to fore, m")
        panels[0].legend(loc="lower left", bbox_to_anchor=(-0.02, 1.1), ncols=2, borderaxespad=0, handletextpad=0.2)
        figure.savefig(path, format="png")


def _rates_norm(maps: dict[str, tuple[Floats, Floats, Floats]]) -> LogNorm:
    """Return one scale of both maps, whole decades; the darkest is its end and beyond."""
    values = np.concatenate([maps[name][2].ravel() for name in ("rate_0.5", "rate_0.9")])
    low, high = np.quantile(values[np.isfinite(values)], (0.02, 0.98))
    return LogNorm(10.0 ** np.floor(np.log10(low)), 10.0 ** np.ceil(np.log10(high)))


def _rates(figure: Figure, axes: Axes, document: dict[str, Any], name: str, norm: LogNorm, title: str) -> None:
    _map(axes, document, name, RATES, norm)
    axes.set_title(title)
    bar = figure.colorbar(
        axes.collections[0],
        ax=axes,
        location="bottom",
        pad=0.14,
        aspect=32,
        shrink=0.9,
        label="smallest rate, kg/s dissolved",
        extend="max",
    )
    bar.ax.xaxis.set_major_locator(LogLocator())
    bar.ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _power(value)))
    bar.ax.xaxis.set_minor_locator(NullLocator())


def _map(axes: Axes, document: dict[str, Any], name: str, colours: str, norm: Normalize) -> None:
    x, y, table = (np.asarray(one, dtype=np.float64) for one in document["maps"][name])
    axes.pcolormesh(x, y, np.ma.masked_invalid(table), cmap=colours, norm=norm, shading="nearest")
    axes.grid(visible=False)
    axes.set_aspect("equal")
    points, sensors = (np.array(document["at"][kind]).reshape(-1, 3) for kind in ("leak_points", "sensors"))
    axes.plot(points[:, 0], points[:, 1], "x", color="white", markersize=9, markeredgewidth=3.5)
    axes.plot(points[:, 0], points[:, 1], "x", color=INK, markersize=8, markeredgewidth=1.6, label="known leak point")
    axes.plot(
        *(sensors[:, 0], sensors[:, 1]),
        "o",
        color="white",
        markeredgecolor=INK,
        markeredgewidth=1.8,
        markersize=9,
        label="sensor",
    )
    for px, py, height in sensors:
        axes.annotate(
            f"{height:.1f} m",
            (px, py),
            xytext=(7, 5),
            textcoords="offset points",
            fontsize=9,
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.2},
        )
    size = document["size"]
    axes.set_xlim(-size["width"] / 2, size["width"] / 2)
    axes.set_ylim(-size["length"] / 2, size["length"] / 2)
    axes.set_xlabel("to starboard, m")


def _power(rate: float) -> str:
    exponent = int(np.floor(np.log10(rate) + 1e-9))
    factor = rate / 10.0**exponent
    return (f"{factor:.1f}".rstrip("0").rstrip(".") + "·" if abs(factor - 1) > 0.05 else "") + f"$10^{{{exponent}}}$"
