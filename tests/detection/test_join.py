"""The search for nearest windows: exact, whatever the values, and the same bits however the stream is cut."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.arrays import Floats
from shared.detection.day_profile import WINDOW
from shared.detection.join import ROWS, Join
from shared.detection.nearest import PIECE
from shared.errors import InvalidInput
from tests.support import naive_detection as naive

CHANNELS = [(WINDOW, WINDOW)]


def walk(seed: int, size: int) -> Floats:
    """Return readings that wander as the real ones do."""
    return np.abs(30 + np.cumsum(np.random.default_rng(seed).normal(0, 1, size)))


def with_gaps(series: Floats, seed: int, share: float) -> Floats:
    """Return the series with that share of it missing."""
    return np.where(np.random.default_rng(seed).random(series.size) < share, np.nan, series)


def assert_exact(series: Floats, query: Floats, window: int, head: int) -> None:
    """Compare every row with the oracle: the distance, and that the start named has it."""
    starts, distances = Join(series, window, head).nearest(query)
    assert starts.shape == distances.shape == (query.size - window + 1,)
    for row, (start, distance) in enumerate(zip(starts, distances, strict=True)):
        mine = query[row : row + window]
        if np.isnan(mine).any():
            assert start == -1
            assert np.isnan(distance)
            continue
        expected = naive.distances(series, mine, head)
        assert distance == pytest.approx(np.nanmin(expected), rel=1e-9, abs=0)
        assert expected[start] == pytest.approx(distance, rel=1e-9, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.floats(0, 1), st.floats(0, 0.05), st.floats(0, 0.05))
def test_the_nearest_window_is_exact(
    seed: int, window: int, head: float, series_gaps: float, query_gaps: float
) -> None:
    """Each row gets the brute-force distance, with and without a head, and values missing on both sides."""
    series = with_gaps(walk(seed, 300), seed + 2, series_gaps)
    query = with_gaps(walk(seed + 1, 60), seed + 3, query_gaps)
    series[:window] = 30.0
    assert_exact(series, query, window, round(head * window))


@pytest.mark.parametrize(("window", "head"), [(144, 0), *CHANNELS])
def test_the_channels_are_exact_beyond_one_stretch(window: int, head: int) -> None:
    """Rows after a fresh FFT are as good as the first, and so are those at its edges."""
    series, query = walk(3, 5000), walk(4, 2 * ROWS + window + 30)
    starts, distances = Join(series, window, head).nearest(query)
    for row in (0, 1, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS, starts.size - 1):
        expected = naive.distances_at_once(series, query[row : row + window], head)
        assert starts[row] == np.argmin(expected)
        assert distances[row] == pytest.approx(expected.min(), rel=1e-12)


def test_blocks_join_without_a_seam() -> None:
    """A window of the series itself is found at distance 0, wherever it lies among the FFT's blocks."""
    series = walk(3, 6000)
    join = Join(series, 144)
    for start in (0, 1760, 1761, 1762, 1904, 1905, 2047, 2048, 3665, 3666, 5856):
        found, distance = join.nearest(series[start : start + 144])
        assert (found[0], distance[0]) == (start, 0.0)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000), st.sampled_from([0, 5, 20]), st.integers(1, 3), st.lists(st.integers(20, 400), max_size=4)
)
def test_the_bits_do_not_depend_on_how_the_stream_is_cut(seed: int, head: int, digits: int, cuts: list[int]) -> None:
    """Pieces of any length give the bits of the whole, near-ties of rounded readings included."""
    series = with_gaps(np.round(walk(seed, 600), digits - 1), seed, 0.005)
    query = with_gaps(np.round(walk(seed + 1, 400), digits - 1), seed + 1, 0.005)
    series[:20] = 30.0
    join = Join(series, 20, head)
    starts, distances = join.nearest(query)
    edges = sorted({19, *cuts, 400})
    pieces = [join.nearest(query[low - 19 : high]) for low, high in pairwise(edges)]
    assert np.concatenate([piece[0] for piece in pieces]).tolist() == starts.tolist()
    assert np.concatenate([piece[1] for piece in pieces]).tobytes() == distances.tobytes()


@pytest.mark.parametrize("head", [0, 18, 72])
def test_one_row_at_a_time_gives_the_bits_of_all_at_once(head: int) -> None:
    """The rows of a live sensor are those of its replay."""
    series, query = walk(5, 3000), walk(6, 72 + 200)
    join = Join(series, 72, head)
    rows = [join.nearest(query[row : row + 72]) for row in range(201)]
    starts, distances = join.nearest(query)
    assert [int(start[0]) for start, _ in rows] == starts.tolist()
    assert np.concatenate([distance for _, distance in rows]).tobytes() == distances.tobytes()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(72, 150),
    st.floats(0, 1),
    st.sampled_from([0.0, 0.1, 10.0]),
    st.sampled_from([0.0, 5e4, 1e20]),
    st.sampled_from([(1.0, 0.0), (1e-3, 0.0), (1.0, 1e7)]),
)
def test_a_row_on_its_own_is_exact_too(
    seed: int, window: int, head: float, noise: float, spike: float, units: tuple[float, float]
) -> None:
    """Bounds leave out only what is farther, whether they leave few windows (drift), or most of them (noise)."""
    rng = np.random.default_rng(seed)
    scale, offset = units
    series = with_gaps((walk(seed, 1500) + rng.normal(0, noise, 1500)) * scale + offset, seed, 0.001)
    series[:window] = offset
    query = (walk(seed + 1, 1500)[:window] + rng.normal(0, noise, window)) * scale + offset
    query[window // 2] += spike
    (start,), (distance,) = Join(series, window, round(head * window)).nearest(query)
    expected = naive.distances_at_once(series, query, round(head * window))
    assert distance == pytest.approx(np.nanmin(expected), rel=1e-9)
    assert expected[start] == pytest.approx(distance, rel=1e-9)


@pytest.mark.parametrize("head", [0, 6, 24])
@pytest.mark.parametrize(
    ("in_series", "in_query", "scale", "offset"),
    [
        (5e4, 0, 1, 0),
        (0, 5e4, 1, 0),
        (5e4, 5e4, 1, 0),
        (5e4, 5e4, 1e-3, 0),
        (0, 0, 1e-3, 0),
        (0, 0, 1, 1e7),
        (0, 1e14, 1, 0),
    ],
)
def test_hostile_values_do_not_spoil_the_others(
    in_series: float, in_query: float, scale: float, offset: float, head: int
) -> None:
    """Spikes, tiny scales and huge offsets leave every distance exact, also after a spike left the window."""
    series, query = walk(7, 700) * scale + offset, walk(8, 220) * scale + offset
    series[300] += in_series
    query[40] += in_query
    starts, distances = Join(series, 24, head).nearest(query)
    for row in range(0, starts.size, 3):
        expected = naive.distances_at_once(series, query[row : row + 24], head)
        assert distances[row] == pytest.approx(expected.min(), rel=1e-9)
        assert starts[row] == np.argmin(expected)


@pytest.mark.parametrize("head", [0, 6, 24])
@pytest.mark.parametrize("level", [0.0, 5.0, 0.1])
def test_ties_go_to_the_lowest_index(level: float, head: int) -> None:
    """In a series without any change every window is as near, and the first one is named."""
    join = Join(np.full(3 * PIECE, level), 24, head)
    starts, distances = join.nearest(walk(1, 60))
    assert (starts == 0).all()
    assert (distances > 0).all()
    assert join.nearest(np.full(60, level))[1].tolist() == [0.0] * 37


@pytest.mark.parametrize("head", [0, 6, 24])
def test_a_period_ties_with_itself_and_the_first_wins(head: int) -> None:
    """More ties than wait at a time are decided alike."""
    starts, _ = Join(np.tile(np.arange(4.0), 3 * PIECE), 24, head).nearest(np.tile(np.arange(4.0), 10))
    assert starts.tolist() == [row % 4 for row in range(17)]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0, 4, 12]), st.integers(1, 40), st.booleans())
def test_the_self_join_leaves_out_its_zone(seed: int, head: int, zone: int, stuck: bool) -> None:
    """Each window's nearest is the brute-force one at least ``zone`` bins away; a stuck stretch changes nothing."""
    series = with_gaps(np.round(walk(seed, 260), 1), seed, 0.01)
    series[:12] = 30.0
    if stuck:
        series[100:160] = 7.0
    starts, distances = Join(series, 12, head).self_nearest(zone)
    for row in range(249):
        expected = naive.distances_at_once(series, series[row : row + 12], head)
        expected[max(row - zone + 1, 0) : row + zone] = np.nan
        if np.isnan(expected).all():
            assert (starts[row], np.isnan(distances[row])) == (-1, True)
            continue
        assert distances[row] == pytest.approx(np.nanmin(expected), rel=1e-9, abs=1e-12)
        assert abs(starts[row] - row) >= zone
        assert expected[starts[row]] == pytest.approx(distances[row], rel=1e-9, abs=1e-12)


def test_a_stuck_series_joins_itself_at_distance_0() -> None:
    """The first window outside the zone is named: the series' first, or the one just after the zone."""
    starts, distances = Join(np.full(400, 3.0), 12).self_nearest(50)
    assert starts.tolist() == [0 if row >= 50 else row + 50 for row in range(389)]
    assert (distances == 0.0).all()


def test_a_zone_wider_than_the_series_leaves_nothing() -> None:
    """No window is far enough from any other."""
    starts, distances = Join(walk(1, 100), 12).self_nearest(200)
    assert (starts == -1).all()
    assert np.isnan(distances).all()


def test_a_query_shorter_than_a_window_has_no_rows() -> None:
    """Nothing to compare is no error."""
    starts, distances = Join(walk(1, 100), 12).nearest(walk(2, 11))
    assert starts.size == distances.size == 0


def test_a_lone_row_that_is_incomplete_has_no_nearest_window() -> None:
    """It is neither near nor far."""
    starts, distances = Join(walk(1, 500), 144).nearest(with_gaps(walk(2, 144), 1, 0.1))
    assert (starts.tolist(), np.isnan(distances).tolist()) == ([-1], [True])


@pytest.mark.parametrize("series", [np.zeros(0), np.ones(11), np.full(50, np.nan), np.tile([1.0, np.nan], 30)])
def test_a_series_without_a_complete_window_is_refused(series: Floats) -> None:
    """There is nothing that a query could be compared with."""
    with pytest.raises(InvalidInput, match="complete window"):
        Join(series, 12)


def test_windows_heads_and_zones_that_make_no_sense_are_refused() -> None:
    """The message names what was asked for."""
    for window, head in ((0, 0), (12, 13), (12, -1)):
        with pytest.raises(InvalidInput, match=f"{window} bins with a head of {head}"):
            Join(walk(1, 100), window, head)
    with pytest.raises(InvalidInput, match="zone of 0"):
        Join(walk(1, 100), 12).self_nearest(0)


@pytest.mark.slow
@pytest.mark.xdist_group("stumpy")
def test_distances_agree_with_stumpy() -> None:
    """Joins and self-joins are STUMPY's non-normalised ones to 1e-6, batch and streaming."""
    import stumpy
    from stumpy import config

    series, stream = walk(5, 3000), walk(6, 600)
    join = Join(series, 144)
    joined = stumpy.aamp(stream, 144, series, ignore_trivial=False)[:, 0].astype(np.float64)
    assert join.nearest(stream)[1] == pytest.approx(joined, rel=1e-6)

    before = config.STUMPY_EXCL_ZONE_DENOM
    config.STUMPY_EXCL_ZONE_DENOM = 1
    try:
        alone = stumpy.aamp(series, 144)[:, 0].astype(np.float64)
    finally:
        config.STUMPY_EXCL_ZONE_DENOM = before
    assert join.self_nearest(145)[1] == pytest.approx(alone, rel=1e-6)

    streaming = stumpy.aampi(series, m=144, egress=False)
    for value in stream[:20]:
        streaming.update(value)
    grown = np.concatenate((series, stream[:20]))
    left = [Join(grown[: end - 36], 144).nearest(grown[end - 144 : end])[1][0] for end in range(3001, 3021)]
    assert left == pytest.approx(streaming.left_P_[-20:].astype(np.float64), rel=1e-6)
