"""What was read against what the best hypothesis would have had read, and the currents meanwhile."""

from typing import Any

import numpy as np
from matplotlib import dates
from matplotlib.axes import Axes

from bench.example.rise import Rise
from bench.style import COLOURS, INK, MUTED, PALE
from shared.arrays import Floats

ARROWS_EVERY = 12  # buckets: 2 h


def draw_readings(axes: Axes, rise: Rise) -> None:
    """Draw the measured curve and the simulated one on top of the background."""
    times: Any = rise.observations.times
    axes.fill_between(times, rise.observations.ppmv[rise.row], color="#bcd3e6", linewidth=0, alpha=0.6)
    axes.plot(times, rise.observations.ppmv[rise.row], color=INK, linewidth=1.6, label="measured")
    _draw_simulated(axes, rise)
    if (onset := rise.answer.onset) is not None:
        low, middle, high = (_number(one) for one in (onset.low_90, onset.median, onset.high_90))
        axes.axvspan(low, high, color=COLOURS["ours"], alpha=0.13, linewidth=0, label="onset, 90 %")
        axes.axvline(middle, color=COLOURS["ours"], linewidth=1.2, linestyle=(0, (2, 3)))
    sensor = rise.template.sensors[rise.row]
    axes.set_title(f"Sensor {sensor.number} of template {rise.template.name} ({sensor.tag.replace('_', ' ')})")
    axes.set_ylabel("reading, ppmv")
    axes.set_ylim(bottom=0)
    axes.set_xlim(times[0], times[-1])
    axes.tick_params(labelbottom=False)
    axes.legend(loc="upper left")


def _draw_simulated(axes: Axes, rise: Rise) -> None:
    if (curves := rise.answer.curves) is None:
        return
    at = [_number(moment) for moment in curves.times]
    row = rise.answer.sensors.index(rise.template.sensors[rise.row].id)
    for rank, one in enumerate(curves.hypotheses):
        label = "simulated, likeliest hypotheses" if rank == 0 else None
        axes.plot(
            at, one.ppmv[row], color=COLOURS["older"], alpha=1 / (1 + rank), linewidth=1.6 - 0.4 * rank, label=label
        )


def draw_currents(axes: Axes, rise: Rise) -> None:
    """Draw the current's speed, with arrows of where it flows towards, north up."""
    times: Any = rise.environment.times
    speed = 100 * rise.environment.current_speed
    axes.fill_between(times, speed, color=PALE, linewidth=0)
    axes.plot(times, speed, color=MUTED, linewidth=1.2)
    highest = float(np.nanmax(speed, initial=1.0))
    chosen = slice(ARROWS_EVERY // 2, None, ARROWS_EVERY)
    towards = np.radians(rise.environment.current_direction[chosen])
    height = np.full(towards.shape, 1.38 * highest)
    arrows: Any = {"angles": "uv", "pivot": "mid", "scale": 1.0, "scale_units": "dots", "width": 0.0022}
    length = 22.0
    axes.quiver(
        [_number(one) for one in times[chosen]],
        height,
        length * np.sin(towards),
        length * np.cos(towards),
        color=COLOURS["ours"],
        **arrows,
    )
    axes.set_ylim(0, 1.75 * highest)
    axes.set_yticks(_ticks(highest))
    axes.set_ylabel("current, cm/s")
    axes.set_title("Current: speed, and where it flows (north is up)", fontsize=10)
    locator = dates.AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _ticks(highest: float) -> Floats:
    step = 5.0 if highest <= 20 else 10.0
    return np.arange(0, highest + step / 2, step)


def _number(moment: Any) -> float:
    return float(dates.date2num(moment))  # type: ignore[no-untyped-call]
