"""Series: samples as they are, in pages; or buckets that hide no peak."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.detection.channels import Channel
from shared.domain.series_bodies import DeviationBucketsBody, DeviationsBody, ReadingBucketsBody, ReadingsBody
from shared.domain.tsd import BUCKET, iso, to_datetime64
from shared.domain.validation import ASKED_MOMENT_PATTERN
from shared.errors import InvalidInput, NotFound
from shared.usecases.queries.series import MOST_POINTS, BucketGrid, Resolution, SeriesQueries, TimeRange, moment
from tests.support.examples import DAY, NOW, at, document, history, noise, platform, quiet_baseline, template
from tests.support.fakes import World

TEMPLATE = template()
SENSOR = "troll-a-1"
DIGITS_7 = 5.1e-7
RAW = Resolution.parse("raw")


def series(values: np.ndarray | None = None, most: int = 1000) -> SeriesQueries:
    """Return the use case on a world with one scored day."""
    world = World()
    world.registry.add(platform(TEMPLATE))
    world.baselines.put(SENSOR, quiet_baseline())
    world.registry.histories.set(SENSOR, history(SENSOR, quiet_baseline().version, DAY))
    shown = noise(1) if values is None else values
    world.lake.cells.set((TEMPLATE.id, DAY), document(TEMPLATE, DAY, s1=shown, s2=noise(2)))
    world.detect.run("troll", TEMPLATE.id, DAY)
    return SeriesQueries(registry=world.registry, deviations=world.deviations, most_samples=most)


def span(start: str | None = None, end: str | None = None) -> TimeRange:
    """Return a range as a request gives it: a week by default, a year at most."""
    return TimeRange.parse(start, end, NOW, timedelta(days=7), timedelta(days=366))


def test_samples_are_cut_to_the_range() -> None:
    """The start belongs to the range, the end does not."""
    found = series().readings(SENSOR, TimeRange(at(DAY, 6), at(DAY, 7)), RAW, None)
    assert isinstance(found, ReadingsBody)
    assert found.times == [iso(at(DAY, 6) + n * BUCKET) for n in range(6)]
    assert found.ppmv == [float(f"{one:.7g}") for one in noise(1)[36:42]]
    assert found.continuation is None


def test_an_empty_range_has_empty_columns() -> None:
    """A sensor without data in the range is no error."""
    found = series().scores(SENSOR, TimeRange(at(DAY, -48), at(DAY, -24)), RAW, None)
    assert isinstance(found, DeviationsBody)
    assert (found.times, found.score, found.level, found.fault) == ([], [], [], [])


def test_pages_are_the_whole_in_order() -> None:
    """Page after page gives what one large page gives, nothing twice; the last one has no continuation."""
    day = TimeRange(at(DAY), at(DAY, 24))
    whole, small = series().readings(SENSOR, day, RAW, None), series(most=37)
    times: list[str] = []
    continuation: str | None = None
    for page in range(1, 5):
        found = small.readings(SENSOR, day, RAW, continuation)
        assert isinstance(found, ReadingsBody)
        times, continuation = times + found.times, found.continuation
        assert (continuation is None) == (page == 4)
    assert isinstance(whole, ReadingsBody)
    assert times == whole.times


@pytest.mark.parametrize("continuation", ["soon", "2026-03-01T", "2030-01-01T00:00:00Z", "-1"])
def test_a_continuation_of_another_request_is_refused(continuation: str) -> None:
    """Only what an answer gave goes on."""
    with pytest.raises(InvalidInput, match="continuation: "):
        series().readings(SENSOR, TimeRange(at(DAY), at(DAY, 24)), RAW, continuation)
    with pytest.raises(InvalidInput, match="continuation: buckets"):
        series().scores(SENSOR, TimeRange(at(DAY), at(DAY, 24)), Resolution.parse("1h"), continuation)


def test_no_peak_disappears() -> None:
    """One sample far up in a day is the day's largest, and one far down its least."""
    values = noise(1)
    values[50], values[90] = 400.0, 0.5
    found = series(values).readings(SENSOR, TimeRange(at(DAY), at(DAY, 24)), Resolution.parse("1d"), None)
    assert isinstance(found, ReadingBucketsBody)
    assert (found.times, found.min, found.max, found.samples) == ([iso(at(DAY))], [0.5], [400.0], [144])


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.one_of(st.floats(0, 1000), st.just(float("nan"))), min_size=144, max_size=144),
    first=st.integers(0, 1400),
    minutes=st.integers(1, 3000),
    text=st.one_of(st.sampled_from(["1h", "1d"]), st.integers(1, 300).map(str)),
)
def test_buckets_are_what_a_loop_finds(values: list[float], first: int, minutes: int, text: str) -> None:
    """Against a loop over samples: each bucket holds its samples' least, mean and largest, and counts them."""
    asked = TimeRange(at(DAY) + timedelta(minutes=first), at(DAY) + timedelta(minutes=first + minutes))
    resolution = Resolution.parse(text)
    found = series(np.array(values)).readings(SENSOR, asked, resolution, None)
    assert isinstance(found, ReadingBucketsBody)
    width = timedelta(seconds=found.bucket_seconds)
    starts = [datetime.fromisoformat(one) for one in found.times]
    held: list[list[float]] = [[] for _ in starts]
    for slot, value in enumerate(values):
        moment = at(DAY) + slot * BUCKET
        if asked.start <= moment < asked.end and np.isfinite(value):
            (index,) = [n for n, start in enumerate(starts) if start <= moment < start + width]
            held[index].append(value)
    assert found.samples == [len(one) for one in held]
    for least, mean, largest, one in zip(found.min, found.mean, found.max, held, strict=True):
        assert least == (pytest.approx(min(one), rel=DIGITS_7) if one else None)
        assert mean == (pytest.approx(sum(one) / len(one), rel=DIGITS_7, abs=1e-4) if one else None)
        assert largest == (pytest.approx(max(one), rel=DIGITS_7) if one else None)
    assert starts[0] <= asked.start
    assert starts[-1] < asked.end <= starts[-1] + width
    assert resolution.points is None or len(starts) <= resolution.points


def test_score_buckets_count_what_the_samples_say() -> None:
    """A day's counts are those of its rows, its level the worst of them."""
    values = noise(1)
    values[100:] += 60
    asked, day = series(values), TimeRange(at(DAY), at(DAY, 24))
    raw = asked.scores(SENSOR, day, RAW, None)
    found = asked.scores(SENSOR, day, Resolution.parse("1d"), None)
    assert isinstance(raw, DeviationsBody)
    assert isinstance(found, DeviationBucketsBody)
    counts = {"Ok": found.ok, "Warning": found.warning, "Critical": found.critical, "Undefined": found.undefined}
    assert counts == {word: [raw.level.count(word)] for word in counts}
    assert found.level == ["Critical"]
    assert found.max == [max(one for one in raw.score if one is not None)]
    assert found.faulty == [sum(one is not None for one in raw.fault)]


def test_scores_say_which_channel_spoke() -> None:
    """Sample by sample as the row has it, and none where there is no score."""
    values = noise(1)
    values[100:] += 60
    asked = series(values)
    found = asked.scores(SENSOR, TimeRange(at(DAY), at(DAY, 24)), RAW, None)
    assert isinstance(found, DeviationsBody)
    (row,) = asked.deviations.range(SENSOR, DAY, DAY)
    assert found.channel == [None if one < 0 else Channel(one).word for one in row.channel.tolist()]
    assert found.channel[0] is None
    assert "level" in found.channel[100:]


def test_what_the_latch_holds_is_drawn_beside_what_the_sensor_says() -> None:
    """Where a rise is over and its alarm is held, and nowhere else."""
    values = noise(1)
    values[60:80] += 60
    asked = series(values)
    curve = asked.of_template(TEMPLATE.id, TimeRange(at(DAY), at(DAY, 24)), 144).sensors[0]
    (row,) = asked.deviations.range(SENSOR, DAY, DAY)
    held = np.isfinite(row.raw) & (np.abs(row.raw - row.score) > 1e-3)
    assert held.any()
    assert [one is not None for one in curve.raw] == held.tolist()
    for said, shown in zip(np.array(curve.raw)[held], np.array(curve.score)[held], strict=True):
        assert said < shown


def test_hours_begin_with_utcs_and_points_with_the_range() -> None:
    """Whoever asks for hours from 06:30 gets the hour from 06:00, but only its samples from 06:30."""
    asked = TimeRange(at(DAY, 6.5), at(DAY, 8))
    hours = BucketGrid.over(asked, Resolution.parse("1h"))
    assert hours.times.tolist() == [at(DAY, hour).replace(tzinfo=None) for hour in (6, 7)]
    found = series().readings(SENSOR, asked, Resolution.parse("1h"), None)
    assert isinstance(found, ReadingBucketsBody)
    assert found.samples == [3, 6]
    assert BucketGrid.over(asked, Resolution.parse("2")).times[0] == to_datetime64(asked.start)


@pytest.mark.parametrize(
    "text", ["", "0", "10001", "-1", "1.5", "٣", "2h", "raw ", "1e3", "007", "raw\n", "99999999999999999999"]
)
def test_a_wrong_resolution_is_refused(text: str) -> None:
    """What may be asked for is said."""
    with pytest.raises(InvalidInput, match="resolution: must be raw, 1h, 1d or a number of points"):
        Resolution.parse(text)


def test_every_number_of_points_up_to_the_most_is_taken() -> None:
    """The pattern that the contract shows is the range that the message names."""
    assert all(Resolution.parse(str(points)).points == points for points in range(1, MOST_POINTS + 1))
    with pytest.raises(InvalidInput, match=f"1, {MOST_POINTS}"):
        Resolution.parse(str(MOST_POINTS + 1))


@pytest.mark.parametrize("sensor", ["troll-a-9", "troll-b-1", "snorre-a-1"])
def test_a_sensor_that_is_not_there_has_no_series(sensor: str) -> None:
    """It is not found, rather than empty."""
    with pytest.raises(NotFound):
        series().readings(sensor, TimeRange(at(DAY), at(DAY, 1)), RAW, None)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("soon", None, "from: must be ISO 8601"),
        (None, "2026-03-01T00:00:00 00:00", "to: must be ISO 8601, such as 2026-01-31T12:00:00Z or 2026-01-31, not"),
        ("20260301", None, "from: must be ISO 8601"),
        ("2026-03-01T", None, "from: must be ISO 8601"),
        ("2026-03", None, "from: must be ISO 8601"),
        ("NaT", None, "from: must be ISO 8601"),
        ("1772323200", None, "from: must be ISO 8601"),
        ("2026-02-30", None, "from: .*day"),
        ("2026-02-30T00:00:00Z", None, "from: .*day"),
        ("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", "from: must be before to"),
        ("2020-03-02T00:00:00Z", None, "at most 366 days"),
        ("0001-01-01T00:00:00+14:00", None, "from: must be between 1971"),
        (None, "9999-12-31T23:59:59-14:00", "to: must be between 1971"),
    ],
)
def test_a_wrong_range_is_refused_by_name(start: str | None, end: str | None, words: str) -> None:
    """The message says which of the two is wrong and what is expected."""
    with pytest.raises(InvalidInput, match=words):
        span(start, end)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01",
        "2026-03-01T00:00",
        "2026-03-01 00:00:00",
        "2026-03-01T00:00:00",
        "2026-03-01 00:00:00+00:00",
        "2026-03-01T00:00:00.000000000",
        "2026-03-01 02:00:00+02:00",
        "2026-03-01T00:00:00Z",
    ],
)
def test_a_time_is_taken_as_programs_write_it(text: str) -> None:
    """A date is its midnight, and what has no zone is UTC: as str() and isoformat() of a pandas.Timestamp are."""
    assert moment("from", text) == datetime(2026, 3, 1, tzinfo=UTC)
    assert re.search(ASKED_MOMENT_PATTERN, text)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_for_a_range_is_a_range_or_refused(start: str, end: str) -> None:
    """No text makes another error than InvalidInput."""
    try:
        found = span(start, end)
    except InvalidInput:
        return
    assert found.start < found.end


@given(st.integers(0, 2**32))
def test_a_moment_is_read_as_it_was_written(seconds: int) -> None:
    """In UTC, to the second."""
    when = datetime(1972, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert moment("from", iso(when)) == when
