"""The bench's own physics: what a truth must obey, and that it stands near the forward model where both hold."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from bench.estimation import family
from bench.estimation.box import Box, Hull, box_readings
from bench.estimation.cells import COUNT
from bench.estimation.puffs import puff_concentration, puff_readings
from bench.estimation.sea import kg_m3_per_ppmv, span_of
from bench.estimation.train import PlumeParameters
from shared.arrays import Floats
from shared.domain.environment import Environment
from shared.domain.leak import Leak
from shared.domain.template import Template
from shared.simulation import simulate
from tests.support.examples import template

START = np.datetime64("2026-01-01T00:00:00", "s")
TIMES = START + np.arange(73) * np.timedelta64(600, "s")
ONSET = datetime(2026, 1, 1, 2, 5, tzinfo=UTC)
PLACE = (-3.0, 0.5, 2.0)
STEADY = PlumeParameters(
    roughness_m=1e-3,
    meander=0.0,
    residual_m_s=0.0,
    memory_s=200.0,
    eddies=1.0,
    flatness=2.0,
    size_m=0.25,
    rise_m=0.0,
    rise_time_s=60.0,
    bubble_share=0.0,
    phase=0.0,
)
HULL = Hull(through=0.6, leaky=0.04, stirring=0.1)


def sea(speed: float = 0.1, towards: float = 90.0) -> Environment:
    """Return a steady current."""
    size = TIMES.size
    return Environment.of(TIMES, current_speed=np.full(size, speed), current_direction=np.full(size, towards))


def turning() -> Environment:
    """Return a current that turns around once in 12 h."""
    hours = np.arange(TIMES.size) / 6
    return Environment.of(TIMES, current_speed=np.full(TIMES.size, 0.08), current_direction=30 * hours % 360)


def semi(**changes: object) -> Template:
    """Return a template with two walls that are open in part."""
    walls = {"fore": 0.3, "aft": 0.3, "port": 0.0, "starboard": 0.0}
    return Template.model_validate(template().model_dump() | {"porosity": walls, "roof": True} | changes)


def turned(one: Template, by: float) -> Template:
    """Return the template with another heading."""
    return one.model_copy(update={"angle_from_north": by})


def puffs(one: Template, environment: Environment, rate: float = 1e-5, seed: int = 1) -> Floats:
    """Return the readings of one leak."""
    return puff_readings(one, environment, PLACE, rate, ONSET, TIMES, np.random.default_rng(seed))


def boxed(one: Template, environment: Environment, rate: float = 1e-5, seed: int = 1) -> Floats:
    """Return the readings of one leak inside."""
    rng = np.random.default_rng(seed)
    return box_readings(one, environment, PLACE, rate, ONSET, TIMES, family.drawn(rng), rng)


READINGS = pytest.mark.parametrize(("read", "one"), [(puffs, template()), (boxed, semi())], ids=["puffs", "box"])


@pytest.mark.parametrize(
    ("speed", "parameters"), [(0.05, STEADY), (0.3, replace(STEADY, bubble_share=0.4, rise_m=1.5))]
)
def test_what_leaks_passes_a_plane_downstream(speed: float, parameters: PlumeParameters) -> None:
    """Concentration times the logarithmic current over the plane is the rate."""
    span = span_of(START + np.arange(7) * np.timedelta64(600, "s"), START, 7200.0)
    flow = np.stack([np.full(span.steps.size, speed), np.zeros(span.steps.size)])
    across, up = np.arange(-8, 8.01, 1.0), np.arange(0.05, 14, 0.5)
    plane = np.array([[6.0, y, z] for y in across for z in up])
    found = puff_concentration(plane, (0.0, 0.0, 3.0), flow, span, parameters, np.random.default_rng(1))[:, -1]
    current = speed * np.log(plane[:, 2] / parameters.roughness_m) / np.log(3 / parameters.roughness_m)
    assert (found * current).sum() * 1.0 * 0.5 == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize("residual_m_s", [0.0, 0.0004, 0.004])
def test_puffs_hold_what_was_released(residual_m_s: float) -> None:
    """In slack water all gas is within a few metres, reflected by the seabed."""
    span = span_of(START + np.arange(2) * np.timedelta64(600, "s"), START + np.timedelta64(300, "s"), 7200.0)
    axis, up = np.arange(-6, 6.01, 0.4), np.arange(0.2, 6, 0.4)
    points = np.array([[x, y, z] for x in axis for y in axis for z in up])
    still, quiet = np.zeros((2, span.steps.size)), replace(STEADY, residual_m_s=residual_m_s)
    found = puff_concentration(points, (0.0, 0.0, 0.3), still, span, quiet, np.random.default_rng(1))[:, -1]
    released = np.arange(60, 301, 60).sum() / 10  # s, the mean of the 10 minutes: half without a leak, half with
    assert found.sum() * 0.4**2 * 0.4 == pytest.approx(released, rel=0.03)


@READINGS
def test_readings_are_linear_in_the_rate(read: object, one: Template) -> None:
    """For the same random numbers."""
    assert callable(read)
    np.testing.assert_allclose(read(one, turning(), 3e-5), 3 * read(one, turning(), 1e-5), rtol=1e-12)
    assert not np.array_equal(read(one, turning(), seed=2), read(one, turning(), seed=1))


@READINGS
def test_nothing_is_read_before_the_onset(read: object, one: Template) -> None:
    """And something after it."""
    assert callable(read)
    readings = read(one, turning())
    after = np.datetime64(ONSET.replace(tzinfo=None), "s") < TIMES
    assert (readings[:, ~after] == 0).all()
    assert readings[:, after].max() > 1


@READINGS
def test_turning_template_and_current_together_changes_nothing(read: object, one: Template) -> None:
    """Physics knows no north."""
    assert callable(read)
    plain = read(one, turning())
    sea_turned = Environment.of(
        TIMES, current_speed=turning().current_speed, current_direction=(turning().current_direction + 111) % 360
    )
    np.testing.assert_allclose(read(turned(one, 111.0), sea_turned), plain, rtol=1e-6, atol=1e-9)


@READINGS
@pytest.mark.parametrize("environment", [sea(0.0), sea(0.0, np.nan), Environment.of(TIMES)], ids=["0", "0?", "none"])
def test_readings_are_finite_in_slack_water_and_without_a_record(
    read: object, one: Template, environment: Environment
) -> None:
    """A leak stays near and is read."""
    assert callable(read)
    readings = read(one, environment)
    assert np.isfinite(readings).all()
    assert 1 < readings.max() < 1e5


@pytest.mark.parametrize(
    ("speed", "away"),
    [
        (0.08, 8.0),
        *(pytest.param(*one, marks=pytest.mark.statistical) for one in ((0.08, 5.0), (0.25, 5.0), (0.25, 8.0))),
    ],
)
def test_a_steady_plume_is_near_the_forward_models(speed: float, away: float) -> None:
    """On its axis, in the mean of 16 natures: within a factor of 2."""
    one = template(sensors=1)
    sensor = one.sensors[0]
    place = (sensor.x - away, sensor.y, sensor.z)
    leak = Leak(x=place[0], y=place[1], z=place[2], rate_kg_s=1e-5, onset=ONSET)
    theirs = simulate(one, sea(speed), leak, TIMES)[0, -1]
    ours = [
        puff_readings(one, sea(speed), place, 1e-5, ONSET, TIMES, np.random.default_rng(seed))[0, -12:].mean()
        for seed in range(16)
    ]
    assert 0.5 < np.mean(ours) / theirs < 2


def test_in_the_end_the_box_gives_off_what_it_is_given() -> None:
    """Through walls and eddies; the same amount of water enters and leaves."""
    box, current = Box(semi(roof=False), HULL), np.array([0.03, 0.08])
    held = np.zeros(COUNT)
    for _ in range(3000):
        held = box.after(held, box.cell(PLACE), 1.0, current)
    assert held.min() >= 0
    assert box.leaving(current) @ held == pytest.approx(1.0, rel=1e-3)
    assert box.inflow(current).sum() == pytest.approx(0.0, abs=1e-12)


def test_an_even_concentration_stays_even_inside_but_for_what_enters() -> None:
    """The flow inside neither gathers nor thins gas: the loss is what leaves."""
    box, current = Box(semi(), HULL), np.array([-0.02, 0.1])
    even = np.ones(COUNT)
    lost = box.cell_volume * (even - box.after(even, 0, 0.0, current)).sum() / 30
    assert lost == pytest.approx(float(box.leaving(current).sum()), rel=0.05)
    flow = box.faces.flow @ (box.inflow(current) @ box.spread)
    net = np.bincount(box.faces.upper, flow, COUNT) - np.bincount(box.faces.lower, flow, COUNT)
    np.testing.assert_allclose(net, -box.inflow(current) @ box.spread, atol=1e-9)


def test_a_wider_opening_lets_more_out() -> None:
    """So the readings inside fall."""
    walls = {"fore": 0.6, "aft": 0.6, "port": 0.0, "starboard": 0.0}
    assert boxed(semi(porosity=walls), sea(0.1, 0))[0, -1] < 0.8 * boxed(semi(), sea(0.1, 0))[0, -1]


def test_ppmv_falls_with_solubility_and_rises_with_depth() -> None:
    """2.715e-8 kg/m3 at 6 degrees Celsius; about 5 % less at 317 m."""
    at = np.array([0.0])
    six, eight = (Environment.of([START], temperature=[warm]) for warm in (6.0, 8.0))
    assert kg_m3_per_ppmv(six, 0.0, at)[0] == pytest.approx(2.715e-8)
    assert kg_m3_per_ppmv(six, 317.0, at)[0] / 2.715e-8 == pytest.approx(0.95, abs=0.01)
    assert kg_m3_per_ppmv(eight, 0.0, at)[0] < 2.6e-8
