"""Detection by its entry points: causal, the same bits however the stream was cut, and nothing bad is called Ok."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shared.detection import Baseline, Channel, Detection, LatchState, Rates, build_baseline, detect
from shared.detection.channels import thresholds
from shared.detection.detector import CONTEXT_BINS
from shared.detection.figures import Raw
from shared.detection.regular import forward_fill, regularise
from shared.errors import InvalidInput
from tests.support import naive_detection as naive
from tests.support.examples import quiet_baseline

START = np.datetime64("2026-03-01T00:00:00")
STEP = np.timedelta64(600, "s")
DAYS = 144


def times(size: int) -> np.ndarray:
    """Return so many bucket starts."""
    return START + np.arange(size) * STEP


def sea(seed: int, size: int) -> np.ndarray:
    """Return readings around 10 ppmv as the quiet baseline knows them, now and then with a gap and a rise."""
    rng = np.random.default_rng(seed)
    ppmv = 10 + rng.normal(0, 1, size)
    begin = int(rng.integers(0, size))
    ppmv[begin : begin + int(rng.integers(1, 200))] += rng.choice([0.0, 3.0, 30.0])
    gap = int(rng.integers(0, size))
    ppmv[gap : gap + int(rng.integers(0, 30))] = np.nan
    return np.abs(ppmv)


def bits(found: Detection, start: int = 0, end: int | None = None) -> tuple[bytes, ...]:
    """Return the result's arrays as bytes: equal means equal to the last bit."""
    arrays = (found.times, found.score, found.raw.score, found.raw.channel, found.raw.away, found.level, found.fault)
    return tuple(array[start:end].tobytes() for array in arrays)


# --- the same bits, whatever came when


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 599))
def test_results_are_causal(seed: int, cut: int) -> None:
    """What comes later cannot change what was said: a prefix gives the same bits."""
    ppmv = sea(seed, 600)
    ppmv[[0, cut - 1]] = 10.0  # both begin and end where they are cut
    whole, part = detect(quiet_baseline(), times(600), ppmv), detect(quiet_baseline(), times(cut), ppmv[:cut])
    assert bits(part) == bits(whole, 0, cut)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 250), min_size=1, max_size=6))
def test_any_chunks_give_one_pass(seed: int, sizes: list[int]) -> None:
    """A stream scored in pieces, each with its context and what the last one handed on, gives the bits of one pass."""
    ppmv, stamps, baseline = sea(seed, 800), times(800), quiet_baseline()
    ppmv[~np.isfinite(ppmv)] = 10.0
    whole = detect(baseline, stamps, ppmv)
    state, begin, pieces = LatchState(), 0, []
    for size in [*sizes, 800]:
        end = min(begin + size, 800)
        if begin == end:
            break
        low = max(begin - CONTEXT_BINS, 0)
        pieces.append(detect(baseline, stamps[low:end], ppmv[low:end], since=stamps[begin], state=state))
        state, begin = pieces[-1].latch, end
    joined = tuple(b"".join(parts) for parts in zip(*(bits(piece) for piece in pieces), strict=True))
    assert joined == bits(whole)
    assert repr(state) == repr(whole.latch)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 144))
def test_known_raw_scores_are_taken_over(seed: int, known: int) -> None:
    """A day whose first raw scores are known gives the bits of scoring all of it."""
    ppmv, stamps, baseline = sea(seed, 600), times(600), quiet_baseline()
    ppmv[-1] = 10.0
    whole = detect(baseline, stamps, ppmv, since=stamps[456])
    first = Raw(whole.raw.score[:known], whole.raw.channel[:known], whole.raw.away[:known])
    assert bits(detect(baseline, stamps, ppmv, since=stamps[456], known=first)) == bits(whole)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_samples_does_not_matter(seed: int, random: object) -> None:
    """Shuffled, repeated and late samples give the same bits as sorted ones."""
    ppmv, stamps, baseline = sea(seed, 500), times(500), quiet_baseline()
    order = list(range(500))
    random.shuffle(order)  # type: ignore[attr-defined]
    straight = bits(detect(baseline, stamps, ppmv))
    assert bits(detect(baseline, stamps[order], ppmv[order])) == straight
    assert bits(detect(baseline, np.r_[stamps, stamps[:50]], np.r_[ppmv, ppmv[:50]])) == straight
    assert bits(detect(baseline, np.r_[stamps[300:], stamps[:300]], np.r_[ppmv[300:], ppmv[:300]])) == straight


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(-100_000, 100_000))
def test_shifting_all_times_changes_nothing_but_the_times(seed: int, buckets: int) -> None:
    """Detection knows no calendar."""
    ppmv, baseline = sea(seed, 500), quiet_baseline()
    here, there = detect(baseline, times(500), ppmv), detect(baseline, times(500) + buckets * STEP, ppmv)
    assert bits(here)[1:] == bits(there)[1:]
    assert (there.times - here.times == buckets * STEP).all()


def test_samples_of_any_spacing_are_binned() -> None:
    """Raw samples every 30 s give the levels of their 10-minute means."""
    means = np.round(sea(2, 400), 3)
    means[~np.isfinite(means)] = 10.0
    stamps = START + np.arange(means.size * 20) * np.timedelta64(30, "s")
    binned = detect(quiet_baseline(), times(400), means)
    assert detect(quiet_baseline(), stamps, np.repeat(means, 20)).level.tolist() == binned.level.tolist()


# --- leaks


def leak(size: int, onset: int, last: int, height: float, *, pulsed: bool = False) -> np.ndarray:
    """Return what a sensor of 2 h reads of a leak [size], steady or pulsed with a tide of 12.42 h."""
    time = np.arange(size)
    source = ((time >= onset) & (time < last)).astype(float)
    if pulsed:
        source *= ((time - onset) / 74.5) % 1 < 0.5
    reading = np.zeros(size)
    for index in range(1, size):
        reading[index] = reading[index - 1] + (source[index] - reading[index - 1]) * (1 - np.exp(-1 / 12))
    return height * reading


@pytest.mark.parametrize("pulsed", [False, True], ids=["steady", "pulsed"])
def test_a_leak_is_found_held_and_cleared(pulsed: bool) -> None:
    """Eight times the noise for three days: Critical within hours, an alarm to its end, none 12 h after it."""
    size, onset, last = 900, 300, 300 + 3 * DAYS
    ppmv = 10 + np.random.default_rng(5).normal(0, 1, size) + leak(size, onset, last, 8.0, pulsed=pulsed)
    level = detect(quiet_baseline(), times(size), ppmv).level
    assert (level[150:onset] == 0).all()
    first = onset + int(np.argmax(level[onset:] >= 1))
    assert first < onset + 36
    assert (level[onset:last] == 2).any()
    assert np.mean(level[first:last] >= 1) > 0.95
    assert (level[last + 72 :] < 1).all()


def test_critical_stays_critical_while_the_leak_lasts() -> None:
    """Also when the leak is all that the windows know."""
    size = 1000
    ppmv = 10 + np.random.default_rng(6).normal(0, 1, size) + leak(size, 300, size, 30.0)
    level = detect(quiet_baseline(), times(size), ppmv).level
    first = int(np.argmax(level == 2))
    assert 300 < first < 312
    assert (level[first:] == 2).all()


def test_an_alarm_survives_a_gap() -> None:
    """Silence is Undefined, and does not end what was going on before it."""
    size = 700
    ppmv = 10 + np.random.default_rng(7).normal(0, 1, size) + leak(size, 300, size, 30.0)
    ppmv[400:450] = np.nan
    level = detect(quiet_baseline(), times(size), ppmv).level
    assert (level[412:450] == -1).all()
    assert (level[450:] == 2).all()


def test_a_fall_of_the_background_is_no_leak() -> None:
    """Readings that go down to half raise nothing."""
    ppmv = 10 + np.random.default_rng(8).normal(0, 1, 700)
    baseline = build_baseline(times(1440), 10 + np.random.default_rng(9).normal(0, 1, 1440))
    ppmv[400:] -= 2.0
    assert (detect(baseline, times(700), ppmv).level < 2).all()


# --- nothing bad is ever Ok


@pytest.mark.parametrize(
    "bad",
    [np.nan, np.inf, -np.inf, 1e14, -5.0, 0.0, 10.0],
    ids=["nan", "inf", "-inf", "sentinel", "negative", "zero", "constant"],
)
def test_hours_of_bad_values_are_undefined_and_leave_no_trace(bad: float) -> None:
    """Four hours that say nothing are Undefined from the third on, and Ok comes back by itself."""
    ppmv = 10 + np.random.default_rng(1).normal(0, 1, 600)
    ppmv[300:324] = bad
    found = detect(quiet_baseline(), times(600), ppmv)
    assert (found.level[317:324] != 0).all()
    assert (found.fault[317:324] != 0).all()
    assert (found.level[500:] == 0).all()
    assert (found.fault[400:] == 0).all()


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ([], 0),
        ([5.0], 1),
        ([np.nan] * 300, 300),
        ([1e14] * 300, 300),
        ([0.0] * 300, 300),
        ([7.0] * 300, 300),
        ([-1.0] * 300, 300),
    ],
    ids=["empty", "one", "nan", "sentinel", "zero", "constant", "negative"],
)
def test_a_stream_that_says_nothing_is_never_ok(values: list[float], size: int) -> None:
    """Neither in the beginning nor after a day of it."""
    found = detect(quiet_baseline(), times(size), np.array(values))
    assert found.level.size == size
    assert (found.level != 0).all()


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.float64, st.integers(0, 300), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_any_values_give_defined_levels(values: np.ndarray) -> None:
    """Whatever the numbers, every level is one of the four and agrees with its score."""
    found = detect(quiet_baseline(), times(values.size), values)
    assert found.level.size == values.size
    assert np.isin(found.level, (-1, 0, 1, 2)).all()
    assert (np.isnan(found.score) == (found.level == -1)).all()
    assert ((found.score >= 1) == (found.level >= 1)).all()
    assert ((found.score >= 2) == (found.level == 2)).all()


def test_what_makes_no_sense_is_refused() -> None:
    """Shapes that differ, times that are none, and a stray time stamp that would take gigabytes."""
    with pytest.raises(InvalidInput, match=r"\(3,\) and \(2,\)"):
        detect(quiet_baseline(), times(3), np.zeros(2))
    with pytest.raises(InvalidInput, match="NaT"):
        detect(quiet_baseline(), np.array(["NaT"], dtype="datetime64[s]"), np.zeros(1))
    with pytest.raises(InvalidInput, match="span"):
        detect(quiet_baseline(), np.array(["1000-01-01", "2026-01-01"], dtype="datetime64[s]"), np.ones(2))


def test_before_the_first_window_is_whole_nobody_says_ok() -> None:
    """The shortest channel needs six hours."""
    level = detect(quiet_baseline(), times(200), 10 + np.random.default_rng(3).normal(0, 1, 200)).level
    assert (level[:35] == -1).all()
    assert (level[35:] == 0).all()


# --- baselines


def test_what_was_told_is_known() -> None:
    """A rise that a person declared usual is not flagged again."""
    rng = np.random.default_rng(6)
    history = 10 + rng.normal(0, 1, 14 * DAYS)
    rise = leak(2 * DAYS, 0, DAYS, 20.0)
    longer = np.r_[history, 10 + rng.normal(0, 1, 2 * DAYS) + rise]
    before, after = (build_baseline(times(one.size), one) for one in (history, longer))
    again = np.r_[10 + rng.normal(0, 1, 2 * DAYS), 10 + rng.normal(0, 1, 2 * DAYS) + rise]
    assert (detect(before, times(again.size), again).level == 2).any()
    profile = Channel.PROFILE
    assert figure(after, again, profile) < figure(before, again, profile) / 2


def figure(baseline: Baseline, ppmv: np.ndarray, channel: Channel) -> float:
    """Return the highest figure of the profile channel."""
    assert channel is Channel.PROFILE
    return float(np.nanmax(baseline.days.ratios(ppmv, 2 * DAYS)))


def test_rarer_false_alarms_cost_higher_thresholds() -> None:
    """The rates mean something, and their order is kept."""
    for one, other in zip(thresholds(Rates(3.0, 0.3), 1.0), thresholds(Rates(0.3, 0.03), 1.0), strict=True):
        assert one.warning < other.warning < other.critical
    with pytest.raises(InvalidInput, match="critical < warning"):
        Rates(0.1, 1.0)


# --- the grid


@given(hnp.arrays(np.float64, st.integers(0, 60), elements=st.sampled_from([1.0, 2.0, np.nan])), st.integers(0, 14))
def test_holding_is_what_it_says(values: np.ndarray, bins: int) -> None:
    """The vectorised hold equals the obvious one."""
    np.testing.assert_array_equal(forward_fill(values, bins), naive.forward_fill(values, bins))


def test_regular_means_do_not_depend_on_the_order() -> None:
    """Three samples of one bin give the same mean in any order, to the last bit."""
    values = np.array([0.1, 0.7, 1e5 - 1])
    means = {
        regularise(np.repeat(START, 3), values[list(order)]).ppmv[0] for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0))
    }
    assert len(means) == 1


def test_the_hot_path_imports_neither_stumpy_nor_scipy() -> None:
    """Scoring in a cold process must not pay for what only the building of a baseline needs."""
    heavy = ("stumpy", "scipy", "numba", "pandas", "pydantic")
    code = f"import sys, shared.detection; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
