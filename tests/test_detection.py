"""Detection: distances are exact, levels are causal, and nothing bad is ever called Ok."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shared.detection import Baseline, build_baseline, detect
from shared.detection.cleaning import suspect_days
from shared.detection.nearest import NearestWindow
from shared.detection.regular import HOLD_BINS, hold, regularise
from shared.errors import CorruptBlob, InvalidInput
from tests import naive_detection as naive
from tests.examples import quiet_baseline

START = np.datetime64("2026-03-01T00:00:00")
STEP = np.timedelta64(600, "s")


def times(size: int) -> np.ndarray:
    """Return so many bucket starts."""
    return START + np.arange(size) * STEP


def walk(seed: int, size: int) -> np.ndarray:
    """Return readings that wander as the real ones do."""
    return np.abs(30 + np.cumsum(np.random.default_rng(seed).normal(0, 1, size)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 40), st.floats(0, 0.2), st.floats(0, 0.05))
def test_the_nearest_window_is_exact(seed: int, window: int, query_gaps: float, series_gaps: float) -> None:
    """The FFT search gives the brute-force distance, with values missing on both sides."""
    rng = np.random.default_rng(seed)
    series, query = walk(seed, 300), walk(seed + 1, window)
    series[rng.random(300) < series_gaps] = np.nan
    query[rng.random(window) < query_gaps] = np.nan
    if (
        not np.lib.stride_tricks.sliding_window_view(~np.isnan(series), window).all(axis=1).any()
        or np.isnan(query).all()
    ):
        return
    _, found = NearestWindow(series, window).find(query)
    assert found == pytest.approx(naive.nearest(series, window, query), rel=1e-9)


def test_blocks_join_without_a_seam() -> None:
    """A window of the baseline itself is found at distance 0, wherever it lies among the blocks."""
    series = walk(3, 6000)
    engine = NearestWindow(series, 144)
    for start in (0, 1904, 1905, 2047, 2048, 3810, 5856):
        assert engine.find(series[start : start + 144]) == (start, 0.0)


@pytest.mark.slow
def test_distances_agree_with_stumpy() -> None:
    """The distance to the nearest window is that of STUMPY's non-normalised join to 1e-6."""
    import stumpy

    series, stream = walk(5, 3000), walk(6, 600)
    joined = stumpy.aamp(stream, 144, series, ignore_trivial=False)[:, 0].astype(np.float64)
    engine = NearestWindow(series, 144)
    ours = [engine.find(stream[start : start + 144])[1] for start in range(joined.size)]
    assert ours == pytest.approx(joined, rel=1e-6)


@pytest.mark.slow
def test_a_baselines_profile_is_the_self_join_outside_a_day() -> None:
    """STUMPY's profile equals brute force over windows that lie more than a day apart."""
    series = walk(7, 600)
    series[300:310] = np.nan
    baseline = build_baseline(times(600), series)
    filled = naive.hold(series, HOLD_BINS)
    for start in (0, 100, 200, 456):
        far = [other for other in range(457) if abs(other - start) > 144]
        window = filled[start : start + 144]
        expected = min(float(np.linalg.norm(window - filled[other : other + 144])) for other in far)
        assert baseline.profile[start] == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
def test_a_baseline_needs_two_days_apart() -> None:
    """Too short or empty a history is refused with what was found."""
    for size in (0, 1, 143, 288):
        with pytest.raises(InvalidInput, match="two complete days"):
            build_baseline(times(size), walk(1, size) if size else np.zeros(0))


@pytest.mark.slow
def test_a_constant_history_still_has_a_threshold() -> None:
    """A stuck sensor's baseline does not divide by zero."""
    baseline = build_baseline(times(600), np.full(600, 5.0))
    assert baseline.threshold == pytest.approx(1.2)
    assert (detect(baseline, times(300), np.full(300, 5.0)).level[150:] == 0).all()


def test_a_rise_goes_from_ok_over_warning_to_critical() -> None:
    """A leak of 40 sigma is found within hours, and never before it begins."""
    ppmv = 10 + np.random.default_rng(1).normal(0, 1, 432)
    ppmv[288:] += 40
    found = detect(quiet_baseline(), times(432), ppmv)
    assert (found.level[150:288] == 0).all()
    first_warning, first_critical = np.argmax(found.level == 1), np.argmax(found.level == 2)
    assert 288 <= first_warning < first_critical < 300
    assert (found.level[first_critical:] == 2).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(150, 430))
def test_results_are_causal(seed: int, cut: int) -> None:
    """What comes later cannot change what was said: a prefix gives the same bits."""
    ppmv = walk(seed, 432)
    ppmv[np.random.default_rng(seed).random(432) < 0.05] = np.nan
    whole, part = detect(quiet_baseline(), times(432), ppmv), detect(quiet_baseline(), times(cut), ppmv[:cut])
    assert part.score.tobytes() == whole.score[:cut].tobytes()


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_samples_does_not_matter(random: object) -> None:
    """Shuffled and repeated samples give the same bits as sorted ones."""
    ppmv, stamps = walk(9, 432), times(432)
    order = list(range(432))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = detect(quiet_baseline(), stamps[order], ppmv[order])
    repeated = detect(quiet_baseline(), np.concatenate((stamps, stamps[:50])), np.concatenate((ppmv, ppmv[:50])))
    straight = detect(quiet_baseline(), stamps, ppmv)
    assert shuffled.score.tobytes() == straight.score.tobytes()
    assert repeated.score.tobytes() == straight.score.tobytes()


def test_since_leaves_out_the_past_but_uses_it() -> None:
    """Scoring from the middle gives the bits of scoring from the start."""
    ppmv = walk(4, 432)
    whole = detect(quiet_baseline(), times(432), ppmv)
    part = detect(quiet_baseline(), times(432), ppmv, since=times(432)[300])
    assert part.score.tobytes() == whole.score[300:].tobytes()


def test_the_first_day_is_undefined_until_enough_of_it_is_seen() -> None:
    """Before 80 % of a window is observed, nobody says Ok."""
    level = detect(quiet_baseline(), times(200), 10 + np.zeros(200)).level
    assert (level[:115] == -1).all()
    assert (level[115:] == 0).all()


def test_a_gap_is_held_for_two_hours_and_undefined_beyond() -> None:
    """Missing data are never called Ok for longer than a sensor can stay the same."""
    ppmv = 10 + np.zeros(432)
    ppmv[200:230] = np.nan
    level = detect(quiet_baseline(), times(432), ppmv).level
    assert (level[200:212] == 0).all()
    assert (level[212:230] == -1).all()
    assert (level[230:] == 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e14, -5.0])
def test_bad_values_are_never_scored(bad: float) -> None:
    """A stretch of bad values is Undefined, neither Ok nor Critical, and leaves no trace after it."""
    ppmv = 10 + np.zeros(432)
    ppmv[200:250] = bad
    level = detect(quiet_baseline(), times(432), ppmv).level
    assert (level[212:250] == -1).all()
    assert (level != 2).all()


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.float64, st.integers(0, 300), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_any_values_give_defined_levels(values: np.ndarray) -> None:
    """Whatever the numbers, every level is one of the four and agrees with its score."""
    found = detect(quiet_baseline(), times(values.size), values)
    assert found.level.size == values.size
    assert np.isin(found.level, (-1, 0, 1, 2)).all()
    assert (np.isnan(found.score) == (found.level == -1)).all()


def test_samples_of_any_spacing_are_binned() -> None:
    """Raw samples every 30 s give the levels of their 10-minute means."""
    raw = np.repeat(walk(2, 300), 20)
    stamps = START + np.arange(raw.size) * np.timedelta64(30, "s")
    binned = detect(quiet_baseline(), times(300), walk(2, 300))
    found = detect(quiet_baseline(), stamps, raw)
    assert found.level.tolist() == binned.level.tolist()


def test_shapes_that_differ_are_refused() -> None:
    """The message names both shapes."""
    with pytest.raises(InvalidInput, match=r"\(3,\) and \(2,\)"):
        detect(quiet_baseline(), times(3), np.zeros(2))
    with pytest.raises(InvalidInput, match="NaT"):
        detect(quiet_baseline(), np.array(["NaT"], dtype="datetime64[s]"), np.zeros(1))


@given(hnp.arrays(np.float64, st.integers(0, 60), elements=st.sampled_from([1.0, 2.0, np.nan])), st.integers(0, 14))
def test_holding_is_what_it_says(values: np.ndarray, bins: int) -> None:
    """The vectorised hold equals the obvious one."""
    np.testing.assert_array_equal(hold(values, bins), naive.hold(values, bins))


def test_regular_means_do_not_depend_on_the_order() -> None:
    """Three samples of one bin give the same mean in any order, to the last bit."""
    values = np.array([0.1, 0.7, 1e5 - 1])
    means = {
        regularise(np.repeat(START, 3), values[list(order)]).ppmv[0] for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0))
    }
    assert len(means) == 1


@given(st.integers(0, 1000), st.integers(300, 500))
@settings(max_examples=20, deadline=None)
def test_baselines_survive_storage(seed: int, size: int) -> None:
    """Bytes and back give the same version, profile and threshold."""
    values = walk(seed, size)
    values[:5] = np.nan
    baseline = Baseline(START, values, np.full(size - 143, 2.5), 17.25)
    again = Baseline.from_bytes(baseline.to_bytes())
    assert again.to_bytes() == baseline.to_bytes()
    assert again.version == baseline.version
    assert (again.threshold, again.window, again.times[0]) == (17.25, 144, START)


@pytest.mark.parametrize(
    "spoil", [lambda b: b[:-8], lambda b: b"x" + b, lambda b: b[:20], lambda _: b"", lambda b: b + b"12345678"]
)
def test_a_spoilt_baseline_is_refused(spoil: object) -> None:
    """Truncated, lengthened or foreign bytes are a CorruptBlob, not a wrong baseline."""
    with pytest.raises(CorruptBlob, match="baseline cannot be read"):
        Baseline.from_bytes(spoil(quiet_baseline().to_bytes()))  # type: ignore[operator]


def test_days_that_stand_out_are_suspect() -> None:
    """A high day is left out by its peak, a low one by being like no other."""
    ppmv = 20 + np.random.default_rng(3).normal(0, 2, 20 * 144)
    ppmv[5 * 144 : 6 * 144] += 300
    ppmv[8 * 144 : 9 * 144] -= 15
    assert suspect_days(times(ppmv.size), ppmv).tolist() == [
        (START + day * 144 * STEP).astype("datetime64[D]").item() for day in (5, 8)
    ]


def test_days_like_no_other_are_suspect() -> None:
    """A day whose course is its own is left out though its peak is like the others'."""
    tide = 20 + 10 * np.sin(np.arange(30 * 144) * 2 * np.pi / 74.5)
    ppmv = tide + np.random.default_rng(4).normal(0, 1, tide.size)
    ppmv[9 * 144 : 10 * 144] = 29 - np.linspace(0, 28, 144)
    ppmv[17 * 144 : 18 * 144] = 1 + np.linspace(0, 28, 144)
    assert suspect_days(times(ppmv.size), ppmv).tolist() == [
        (START + day * 144 * STEP).astype("datetime64[D]").item() for day in (9, 17)
    ]


@pytest.mark.parametrize(
    "ppmv",
    [
        np.full(30 * 144, 5.0),
        np.zeros(30 * 144),
        5 + np.random.default_rng(1).normal(0, 0.05, 30 * 144),
        20 + 60 * (np.random.default_rng(2).random(30 * 144) < 0.02),
    ],
    ids=["constant", "zero", "quiet", "spiky"],
)
def test_usual_sensors_have_no_suspect_days(ppmv: np.ndarray) -> None:
    """What a sensor does every day is not suspect, be it nothing or spikes."""
    assert suspect_days(times(ppmv.size), ppmv).size == 0


def test_no_readings_have_no_suspect_days() -> None:
    """Nothing at all, and nothing but gaps, are no error."""
    assert suspect_days(times(0), np.zeros(0)).size == 0
    assert suspect_days(times(300), np.full(300, np.nan)).size == 0


def test_the_hot_path_imports_neither_stumpy_nor_scipy() -> None:
    """Scoring in a cold process must not pay for what only the building of a baseline needs."""
    heavy = ("stumpy", "scipy", "numba", "pandas", "pydantic")
    code = f"import sys, shared.detection; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
