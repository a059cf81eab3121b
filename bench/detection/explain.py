"""Why a moment of a recorded series is scored as it is: every channel beside its thresholds, in words and a picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter, DayLocator
from matplotlib.figure import Figure

from bench.detection.channel_figures import figures_of
from bench.detection.events import history_before, leak_free
from bench.detection.recorded_series import Folder, add_file
from bench.style import COLOURS, INK, MUTED, STYLE
from shared.arrays import Floats
from shared.detection import Baseline, Channel, Detection, build_baseline, detect
from shared.detection.channels import Threshold
from shared.detection.figures import Figures
from shared.domain.environment import Environment
from shared.errors import InvalidInput

AFTER = np.timedelta64(2, "D")
LEVELS = {-1: "Undefined", 0: "Ok", 1: "Warning", 2: "Critical"}
EDGES = {"Warning": "#d99000", "Critical": "#c1272d"}
LEVEL_EDGES = Threshold(Channel.LEVEL, 1.0, 2.0)


@dataclass(frozen=True, eq=False)
class Explained:
    """The days around a moment: the readings' scores, the channels' figures [n], and the currents if any."""

    sensor: str
    moment: np.datetime64
    baseline: Baseline
    found: Detection
    figures: Figures
    currents: Environment | None

    @property
    def channels(self) -> Iterator[tuple[Threshold, Floats]]:
        """Each channel's thresholds and figures [n]."""
        for limits in self.baseline.thresholds:
            yield limits, self.figures.by_channel[limits.channel]
        yield LEVEL_EDGES, self.figures.level


def explained(file: Path, moment: np.datetime64, currents: Path | None = None) -> Explained:
    """Return a moment of a series, scored after all of its file up to 3 days before; raises InvalidInput."""
    folder = Folder()
    for path in (file, *([currents] if currents else [])):
        add_file(folder, path)
    if not folder.series or (currents and folder.currents is None):
        raise InvalidInput(f"{file.name} must hold time,ppmv, and the currents' file time,direction_deg,speed_cm_s")
    recorded = folder.series[0]
    times, ppmv = recorded.series.times, recorded.series.ppmv
    part = history_before(recorded, moment)
    end = int(np.searchsorted(times, moment + AFTER))
    if part.start == part.stop or not times[part.stop - 1] < moment <= times[-1]:
        raise InvalidInput(
            f"{file.name} holds too little before {moment}, or ends before it: {times[0]} to {times[-1]}"
        )
    baseline = build_baseline(times[part], leak_free(recorded, part))
    shown = slice(part.start, end)
    known = times[shown], ppmv[shown], folder.currents
    return Explained(
        recorded.sensor,
        moment,
        baseline,
        detect(baseline, *known, since=times[part.stop]),
        figures_of(baseline, times[shown], ppmv[shown], times[part.stop], folder.currents),
        folder.currents,
    )


def words(one: Explained) -> str:
    """Return what every channel said at the moment, which of them spoke, and what the latch made of it."""
    at = int(np.searchsorted(one.found.times, one.moment, side="right")) - 1
    spoke = Channel(int(one.found.raw.channel[at]))
    score, raw, reading = one.found.score[at], one.found.raw.score[at], one.found.ppmv[at]
    lines = [
        f"{one.sensor} at {one.found.times[at]}: {reading:.1f} ppmv, {LEVELS[int(one.found.level[at])]}, "
        f"score {score:.2f} ({raw:.2f} before the latch)",
        f"the history: {one.baseline.ppmv.size / 144:.0f} days until {one.baseline.times[-1]}, "
        f"median {one.baseline.range.median:.1f}, top {one.baseline.range.top:.1f} ppmv",
    ]
    for limits, figures in one.channels:
        mark = "spoke" if limits.channel == spoke else ""
        lines.append(f"  {limits.channel.word:<9}{figures[at]:>7.2f}  {_beside(float(figures[at]), limits):<40}{mark}")
    return "\n".join(line.rstrip() for line in lines)


def _beside(figure: float, limits: Threshold) -> str:
    if np.isnan(figure):
        return "says nothing"
    edges = {"Critical": limits.critical, "Warning": limits.warning}
    for name, edge in edges.items():
        if figure >= edge:
            return f"{figure - edge:.2f} above {name} ({edge:.2f})"
    return f"{limits.warning - figure:.2f} below Warning ({limits.warning:.2f})"


def draw(one: Explained, path: Path) -> None:
    """Write readings, currents, every channel and the score as PNG, one panel each."""
    with mpl.rc_context(STYLE):
        panels = 8 if one.currents is None else 9
        figure = Figure(figsize=(11, 1.75 * panels + 0.9), dpi=110, facecolor="white", layout="constrained")
        figure.suptitle(f"{one.sensor}, {one.moment} UTC", x=0.01, ha="left", fontsize=15, fontweight="bold")
        axes = figure.subplots(panels, 1, sharex=True)
        rest = iter(axes)
        _readings(next(rest), one)
        if one.currents is not None:
            _currents(next(rest), one, one.currents)
        for limits, figures in one.channels:
            _channel(next(rest), one, limits, figures)
        _score(next(rest), one)
        for panel in axes:
            panel.axvline(one.moment, color=INK, linewidth=1, linestyle=(0, (2, 3)))
        days = DayLocator()  # type: ignore[no-untyped-call]
        axes[-1].xaxis.set_major_locator(days)
        axes[-1].xaxis.set_major_formatter(ConciseDateFormatter(days))  # type: ignore[no-untyped-call]
        axes[-1].set_xlim(one.found.times[0], one.found.times[-1])
        figure.savefig(path, format="png")


def _readings(axes: Axes, one: Explained) -> None:
    known, low, high = one.baseline.range, *one.baseline.usual
    axes.axhspan(low, high, color="#e3edf5")
    axes.axhline(known.top, color=MUTED, linewidth=1, linestyle="--")
    axes.plot(one.found.times, one.found.ppmv, color=INK, linewidth=1.2)
    axes.set_ylim(bottom=0)
    axes.set_title(f"reading, ppmv (90 % of the history: {low:.1f} to {high:.1f}; dashed: beyond all of it)")


def _currents(axes: Axes, one: Explained, sea: Environment) -> None:
    inside = (sea.times >= one.found.times[0]) & (sea.times <= one.found.times[-1])
    speed, towards = 100 * sea.current_speed[inside], np.radians(sea.current_direction[inside])
    for name, part, colour in (("east", np.sin(towards), COLOURS["ours"]), ("north", np.cos(towards), "#3a9a5b")):
        axes.plot(sea.times[inside], speed * part, color=colour, linewidth=1.2, label=name)
    axes.set_title("current, cm/s towards")
    axes.legend(loc="upper left", ncols=2)


def _channel(axes: Axes, one: Explained, limits: Threshold, figures: Floats) -> None:
    axes.plot(one.found.times, figures, color=COLOURS["ours"], linewidth=1.2)
    _edges(axes, limits)
    spoke = (one.found.raw.channel == limits.channel) & (one.found.raw.score >= 1)
    axes.plot(one.found.times[spoke], figures[spoke], ".", color=EDGES["Critical"], markersize=4)
    axes.set_ylim(0, max(1.15 * limits.critical, float(np.nanmax(figures, initial=0.0)) * 1.05))
    axes.set_title(f"{limits.channel.word} (dots: it spoke in an alarm)")


def _score(axes: Axes, one: Explained) -> None:
    axes.plot(one.found.times, one.found.raw.score, color=MUTED, linewidth=1, label="before the latch")
    axes.plot(one.found.times, one.found.score, color=COLOURS["ours"], linewidth=1.6, label="score")
    _edges(axes, LEVEL_EDGES)
    axes.set_ylim(bottom=0)
    axes.set_title("score")
    axes.legend(loc="upper right", ncols=2)


def _edges(axes: Axes, limits: Threshold) -> None:
    for name, edge, side in (("Warning", limits.warning, "top"), ("Critical", limits.critical, "bottom")):
        axes.axhline(edge, color=EDGES[name], linewidth=1)
        axes.annotate(f"{name} {edge:.2f}", (0.005, edge), xycoords=("axes fraction", "data"), fontsize=8, va=side)
