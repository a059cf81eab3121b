"""Estimations on real storage: the whole answer and its course come back, however large."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from shared.bootstrap import Bootstrap
from shared.domain.environment import Environment
from shared.domain.estimation import Curve, Curves, Estimation, EstimationStep, Interval, Observations, PlaceProbability
from shared.domain.tsd import to_datetime
from shared.errors import Conflict
from shared.estimation.curves import MOST_CURVES, MOST_TIMES, MOST_VALUES
from shared.estimation.places import MOST_PLACES
from shared.ports import StoredEstimation
from shared.usecases.incidents.estimate import MOST_STEPS, step_of
from tests.support.examples import template
from tests.support.fakes import invert

pytestmark = pytest.mark.azurite
Make = Callable[..., Bootstrap]
TEMPLATE = template()
ONSET = datetime(2026, 3, 1, tzinfo=UTC)


def answer() -> Estimation:
    """Return a small answer."""
    seen = Observations(np.array(["2026-03-01"], dtype="datetime64[s]"), np.zeros((2, 1)))
    return invert(TEMPLATE, Environment.of(seen.times), seen, ONSET, ONSET)


def place(random: np.random.Generator) -> PlaceProbability:
    """Return a place somewhere."""
    x, y, z, probability = random.uniform(0, 1, 4).tolist()
    return PlaceProbability(name="", x=round(x, 3), y=round(y, 3), z=round(z, 3), probability=round(probability, 6))


def step(random: np.random.Generator, at: datetime) -> EstimationStep:
    """Return a step of an incident's course."""
    numbers = random.uniform(0, 1e-3, 5).tolist()
    return EstimationStep(
        at=at,
        verdict="CONFIRMED",
        probability=float(random.uniform()),
        probability_external=float(random.uniform()),
        place=place(random),
        location_error_m=float(random.uniform(0, 10)),
        dissolved_rate_kg_s=Interval.model_validate(dict(zip(Interval.model_fields, numbers, strict=True))),
    )


def largest(sensors: int) -> tuple[Estimation, tuple[EstimationStep, ...]]:
    """Return an answer with as many places, curves, times and steps as there may be of so many sensors."""
    random, start = np.random.default_rng(1), np.datetime64("2026-03-01", "s")
    moments = tuple(to_datetime(start + np.timedelta64(601 * k, "s")) for k in range(MOST_STEPS))
    most_times = min(MOST_TIMES, MOST_VALUES // (MOST_CURVES * sensors))
    curves = [
        Curve(
            place=place(random),
            onset=ONSET,
            dissolved_rate_kg_s=1e-6,
            ppmv=tuple(tuple(row) for row in random.uniform(0, 1e4, (sensors, most_times)).round(2).tolist()),
        )
        for _ in range(MOST_CURVES)
    ]
    places = tuple(place(random) for _ in range(MOST_PLACES))
    body = {"places": places, "curves": Curves(times=moments[:most_times], hypotheses=tuple(curves))}
    return answer().model_copy(update=body), tuple(step(random, moment) for moment in moments)


def test_estimations_survive_the_table(make_app: Make, unique: str) -> None:
    """The whole answer is there again, and the write is conditional."""
    estimations, found = make_app(unique).estimations, answer()
    history = (step_of(found, ONSET),)
    written = StoredEstimation("troll-a-20260301T0000Z", "troll-a", ONSET, ONSET, "d", found, history, None)
    estimations.put(written)
    with pytest.raises(Conflict):
        estimations.put(written)
    stored = estimations.get("troll-a", written.incident)
    assert stored is not None
    assert stored._replace(etag=None) == written
    assert estimations.get("troll-a", "troll-a-20260302T0000Z") is None


@pytest.mark.parametrize("sensors", [8, 40, 100])
def test_the_largest_estimation_fits_into_a_row(make_app: Make, unique: str, sensors: int) -> None:
    """None of its numbers is round."""
    estimations, (found, history) = make_app(unique).estimations, largest(sensors)
    estimations.put(StoredEstimation("troll-a-20260301T0000Z", "troll-a", ONSET, ONSET, "d", found, history, None))
    stored = estimations.get("troll-a", "troll-a-20260301T0000Z")
    assert stored is not None
    assert (stored.estimation, stored.history) == (found, history)
