"""What a template can see, as it is and with its sensors otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.detection.recorded_series import read_folder
from bench.estimation import noise
from bench.estimation.scenarios import SPREADS
from shared.arrays import Floats, Indices, Times
from shared.detection.baseline import build_baseline
from shared.detection.cleaning import suspect_days
from shared.detection.sensitivity import Sensitivity
from shared.domain.environment import Environment
from shared.domain.template import Sensor, Template
from shared.errors import InvalidInput
from shared.estimation.candidates import Places, places_of
from shared.estimation.detectability import Detectability, detectable_rates
from shared.estimation.expected_error import COARSE, ExpectedErrors, expected_place_errors

USUAL = Sensitivity(SPREADS * noise.SPREAD_PPMV, noise.SPREAD_PPMV)  # as the bench of the estimation has it
DRAWS = 4  # of what the estimation believes, for each cell's expected error
HISTORY = 17_280  # samples of a recorded series, without suspect days, that its baseline is made of: 120 days


@dataclass(frozen=True, eq=False)
class View:
    """A template in a period of its currents, and how sensitive its sensors are; the rate in kg/s of located leaks."""

    template: Template
    environment: Environment
    times: Times
    sensitivities: tuple[Sensitivity, ...]
    rate_kg_s: float
    seed: int = 1

    def rates(self) -> Detectability:
        """Return from which rates on leaks are noticed."""
        noticed = np.array([one.noticed_ppmv for one in self.sensitivities])
        return detectable_rates(self.template, self.environment, self.times, noticed)

    def errors(self) -> ExpectedErrors:
        """Return how far off places would be, of every second cell: neighbours of it take turns in height."""
        spread = np.array([one.spread_ppmv for one in self.sensitivities])
        places = places_of(self.template, COARSE)
        return expected_place_errors(
            self.template,
            self.environment,
            self.times,
            spread,
            self.rate_kg_s,
            np.random.default_rng(self.seed),
            at=_every_second(places),
            draws=DRAWS,
        )


def _every_second(places: Places) -> Indices:
    numbers = [np.unique(places.positions[: places.cells, axis], return_inverse=True)[1].ravel() for axis in range(3)]
    return np.flatnonzero(sum(numbers) % 2 == 0)


def sensitivities_of(folder: Path) -> tuple[Sensitivity, ...]:
    """Return those of the recorded series of a folder; raises InvalidInput where none makes a baseline."""
    found = []
    for recorded in read_folder(folder).series:
        times, ppmv = recorded.series.times, recorded.series.ppmv
        usual = ~np.isin(times.astype("datetime64[D]"), suspect_days(times, ppmv)) & np.isfinite(ppmv)
        chosen = np.flatnonzero(usual)[:HISTORY]
        try:
            found.append(Sensitivity.of(build_baseline(times[chosen], ppmv[chosen])))
        except InvalidInput:
            continue  # too short: nothing is known of this one
    if not found:
        raise InvalidInput(f"{folder} holds no series of the header time,ppmv that makes a baseline")
    return tuple(found)


def drawn(measured: Sequence[Sensitivity], sensors: int, rng: np.random.Generator) -> tuple[Sensitivity, ...]:
    """Return a sensitivity for each sensor: one of those measured, or without any the usual one."""
    known = tuple(measured) or (USUAL,)
    return tuple(known[index] for index in rng.integers(len(known), size=sensors))


def variants(template: Template) -> dict[str, Template]:
    """Return the template as it is, and with one sensor moved or added, at the same height or another."""
    first, others = template.sensors[0], template.sensors[1:]
    low, top = first.z / 2, template.height
    height = float(np.mean([one.z for one in template.sensors]))
    return {
        "as it is": template,
        f"one sensor lowered to {low:.1f} m": _with(template, (_at(first, z=low), *others)),
        f"one sensor raised to {top:.1f} m": _with(template, (_at(first, z=top), *others)),
        f"one more below it, at {low:.1f} m": _with(template, (*template.sensors, _another(template, z=low))),
        f"one more above it, at {top:.1f} m": _with(template, (*template.sensors, _another(template, z=top))),
        f"one more in the middle, at {height:.1f} m": _with(
            template, (*template.sensors, _another(template, x=0.0, y=0.0, z=height))
        ),
    }


def _with(template: Template, sensors: tuple[Sensor, ...]) -> Template:
    return template.model_copy(update={"sensors": sensors})


def _at(sensor: Sensor, **where: float) -> Sensor:
    return sensor.model_copy(update=where)


def _another(template: Template, **where: float) -> Sensor:
    """Return one more sensor, where the first one is unless said."""
    number = max(one.number for one in template.sensors) + 1
    named = {"id": f"{template.id}-{number}", "tag": f"{template.sensors[0].tag} {number}", "number": number}
    return template.sensors[0].model_copy(update={**named, **where})


def row(view: View, rates: Detectability, errors: ExpectedErrors) -> dict[str, Any]:
    """Return a view's figures over its cells: rates noticed in half and in nine of ten cases, and place errors."""
    cells = slice(0, rates.places.cells)
    half, most = (rates.rates_kg_s[cells, rates.probabilities.index(one)] for one in (0.5, 0.9))
    return {
        "half_median_kg_s": _quantile(half, 0.5),
        "half_p90_kg_s": _quantile(half, 0.9),
        "most_median_kg_s": _quantile(most, 0.5),
        "most_p90_kg_s": _quantile(most, 0.9),
        "noticed_share": float((half <= view.rate_kg_s).mean()),
        "error_median_m": _quantile(errors.errors_m, 0.5),
        "error_p90_m": _quantile(errors.errors_m, 0.9),
    }


def columns(positions: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return x [i] and y [j] in m of the columns of cells, and the median over each column's heights [j, i]."""
    x, y = (np.unique(positions[:, axis]) for axis in range(2))
    table = np.full((y.size, x.size), np.nan)
    for i, j in np.ndindex(x.size, y.size):
        here = values[(positions[:, 0] == x[i]) & (positions[:, 1] == y[j])]
        table[j, i] = np.median(here) if here.size else np.nan
    return x, y, table


def _quantile(values: Floats, level: float) -> float:
    return float(np.quantile(values, level, method="lower"))  # rates may be infinite
