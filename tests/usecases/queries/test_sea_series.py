"""The sea over time: in the project's units, a direction as a compass means it, nothing made up where it is silent."""

from datetime import timedelta

import pytest

from shared.domain.series_bodies import SeaBucketsBody
from shared.domain.tsd import SLOTS, SeriesDay, start_of
from shared.errors import InvalidInput, NotFound
from shared.usecases.queries.sea_series import SeaQueries
from shared.usecases.queries.series import TimeRange
from tests.support.examples import DAY, at, document, noise, platform, template
from tests.support.fakes import World

TEMPLATE = template()


def asked(speed: list[float | None], direction: list[float | None], points: int, span: TimeRange) -> SeaBucketsBody:
    """Return the sea of a day whose currents [cm/s, degrees] repeat."""
    world = World()
    world.registry.add(platform(TEMPLATE))
    values = {"current_speed": ("SPEED", "cm/s", speed), "current_direction": ("DIRECTION", "deg", direction)}
    sea = {
        name: SeriesDay(
            tag=tag,
            unit=unit,
            until=start_of(DAY) + timedelta(days=1),
            values=tuple(numbers[slot % len(numbers)] for slot in range(SLOTS)),
            counts=tuple(int(numbers[slot % len(numbers)] is not None) for slot in range(SLOTS)),
        )
        for name, (tag, unit, numbers) in values.items()
    }
    day = document(TEMPLATE, DAY, s1=noise(1)).model_copy(update={"environment": sea})
    world.lake.cells.set((TEMPLATE.id, DAY), day)
    return SeaQueries(lake=world.lake, registry=world.registry, longest=timedelta(days=3)).run("troll-a", span, points)


def test_it_is_in_metres_per_second_and_as_fine_as_asked_for() -> None:
    """Every bucket of a day, or the mean of each hour; what no series is registered for is null."""
    day = TimeRange(at(DAY), at(DAY, 24))
    found = asked([10.0, 20.0], [90.0], 1000, day)
    assert (found.bucket_seconds, len(found.times), found.times[0]) == (600, SLOTS, "2026-03-01T00:00:00Z")
    assert found.current_speed_m_s[:2] == [0.1, 0.2]
    assert set(found.wave_height_m) == set(found.temperature_c) == {None}
    hourly = asked([10.0, 20.0], [90.0], 24, day)
    assert (hourly.bucket_seconds, hourly.current_speed_m_s) == (3600, [0.15] * 24)


def test_a_mean_direction_is_that_of_the_water() -> None:
    """Between 350 and 10 degrees it flows north, not south; the stronger current counts for more."""
    day = TimeRange(at(DAY), at(DAY, 24))
    (north,) = asked([10.0], [350.0, 10.0], 1, day).current_direction_deg
    assert north in (pytest.approx(0.0, abs=1e-3), pytest.approx(360.0, abs=1e-3))
    (east,) = asked([30.0, 10.0], [90.0, 270.0], 1, day).current_direction_deg
    assert east == pytest.approx(90.0)


def test_what_was_not_measured_is_null() -> None:
    """A current without a direction has none, and a day that the lake does not hold has nothing."""
    found = asked([10.0], [None, 90.0], 1000, TimeRange(at(DAY, 23), at(DAY, 25)))
    assert found.current_direction_deg == [None, 90.0] * 3 + [None] * 6
    assert found.current_speed_m_s == [0.1] * 6 + [None] * 6


def test_only_so_much_is_read_at_once() -> None:
    """A day is a blob: the bound is said."""
    with pytest.raises(InvalidInput, match="at most 3 days"):
        asked([10.0], [90.0], 10, TimeRange(at(DAY), at(DAY, 73)))
    with pytest.raises(NotFound):
        SeaQueries(lake=World().lake, registry=World().registry, longest=timedelta(days=3)).run(
            "troll-b", TimeRange(at(DAY), at(DAY, 1)), 1
        )
