"""The rate over time: a leak that begins, grows and stops is told so, and its mass is between the mass' limits."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.arrays import Floats
from shared.domain.environment import Environment
from shared.domain.estimation import Estimation, Observations
from shared.domain.leak import Leak
from shared.domain.tsd import to_datetime
from shared.estimation import EstimationOptions, estimate
from shared.estimation.posterior import MOST_DRAWN, Posterior
from shared.estimation.release_history import MOST_STEPS
from shared.simulation import simulate
from tests.estimation.test_verdict import SEA, TIMES, W, background

STEP_S = 600.0
COARSE = EstimationOptions(spacing_m=2.0)


@cache
def answer_to(*changes: tuple[int, float]) -> Estimation:
    """Return the answer to a leak whose rate changes by so many kg/s at so many steps of the times."""
    signal = np.zeros_like(background())
    for at, change in changes:
        leak = Leak(x=0.5, y=0.5, z=2.0, rate_kg_s=abs(change), onset=to_datetime(TIMES[at]))
        signal += np.sign(change) * simulate(W, SEA, leak, TIMES)
    return estimate(W, SEA, Observations(TIMES, background() + signal), options=COARSE)


def leaking(answer: Estimation) -> Floats:
    """Return the probability [k] that each step leaks."""
    return np.array([one.probability_leaking for one in answer.rate_over_time])


def middles(answer: Estimation) -> Floats:
    """Return the middle [k] of each step, in steps of the times."""
    start = TIMES[0].astype(np.int64)
    return (
        np.array([(one.start.timestamp() + one.end.timestamp()) / 2 - start for one in answer.rate_over_time]) / STEP_S
    )


def test_a_steady_leak_is_quiet_before_it_and_leaks_after_it() -> None:
    """Steps that lie wholly before or after the onset are told so, and what it released is within the limits."""
    answer = answer_to((150, 3e-6))
    before, after = middles(answer) < 150 - 18, middles(answer) > 150 + 18
    assert (leaking(answer)[before] < 0.1).all()
    assert (leaking(answer)[after] > 0.9).all()
    mass, true = answer.dissolved_mass_kg, 3e-6 * STEP_S * (TIMES.size - 150)
    assert mass is not None
    assert mass.low_90 <= true <= mass.high_90
    for one in np.array(answer.rate_over_time)[after]:
        assert one.dissolved_rate_kg_s.low_90 <= 3e-6 <= one.dissolved_rate_kg_s.high_90


def test_a_leak_that_stops_is_told_to_have_stopped() -> None:
    """From a step after the stop on it leaks no more."""
    answer = answer_to((150, 1e-5), (300, -1e-5))
    assert (leaking(answer)[abs(middles(answer) - 225) < 40] > 0.9).all()
    assert (leaking(answer)[middles(answer) > 300 + 36] < 0.2).all()


def test_a_leak_that_grows_is_told_to_grow() -> None:
    """Seven times as much after the half of its time: the steps' medians rise by something like that."""
    answer = answer_to((150, 3e-6), (300, 1.8e-5))
    rates = np.array([one.dissolved_rate_kg_s.median for one in answer.rate_over_time])
    early, late = abs(middles(answer) - 240) < 40, middles(answer) > 340
    assert 3 < np.median(rates[late]) / np.median(rates[early]) < 20


def test_the_mass_is_that_of_the_steps_and_the_total_is_larger() -> None:
    """The steps' medians add up to about the mass' median; bubbles come on top."""
    answer = answer_to((150, 3e-6))
    spans = [one.end - one.start for one in answer.rate_over_time]
    steps = sum(
        one.dissolved_rate_kg_s.median * span.total_seconds()
        for one, span in zip(answer.rate_over_time, spans, strict=True)
    )
    mass, total = answer.dissolved_mass_kg, answer.total_mass_kg
    assert mass is not None
    assert total is not None
    assert steps == pytest.approx(mass.median, rel=0.5)
    assert total.median > 5 * mass.median
    assert answer.rate_over_time[0].end == answer.rate_over_time[1].start


def test_the_same_data_give_the_same_history() -> None:
    """What is drawn is drawn from the same numbers again."""
    answer_to.cache_clear()
    first = answer_to((150, 3e-6))
    answer_to.cache_clear()
    assert answer_to((150, 3e-6)) == first


DAYS = 12
LONG_TIMES = TIMES[0] + np.arange(DAYS * 144) * np.timedelta64(600, "s")
LONG_HOURS = np.arange(LONG_TIMES.size) / 6
LONG_SEA = Environment.of(
    LONG_TIMES,
    current_speed=0.08 + 0.03 * np.sin(2 * np.pi * LONG_HOURS / 12.42),
    current_direction=90 + 60 * np.sin(2 * np.pi * LONG_HOURS / 12.42 + 1),
)


@cache
def long_answer(days: int, *changes: tuple[int, float]) -> Estimation:
    """Return the answer to so many days of such a leak, of which the first four tell of its place."""
    signal = np.zeros((4, LONG_TIMES.size))
    for at, change in changes:
        leak = Leak(x=0.5, y=0.5, z=2.0, rate_kg_s=abs(change), onset=to_datetime(LONG_TIMES[at]))
        signal += np.sign(change) * simulate(W, LONG_SEA, leak, LONG_TIMES)
    ppmv = 10 + np.random.default_rng(11).normal(0, 1.5, signal.shape) + signal
    latest = to_datetime(LONG_TIMES[4 * 144])
    options = replace(COARSE, earliest_onset=to_datetime(LONG_TIMES[100]), latest_onset=latest, fitted_until=latest)
    size = days * 144
    return estimate(W, LONG_SEA, Observations(LONG_TIMES[:size], ppmv[:, :size]), options=options)


GROWS = ((150, 3e-6), (7 * 144, 1.8e-5))


def test_a_long_incident_is_followed_to_its_end() -> None:
    """A leak that grows after the days that tell of its place is told to have grown, and how much it released."""
    answer = long_answer(DAYS, *GROWS)
    assert answer.rate_over_time[-1].end > to_datetime(LONG_TIMES[-7])
    rates = np.array([one.dissolved_rate_kg_s.median for one in answer.rate_over_time])
    early, late = middles(answer) < 7 * 144 - 36, middles(answer) > 7 * 144 + 72
    assert (leaking(answer)[late] > 0.9).all()
    assert 3 < np.median(rates[late]) / np.median(rates[early & (middles(answer) > 200)]) < 20
    mass, true = answer.dissolved_mass_kg, STEP_S * (3e-6 * (DAYS * 144 - 150) + 1.8e-5 * (DAYS - 7) * 144)
    assert mass is not None
    assert mass.low_90 <= true <= mass.high_90


def test_what_comes_later_moves_no_place() -> None:
    """Place, steady rate, onset and verdict are those of the first four days, however long it goes on."""
    short, long = long_answer(5, *GROWS), long_answer(DAYS, *GROWS)
    for name in ("place", "places", "dissolved_rate_kg_s", "onset", "verdict", "probability", "fits", "samples"):
        assert getattr(long, name) == getattr(short, name), name
    assert long.rate_over_time[-1].end > short.rate_over_time[-1].end
    assert long.dissolved_mass_kg != short.dissolved_mass_kg


def test_a_long_incident_has_so_many_steps_at_most() -> None:
    """A quarter of a day each while they are few."""
    answer = long_answer(DAYS, *GROWS)
    spans = {round((one.end - one.start).total_seconds() / 3600, 1) for one in answer.rate_over_time}
    assert len(answer.rate_over_time) <= MOST_STEPS
    assert all(5.5 < one < 6.5 for one in spans)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_draws_stand_for_all_hypotheses(seed: int, blocks: int) -> None:
    """In the mean over many lots, what is drawn weighs each member as the whole posterior does."""
    rng = np.random.default_rng(seed)
    size, members, lots = 200, 3, 60
    logs = [rng.normal(0, 2, (size, 1)) + 3 * member for member in range(members) for _ in range(blocks)]
    of = [member for member in range(members) for _ in range(blocks)]
    found = np.zeros(members)
    for lot in range(lots):
        posterior = Posterior.empty(size, 2, members, 1)
        posterior.lottery.noise = np.random.default_rng(seed + lot)
        for log, member in zip(logs, of, strict=True):
            posterior.add(log, np.arange(size), np.zeros(size, dtype=np.intp), member)
        draws = posterior.draws()
        assert draws.weight.sum() == pytest.approx(1)
        assert draws.place.size == MOST_DRAWN
        found += np.bincount(draws.member, draws.weight, members) / lots
    assert found == pytest.approx(posterior.member / posterior.member.sum(), abs=0.04)


def test_fewer_hypotheses_than_draws_are_all_drawn() -> None:
    """Each with its weight."""
    posterior = Posterior.empty(5, 1, 1, 1)
    weights = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    posterior.add(np.log(weights)[:, None], np.arange(5), np.zeros(5, dtype=np.intp), 0)
    draws = posterior.draws()
    assert draws.weight[np.argsort(draws.place)] == pytest.approx(weights / weights.sum())
