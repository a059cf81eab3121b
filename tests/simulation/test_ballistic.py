"""The plume whose clouds grow in proportion to their way: what it must obey, and the slowness of a restless current."""

from dataclasses import replace

import numpy as np
import pytest

from shared.arrays import Floats
from shared.simulation.ballistic import unit_clouds, variances
from shared.simulation.harmonics import concentration
from shared.simulation.physics import Physics
from shared.simulation.plume import Flow, direction_variance, mean_slowness

BALLISTIC = Physics(closure="ballistic")
SPREADS = pytest.mark.parametrize("intensity", [0.09, 0.17, 0.32])


@pytest.mark.parametrize("speed", [0.0, 0.003, 0.02, 0.1, 0.4])
def test_the_slowness_is_the_mean_over_what_remains_at_slack_water(speed: float) -> None:
    """Against a sum over the residual motion; finite at rest, one over the speed in a strong current."""
    sigma = BALLISTIC.residual_m_s
    radius = np.linspace(0, 12, 4001)[1:] * sigma  # of the whole speed
    angle = (np.arange(720) + 0.5) * 2 * np.pi / 720
    away = radius[:, None] ** 2 + speed**2 - 2 * radius[:, None] * speed * np.cos(angle)
    if speed < 10 * sigma:
        # density of a speed r is r / 2 pi sigma^2 exp(-away / 2 sigma^2) over the angles; one over it leaves no r
        expected = np.exp(-away / (2 * sigma**2)).mean(axis=1).sum() * (radius[1] - radius[0]) / sigma**2
        assert mean_slowness(np.array([speed]), BALLISTIC)[0] == pytest.approx(expected, rel=2e-3)
    else:
        assert mean_slowness(np.array([speed]), BALLISTIC)[0] == pytest.approx(1 / speed, rel=0.01)


def test_the_slowness_has_no_step_where_its_series_begins() -> None:
    """Bessel's function and its series meet."""
    speed = 2 * BALLISTIC.residual_m_s * np.sqrt(30.0)
    below, above = mean_slowness(speed * np.array([1 - 1e-6, 1 + 1e-6]), BALLISTIC)
    assert above == pytest.approx(below, rel=1e-5)


@SPREADS
def test_clouds_grow_as_taylor_says(intensity: float) -> None:
    """In proportion to a short way, and with the root of a long one."""
    physics = replace(BALLISTIC, intensity=intensity, cloud_m=1e-2)
    short, long = 0.01 * physics.eddy_m, np.array([1000.0, 1001.0]) * physics.eddy_m
    grown = variances(np.array(short), physics)[0] - physics.cloud_m**2
    assert np.sqrt(grown) == pytest.approx(intensity * short, rel=0.01)
    wide = variances(long, physics)[0]
    assert wide[1] - wide[0] == pytest.approx(2 * intensity**2 * physics.eddy_m**2, rel=1e-6)


@SPREADS
@pytest.mark.parametrize("downstream", [3.0, 10.0])
def test_what_leaks_passes_a_plane_downstream(intensity: float, downstream: float) -> None:
    """The flux through it is the source, but for what wide clouds carry by their own growth; the seabed is tight."""
    physics = replace(BALLISTIC, intensity=intensity)
    y, z = np.linspace(-16, 16, 81), np.linspace(0, 20, 101)
    flux = sum(
        np.trapezoid([_at(downstream, across, height, physics) for height in z], z) * (y[1] - y[0]) for across in y
    )
    assert flux == pytest.approx(1.0, rel=0.05)


def _at(x: float, y: float, z: float, physics: Physics) -> float:
    found = unit_clouds(np.array([np.hypot(x, y)]), np.array([np.arctan2(y, x)]), (2.0, z), physics)
    return float(found[0, 0])


@SPREADS
def test_the_harmonics_hold_the_clouds(intensity: float) -> None:
    """A product of two matrices is the mean over the direction's spread of the integral over the clouds' way."""
    physics = replace(BALLISTIC, intensity=intensity)
    rng = np.random.default_rng(1)
    places = rng.uniform([-9, -7, 0.5], [9, 7, 5], (60, 3))
    sensors = np.array([[-4.9, 1.0, 4.1], [4.9, -5.3, 4.1]])
    flow = Flow(
        speed=np.array([0.0, 0.01, 0.05, 0.2]),
        angle=np.array([0.3, 2.0, -1.0, 4.0]),
        friction_ratio=np.full(4, 0.05),
        isotropic=np.zeros(4),
    )
    got = concentration(places, sensors, flow, physics)
    expected = np.array([[_meandering(place, sensor, flow, physics) for sensor in sensors] for place in places])
    assert np.abs(got - expected).max() < 0.03 * expected.max()
    assert np.median(np.abs(got - expected)) < 1e-4 * expected.max()


def _meandering(place: Floats, sensor: Floats, flow: Flow, physics: Physics) -> Floats:
    offset = sensor[:2] - place[:2]
    bearing, distance = np.arctan2(offset[0], offset[1]), np.array([np.hypot(*offset)])
    means = []
    for angle, deviation in zip(flow.angle, np.sqrt(direction_variance(flow.speed, physics)), strict=True):
        around = np.linspace(-6, 6, 1201) * min(deviation, 40.0)
        weight = np.exp(-0.5 * (around / deviation) ** 2)
        clouds = unit_clouds(distance, angle + around - bearing, (place[2], sensor[2]), physics)[0]
        means.append(clouds @ weight / weight.sum())
    return np.array(means) * mean_slowness(flow.speed, physics)
