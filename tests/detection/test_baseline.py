"""The baseline: built from whatever history there is, and stored without losing a bit."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.arrays import Floats
from shared.detection import Baseline, Rates, build_baseline, detect
from shared.errors import CorruptBlob, InvalidInput, NewerSchema, OtherEngine
from tests.support.examples import quiet_baseline
from tests.support.sensor_readings import DAY, STEP, leak, quiet, times, walk, with_gaps

DAYS = 8
SIZE = DAYS * DAY


def put(ppmv: Floats, place: slice, value: float) -> Floats:
    """Return the readings with a value put in there."""
    changed = ppmv.copy()
    changed[place] = value
    return changed


HISTORIES = {
    "usual": quiet(1, SIZE),
    "three days": quiet(1, 3 * DAY),
    "with gaps": put(put(quiet(1, SIZE), slice(100, 140), np.nan), slice(700, 760), np.nan),
    "with sentinels": put(quiet(1, SIZE), slice(50, 900, 40), 1e14),
    "with negatives": put(quiet(1, SIZE), slice(50, 900, 40), -3.0),
    "with a stuck stretch": put(quiet(1, SIZE), slice(300, 500), 11.0),
    "by exception": put(put(quiet(1, SIZE), slice(1, None, 3), np.nan), slice(2, None, 3), np.nan),
    "40 % missing": with_gaps(quiet(1, SIZE), 1, 0.4),
    "constant": np.full(SIZE, 10.0),
    "zeros": np.zeros(SIZE),
    "nearly nothing": 1e-300 * np.arange(SIZE),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_every_history_gives_levels_that_can_be_used(name: str) -> None:
    """Usual days are no alarm where the history was usual, and a leak is found."""
    history = HISTORIES[name]
    baseline = build_baseline(times(history.size), history)
    known = history[np.isfinite(history)]
    usual = float(np.median(known[known < 1e5])) + quiet(2, 4 * DAY) - 10.0
    spread = np.abs(usual)
    spread[2 * DAY :] += leak(60.0, 2 * DAY, 10, 2 * DAY)
    found = detect(baseline, times(spread.size), spread)
    assert (found.level[2 * DAY + 24 :] == 2).all()
    if name not in ("constant", "zeros", "nearly nothing"):
        assert (found.level[DAY : 2 * DAY] == 0).all()


@pytest.mark.parametrize(
    "history",
    [
        np.zeros(0),
        quiet(1, 1),
        quiet(1, 2 * DAY - 1),
        np.full(SIZE, np.nan),
        np.full(SIZE, 1e14),
        put(quiet(1, SIZE), slice(0, None, 2), -1.0)[:200],
        put(quiet(1, 3 * DAY), slice(100, 200), np.nan),
    ],
    ids=["empty", "one", "two days less a bucket", "missing", "sentinels", "short and bad", "gap in three days"],
)
def test_too_short_a_history_is_refused(history: Floats) -> None:
    """The message says how much there was."""
    with pytest.raises(InvalidInput, match=r"buckets|complete window"):
        build_baseline(times(history.size), history)


def test_two_days_are_enough() -> None:
    """A day and the day after it are two windows a day apart."""
    baseline = build_baseline(times(2 * DAY), quiet(1, 2 * DAY))
    assert np.flatnonzero(~np.isnan(baseline.profile)).tolist() == [0, DAY]
    ppmv = quiet(2, 2 * DAY) + leak(60.0, 2 * DAY, DAY, 2 * DAY)
    assert detect(baseline, times(ppmv.size), ppmv).level[-1] == 2


def test_a_stuck_stretch_is_not_learnt() -> None:
    """It is left out of what windows are compared with, as long as others remain."""
    baseline = build_baseline(times(SIZE), HISTORIES["with a stuck stretch"])
    assert np.isnan(baseline.ppmv[320:500]).all()
    assert not np.isnan(build_baseline(times(SIZE), HISTORIES["constant"]).ppmv).any()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_a_history_in_any_order_is_the_same_baseline(seed: int) -> None:
    """Shuffled samples give the same version."""
    order = np.random.default_rng(seed).permutation(3 * DAY)
    history = with_gaps(walk(seed, 3 * DAY), seed, 0.01)
    expected = build_baseline(times(history.size), history)
    assert build_baseline(times(history.size)[order], history[order]).version == expected.version


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_baselines_survive_storage(seed: int) -> None:
    """Bytes and back give the same bytes, version and scores."""
    history = with_gaps(walk(seed, 3 * DAY), seed, 0.01)
    baseline = build_baseline(times(history.size), history, Rates(2.0, 0.3))
    again = Baseline.from_bytes(baseline.to_bytes())
    assert again.to_bytes() == baseline.to_bytes()
    assert (again.version, again.rates, again.hold_bins) == (baseline.version, Rates(2.0, 0.3), baseline.hold_bins)
    np.testing.assert_array_equal(again.times, times(history.size))
    ppmv = walk(seed + 1, 2 * DAY)
    one, other = (detect(each, times(ppmv.size), ppmv) for each in (baseline, again))
    assert one.score.tobytes() == other.score.tobytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, rates=Rates(1.0, 0.2)),
        lambda one: replace(one, start=one.start + STEP),
        lambda one: replace(one, ppmv=put(one.ppmv, slice(7, 8), np.nextafter(one.ppmv[7], 0))),
        lambda one: replace(one, noise=np.nextafter(one.noise, 0)),
        lambda one: replace(one, hold_bins=36),
        lambda one: replace(one, profile=one.profile * 2),
    ],
    ids=["rates", "start", "reading", "noise", "hold", "profile"],
)
def test_another_content_is_another_version(change: Callable[[Baseline], Baseline]) -> None:
    """Nothing that matters to a score is left out of the version, nor lost in storage."""
    changed = change(quiet_baseline())
    assert changed.version != quiet_baseline().version
    assert Baseline.from_bytes(changed.to_bytes()).version == changed.version


def with_header(**changes: object) -> bytes:
    """Return the quiet baseline's bytes with these entries of its header changed (None: taken away)."""
    magic, line, arrays = quiet_baseline().to_bytes().split(b"\n", 2)
    header = {key: value for key, value in (json.loads(line) | changes).items() if value is not None}
    return b"\n".join((magic, json.dumps(header).encode(), arrays))


def stored() -> bytes:
    """Return the quiet baseline's bytes."""
    return quiet_baseline().to_bytes()


@pytest.mark.parametrize(
    "damaged",
    [
        lambda: b"",
        lambda: stored()[:10],
        lambda: stored()[:40],
        lambda: stored()[:-1],
        lambda: stored()[:-8],
        lambda: stored() + bytes(8),
        lambda: b"x" + stored(),
        lambda: stored().replace(b"baseline 2", b"baseline 1"),
        lambda: stored().replace(b"{", b"\xff", 1),
        lambda: stored().split(b"\n")[0] + b"\n[]\n",
        lambda: stored().split(b"\n")[0] + b"\n7\n",
        lambda: with_header(start=None),
        lambda: with_header(start="yesterday"),
        lambda: with_header(samples=-1),
        lambda: with_header(samples="many"),
        lambda: with_header(samples=float("inf")),
        lambda: with_header(samples=1),
        lambda: with_header(hold_bins=float("inf")),
        lambda: with_header(noise=[]),
        lambda: with_header(rates=[1.0]),
        lambda: with_header(rates=[0.1, 1.0]),
        lambda: with_header(rates=["a", "b"]),
        lambda: with_header(channels=None),
        lambda: with_header(channels="day"),
        lambda: with_header(channels=7),
    ],
)
def test_a_damaged_baseline_is_refused(damaged: Callable[[], bytes]) -> None:
    """Truncated, lengthened or foreign bytes are a CorruptBlob, not a wrong baseline."""
    with pytest.raises(CorruptBlob, match="baseline cannot be read"):
        Baseline.from_bytes(damaged())


@pytest.mark.parametrize("channels", [[], [{"name": "day"}]])
def test_a_baseline_of_other_channels_is_another_engines(channels: list[object]) -> None:
    """It is not broken: who made it could read it."""
    with pytest.raises(OtherEngine, match="made for the channels"):
        Baseline.from_bytes(with_header(channels=channels))


def content(one: Baseline) -> tuple[object, ...]:
    """Return all that a baseline consists of."""
    return one.start, one.ppmv.tobytes(), one.hold_bins, one.noise, one.rates, one.profile.tobytes()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 900), st.integers(1, 255))
def test_no_damage_to_the_content_goes_unnoticed(place: int, flipped: int) -> None:
    """Bytes with one changed are refused, or another version than the name that they are stored under."""
    data = bytearray(stored())
    data[place] ^= flipped
    try:
        found = Baseline.from_bytes(bytes(data))
    except (CorruptBlob, NewerSchema, OtherEngine):
        return
    assert found.version != quiet_baseline().version
