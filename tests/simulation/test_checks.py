"""Checks of the forward model with known answers: conservation, limits, identities and published numbers."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.arrays import Floats
from shared.domain.environment import Environment
from shared.simulation import Physics, resolve
from shared.simulation.drag import (
    drag_coefficient,
    friction_velocity,
    orbital_velocity,
    wave_current_factor,
)
from shared.simulation.harmonics import concentration
from shared.simulation.plume import flow_of, mixing_length, unit_plume
from shared.simulation.release import bubbles, effective_speed, rise, rise_scale
from shared.simulation.response import first_order
from shared.simulation.solubility import (
    bunsen,
    kg_m3_per_ppmv,
    pressure_factor,
)
from tests.support.naive_plume import template, times, turning_sea

_FLAT = Physics(direction_spread_deg=0.0, rise_factor=0.0, bubble_share=0.0, source_radius_m=1e-3)


def plume(points: Floats, height: float, speed: float, physics: Physics = _FLAT) -> Floats:
    """Return the concentration [n] at points [n, 3] of a unit leak at the origin, ``height`` above the seabed.

    The current flows to the fore, in one direction.
    """
    carried, ratio = effective_speed(np.array(speed)), np.array(np.sqrt(drag_coefficient()))
    values = np.empty(points.shape[0])
    for z in np.unique(points[:, 2]):
        level = points[:, 2] == z
        x, y = points[level, :2].T
        values[level] = unit_plume(y, x, (height, float(z)), carried, ratio, physics)
    return values


@pytest.mark.parametrize("distance", [3.0, 8.0])
@pytest.mark.parametrize("height", [0.0, 2.0])
def test_what_the_leak_gives_off_flows_through_a_plane_downstream(distance: float, height: float) -> None:
    """The integral of U_e G over a plane downstream, above the seabed, is 1."""
    y, z = np.linspace(-12, 12, 241), np.linspace(0, 14, 141)
    grid_y, grid_z = np.meshgrid(y, z, indexing="ij")
    points = np.column_stack([grid_y.ravel(), np.full(grid_y.size, distance), grid_z.ravel()])
    values = plume(points, height, 0.1).reshape(grid_y.shape)
    flux = np.trapezoid(np.trapezoid(values, z, axis=1), y) * float(effective_speed(np.array(0.1)))
    assert flux == pytest.approx(1.0, rel=0.01)


def test_far_downstream_the_axis_reads_the_slender_limit() -> None:
    """On the axis, away from the seabed, C tends to 1 / (2 pi U sigma^2) with sigma^2 = 2 K x / U."""
    for distance in (5.0, 15.0):
        got = plume(np.array([[0.0, distance, 60.0]]), 60.0, 0.1)[0]
        carried = float(effective_speed(np.array(0.1)))
        length = float(mixing_length(60.0, np.sqrt(drag_coefficient()), _FLAT))
        sigma_squared = 2 * length * distance
        assert got == pytest.approx(1 / (2 * np.pi * carried * sigma_squared), rel=1e-3)


def test_nothing_flows_through_the_seabed() -> None:
    """The concentration's slope at the seabed is zero against its slope above."""
    at = np.array([[0.5, 4.0, z] for z in (0.0, 1e-3, 1.0, 1.001)])
    low, near, mid, above = plume(at, 1.5, 0.1)
    assert abs(near - low) < 1e-2 * abs(above - mid)


@settings(max_examples=20, deadline=None)
@given(turn=st.floats(-360, 360), speed=st.floats(0, 0.6), direction=st.floats(0, 360))
def test_turning_template_and_current_together_changes_nothing(turn: float, speed: float, direction: float) -> None:
    """Only theta - psi matters: the same angle added to both leaves every reading as it is."""
    places, sensors = np.array([[1.0, -2.0, 1.0]]), np.array([[4.0, 3.0, 2.0], [-5.0, 1.0, 4.0]])
    fields = []
    for angle in (0.0, turn):
        sea = Environment.of(times(1), current_speed=[speed], current_direction=[direction + angle])
        flow = flow_of(resolve(sea, times(1), template()), 20.0 + angle)
        fields.append(concentration(places, sensors, flow, Physics()))
    np.testing.assert_allclose(fields[0], fields[1], rtol=1e-6, atol=1e-12)


def test_upstream_and_in_standing_water_the_plume_is_finite() -> None:
    """At U = 0, upstream and on the leak itself concentrations are finite; upstream they are small."""
    at = np.array([[0.0, -6.0, 2.0], [0.0, 6.0, 2.0], [0.0, 0.0, 2.0]])
    upstream, downstream, source = plume(at, 2.0, 0.2, Physics())
    assert 0 <= upstream < 1e-6 * downstream < source < np.inf
    sea = Environment.of(times(1), current_speed=[0.0], current_direction=[np.nan])
    flow = flow_of(resolve(sea, times(1), template()), 0.0)
    assert np.isfinite(concentration(np.array([[0.0, 0.0, 2.0]]), at, flow, Physics())).all()


def test_the_drag_coefficient_is_the_references() -> None:
    """Cd is 2.5e-3 at 3 m over a bed of 2.5 cm roughness."""
    assert drag_coefficient() == pytest.approx(2.5e-3, rel=0.01)


def test_madsens_branches_nearly_meet() -> None:
    """The two branches of the friction factor differ by less than 5 % where they meet, and fall with X."""
    below, above = wave_current_factor(np.array([100.0, 100.0001]), 1.0)
    assert above == pytest.approx(below, rel=0.05)
    values = wave_current_factor(np.geomspace(0.2, 99, 50), 1.0)
    assert (np.diff(values) < 0).all()
    assert wave_current_factor(np.array([1.0]), 1.0)[0] == pytest.approx(np.exp(7.02 - 8.82))
    assert wave_current_factor(np.array([1e3]), 2.0)[0] == pytest.approx(2 * np.exp(5.61 * 1e3**-0.109 - 7.30))


def test_waves_raise_the_drag_only_when_they_reach_the_seabed() -> None:
    """At 317 m a 2 m sea of 7 s changes nothing, a storm of 15 m and 17 s does; in 30 m the 2 m sea does."""
    speed = np.array([0.1])
    bare = np.sqrt(drag_coefficient()) * 0.1
    for height, period, depth, raised in ((2.0, 7.0, 317.0, False), (15.0, 17.0, 317.0, True), (2.0, 7.0, 30.0, True)):
        orbit = orbital_velocity(np.array([height]), np.array([period]), depth)
        got = friction_velocity(speed, orbit, np.array([period]))[0]
        assert (got > 1.02 * bare) == raised
        assert bare <= got < 10 * bare


@settings(max_examples=30, deadline=None)
@given(speed=st.floats(0, 3), orbit=st.floats(0, 3), period=st.floats(1, 25))
def test_the_friction_velocity_is_finite_and_never_below_the_currents_own(
    speed: float, orbit: float, period: float
) -> None:
    """Whatever the waves: sqrt(Cd) U or more, and finite."""
    got = friction_velocity(np.array([speed]), np.array([orbit]), np.array([period]))[0]
    assert np.sqrt(drag_coefficient()) * speed * (1 - 1e-12) <= got < np.inf


def test_long_waves_have_the_shallow_water_orbit() -> None:
    """In shallow water u_b tends to H_rms / 2 sqrt(g / h)."""
    got = orbital_velocity(np.array([0.1]), np.array([120.0]), 2.0)[0]
    assert got == pytest.approx(0.1 / np.sqrt(2) / 2 * np.sqrt(9.81 / 2.0), rel=0.01)


def test_johansens_rise_is_the_references() -> None:
    """At x = 8 m and U = 0.08 m/s the full rise is about 5.1 m; there is none upstream."""
    speed = np.array([0.08])
    assert rise(np.array([8.0]), rise_scale(speed, 1.0))[0] == pytest.approx(5.1, abs=0.05)
    assert rise(np.array([-8.0]), rise_scale(speed, 1.0))[0] == 0


def test_the_bubbles_dissolve_their_share_of_the_rate() -> None:
    """The line's nodes add up to the share, weaken with height, and drift with the current while they rise."""
    line = bubbles(Physics(bubble_share=0.4, bubble_dissolution_m=2.0, bubble_column_m=6.0))
    assert line.share.sum() == pytest.approx(0.4)
    assert (line.share @ line.height) / 0.4 == pytest.approx(2 - 6 / np.expm1(3.0), rel=1e-4)
    assert (np.diff(line.drift) > 0).all()
    assert line.height.max() < 6.0


def test_what_dissolves_along_bubbles_flows_through_a_plane_downstream_too() -> None:
    """The bubbles' line source and its images carry the whole rate past a plane."""
    physics = Physics(direction_spread_deg=0.0, rise_factor=0.0, bubble_share=1.0)
    y, z = np.linspace(-14, 14, 141), np.linspace(0, 18, 91)
    grid_y, grid_z = np.meshgrid(y, z, indexing="ij")
    points = np.column_stack([grid_y.ravel(), np.full(grid_y.size, 10.0), grid_z.ravel()])
    values = plume(points, 1.0, 0.3, physics).reshape(grid_y.shape)
    flux = np.trapezoid(np.trapezoid(values, z, axis=1), y) * float(effective_speed(np.array(0.3)))
    assert 0.9 < flux < 1.001  # the softened line loses up to a tenth


def test_a_sensor_has_risen_by_63_percent_after_its_time_constant() -> None:
    """The step response at tau is 1 - 1/e."""
    seconds = np.arange(0, 7201, 600.0)
    step = np.ones((1, seconds.size))
    step[0, 0] = 0.0
    assert first_order(step, seconds, 7200.0)[0, -1] == pytest.approx(1 - np.exp(-1), rel=1e-12)


def test_superposition_holds_for_leaks_at_two_places() -> None:
    """The field of two places together is the sum of their fields: places do not touch each other."""
    flow = flow_of(resolve(turning_sea(20), times(20), template()), 0.0)
    sensors = np.array([[1.0, 2.0, 3.0]])
    places = np.array([[0.0, 0.0, 1.0], [3.0, -2.0, 2.0]])
    both = concentration(places, sensors, flow, Physics())
    alone = [concentration(place[None], sensors, flow, Physics())[0] for place in places]
    np.testing.assert_allclose(both, np.array(alone), rtol=1e-12)


def air_equilibrium(temperature: npt.ArrayLike, salinity: float, mole_fraction: float) -> Floats:
    """Return the methane [mol/L] in water under moist air at 1 atm, given its mole fraction in dry air.

    Wiesenburg & Guinasso (1979), eq 7 and Table VI: another way to what the Bunsen coefficient says.
    """
    t = (np.asarray(temperature, dtype=np.float64) + 273.15) / 100
    salt = salinity * (-0.059160 + 0.032174 * t - 0.0048198 * t**2)
    logarithm = -415.2807 + 596.8104 / t + 379.2599 * np.log(t) - 62.0757 * t + salt
    return np.asarray(1e-9 * mole_fraction * np.exp(logarithm), dtype=np.float64)


def test_methane_dissolves_as_wiesenburg_and_guinasso_found() -> None:
    """Fresh water under moist air with 1.9 ppm: 2.873362 nM at 20 C; 5, 15, 25 C in mg/L as published."""
    assert float(air_equilibrium(20.0, 0.0, 1.9e-6)) * 1e9 == pytest.approx(2.873362, abs=1e-6)
    mg_per_litre = air_equilibrium(np.array([5.0, 15.0, 25.0]), 0.0, 1.9e-6) * 16.0425e3
    np.testing.assert_allclose(mg_per_litre, [6.673778e-5, 5.155430e-5, 4.155221e-5], rtol=1e-6)


def test_the_bunsen_coefficient_agrees_with_the_moist_air_equation() -> None:
    """beta / 22.356 times the partial pressure of 1.9 ppm in moist air at 20 C agrees within 0.3 %."""
    dry_share = 1 - 0.02307
    got = float(bunsen(20.0, 0.0)) / 22.356 * 1.9e-6 * dry_share
    assert got == pytest.approx(float(air_equilibrium(20.0, 0.0, 1.9e-6)), rel=3e-3)


def test_one_ppmv_is_the_references_concentration() -> None:
    """At 6 C and S 35, 1 ppmv is 1.693 nM or 2.715e-8 kg/m3; at 317 m the reading is about 5 % higher."""
    one = float(kg_m3_per_ppmv(6.0, 35.0))
    assert one == pytest.approx(2.715e-8, rel=5e-4)
    assert one / 16.0425e-3 * 1e6 == pytest.approx(1.693, abs=5e-4)
    assert float(pressure_factor(6.0, 317.0)) == pytest.approx(1.05, abs=0.005)
