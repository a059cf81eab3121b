"""A semi-closed template: water through its walls, methane in its zones, and what is read inside and around it."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.arrays import Floats
from shared.domain.environment import Environment
from shared.domain.template import Template
from shared.simulation import Physics, resolve
from shared.simulation.enclosure import (
    ALWAYS,
    Enclosure,
    confinement,
    enclosure_of,
    zone_responses,
)
from shared.simulation.matrix_exponential import step_matrices
from shared.simulation.plume import Flow, flow_of
from shared.simulation.solubility import kg_m3_per_ppmv
from shared.simulation.walls import exchange_flows, mean_flows, openings_of
from shared.simulation.zones import transport
from tests.support.naive_enclosure import (
    boxed,
    naive_moving,
    naive_outside,
    naive_run,
    naive_wall_flows,
    sensors_at,
    steady_flow,
    varying_flow,
)
from tests.support.naive_plume import template, times, turning_sea

WALLS = ("fore", "aft", "port", "starboard")
IN_EACH_ZONE = [(19 / 3 * i, 5.0 * j, 2.0) for j in (-1, 0, 1) for i in (-1, 0, 1)]  # in the order of the zones
AROUND = [(0.0, 12.0, 3.0), (0.0, -12.0, 3.0), (-14.0, 0.0, 3.0), (14.0, 0.0, 3.0)]  # in the order of the walls
PHYSICS = Physics()


def box(here: Template, most_zones: int = 3) -> Enclosure:
    """Return the box of a template that has one."""
    made = enclosure_of(here, most_zones)
    assert made is not None
    return made


def observed(porosity: float | Sequence[float] = 0.2, *, roof: bool = False) -> Template:
    """Return a box with a sensor in the middle of each of its zones."""
    return boxed(porosity, sensors=sensors_at(IN_EACH_ZONE), roof=roof)


def naive_matrices(here: Template, flow: Flow) -> Floats:
    """Return M [n, zones, zones] in 1/s of dC/dt = M C, written out with loops."""
    return np.array([naive_moving(here, s, a, PHYSICS)[0] for s, a in zip(flow.speed, flow.angle, strict=True)])


def grid(count: int) -> Floats:
    """Return that many ten-minute steps [s]."""
    return np.arange(count, dtype=np.float64) * 600


shares = st.floats(0, 1)
angles = st.floats(-10, 10)


@given(st.tuples(shares, shares, shares, shares), angles)
def test_what_flows_in_flows_out(porosity: tuple[float, ...], angle: float) -> None:
    """The mean flows through the walls sum to zero, whatever is open and wherever the current comes from."""
    flows = mean_flows(openings_of(boxed(porosity)), np.array([angle]))
    assert abs(flows.sum()) <= 1e-14 * max(1.0, np.abs(flows).sum())


@settings(max_examples=40, deadline=None)
@given(st.tuples(shares, shares, shares, shares), angles, st.floats(0, 80))
def test_the_wall_flows_agree_with_the_naive_ones(porosity: tuple[float, ...], angle: float, tilt: float) -> None:
    """Vectorised and for U_e = 1 they equal the formula wall by wall; a missing wall is a whole open side."""
    area = dict(zip(WALLS, (120.0, 80.0, 0.0, 100.0), strict=True))
    here = boxed(porosity, wall_area=area, inclination=dict.fromkeys(WALLS, tilt))
    got = 0.1 * mean_flows(openings_of(here), np.array([angle]))[0]
    np.testing.assert_allclose(got, list(naive_wall_flows(here, 0.1, angle).values()), rtol=1e-6, atol=1e-6)


def test_water_enters_windward_and_leaves_leeward() -> None:
    """A current towards fore enters aft and leaves fore, and the sides alike."""
    fore, aft, port, starboard = mean_flows(openings_of(boxed()), np.zeros(1))[0]
    assert aft > 0 > fore
    assert port == pytest.approx(starboard)


def test_the_box_of_the_reference_has_its_throughflow_and_reading() -> None:
    """750 m3, two walls of 50 m2 with 30 % open, 0.08 m/s: 0.53 m3/s, 24 min, about 70 ppmv per 1e-6 kg/s."""
    area = dict(zip(WALLS, (50.0, 50.0, 75.0, 75.0), strict=True))
    size = {"length": 15.0, "width": 10.0, "height": 5.0, "internal_volume": 750.0, "roof": True}
    here = boxed((0.3, 0.3, 0.0, 0.0), wall_area=area, **size)
    through = math.hypot(0.08, 0.02) * np.maximum(mean_flows(openings_of(here), np.zeros(1)), 0).sum()
    assert through == pytest.approx(0.53, rel=0.15)
    assert 750 / through / 60 == pytest.approx(24, rel=0.15)
    reading = zone_responses(box(here, 1), steady_flow(1), np.zeros(1), [ALWAYS], PHYSICS)[0, 0, 0, 0]
    assert 1e-6 * reading / kg_m3_per_ppmv(6.5, 35.0, 300.0) == pytest.approx(70, rel=0.2)


def test_one_zone_approaches_rate_over_outflow_exponentially() -> None:
    """C = q / Q (1 - exp(-Q t / V)), exactly, with Q the mean and the turbulent outflow."""
    here, at = boxed(), grid(50)
    q = naive_moving(here, 0.08, 0.0, PHYSICS)[1].sum()
    got = zone_responses(box(here, 1), steady_flow(50), at, [0, ALWAYS], PHYSICS)
    volume = here.length * here.width * here.height
    np.testing.assert_allclose(got[0, 0, 0], (1 - np.exp(-q * at / volume)) / q, rtol=1e-12)
    np.testing.assert_allclose(got[1, 0, 0], 1 / q, rtol=1e-12)


def test_the_internal_volume_counts_where_it_is_known() -> None:
    """Half the water approaches the same steady reading twice as fast."""
    full, half = boxed(), boxed(internal_volume=19 * 15 * 6 / 2)
    slow = zone_responses(box(full), steady_flow(9), grid(9), [0, ALWAYS], PHYSICS)
    fast = zone_responses(box(half), steady_flow(9), grid(9) / 2, [0, ALWAYS], PHYSICS)
    np.testing.assert_allclose(fast, slow, rtol=1e-10)


def test_every_zone_passes_on_the_water_that_it_gets() -> None:
    """Clean and dirty water alike: with the same concentration everywhere only inflow and turbulence dilute a zone."""
    zones = box(boxed()).zones
    angle = np.linspace(0, 6, 40)
    openings = openings_of(boxed())
    matrices, _ = transport(zones, openings, angle, PHYSICS)
    fresh = np.maximum(np.pad(mean_flows(openings, angle), ((0, 0), (0, 1))), 0) + exchange_flows(openings, PHYSICS)
    np.testing.assert_allclose(-zones.volume * matrices.sum(axis=2), fresh @ zones.shares, rtol=1e-9, atol=1e-12)


def test_what_is_released_is_stored_or_has_left() -> None:
    """Release minus outflow equals storage over a varying run; the outflow is integrated with Gauss's points."""
    here, flow = observed(), varying_flow(30)
    enclosure = box(here)
    nodes, weights = np.polynomial.legendre.leggauss(12)
    inner = np.append(0.5 + nodes / 2, 1.0)
    at = np.append(0.0, (grid(30)[:-1, None] + 600 * inner).ravel())
    held = np.append(0, np.repeat(np.arange(1, 30), inner.size))
    fine = Flow(flow.speed[held], flow.angle[held], flow.friction_ratio[held], flow.isotropic[held])
    read = zone_responses(enclosure, fine, at, [0], PHYSICS)[0, ..., 1:].reshape(9, 9, 29, inner.size)
    leaving = np.array([naive_moving(here, s, a, PHYSICS)[1] for s, a in zip(flow.speed, flow.angle, strict=True)])
    left = 300 * np.einsum("szng,g,nz->sn", read[..., :-1], weights, leaving[1:]).cumsum(axis=1)
    stored = enclosure.zones.volume * read[..., -1].sum(axis=1)
    np.testing.assert_allclose(stored + left, np.tile(grid(30)[1:], (9, 1)), rtol=1e-9)


@pytest.mark.parametrize(("zone", "onset"), [(0, 0), (4, 3), (8, 0)])
def test_the_exact_steps_agree_with_small_ones(zone: int, onset: int) -> None:
    """Flows, network, zones and time steps equal the box written out with loops and Runge-Kutta."""
    here, flow, at = observed(porosity=(0.2, 0.05, 0.4, 0.1)), varying_flow(8), grid(8)
    got = zone_responses(box(here), flow, at, [onset], PHYSICS)[0, zone]
    np.testing.assert_allclose(got, naive_run(here, flow, at, zone, onset, PHYSICS), rtol=2e-6, atol=1e-9)


def test_a_box_with_roof_few_zones_and_a_missing_wall_agrees_with_small_steps() -> None:
    """2 by 1 zones of a small box with one side open and another mixing."""
    area = dict(zip(WALLS, (0.0, 20.0, 12.0, 12.0), strict=True))
    size = {"length": 2.0, "width": 4.0, "height": 3.0, "roof": True, "internal_volume": 15.0}
    sensors = sensors_at([(-1.0, 0.0, 1.0), (1.0, 0.0, 1.0)])
    here = boxed((0.5, 0.1, 0.2, 0.0), wall_area=area, sensors=sensors, **size)
    physics, at, flow = Physics(mixing_factor=2.0, structure_mixing=0.2), grid(6) / 10, varying_flow(6)
    assert (box(here).zones.nx, box(here).zones.ny) == (2, 1)
    got = zone_responses(box(here), flow, at, [0], physics)[0, 1]
    np.testing.assert_allclose(got, naive_run(here, flow, at, 1, 0, physics, (2, 1)), rtol=2e-6, atol=1e-9)


def test_adding_an_angle_to_template_and_current_changes_nothing() -> None:
    """Only the current's direction against the template counts."""
    sea, at = turning_sea(40), times(40)
    turned = Environment.of(
        at,
        current_speed=sea.current_speed,
        current_direction=(sea.current_direction + 77.0) % 360,
        temperature=np.full(40, 7.0),
    )
    got = []
    for angle, waters in ((20.0, sea), (97.0, turned)):
        here = boxed(angle=angle, sensors=sensors_at([*IN_EACH_ZONE, *AROUND]))
        got.append(zone_responses(box(here), flow_of(resolve(waters, at, here), angle), grid(40), [0, 9], PHYSICS))
    np.testing.assert_allclose(got[0], got[1], rtol=1e-9, atol=1e-13)


def test_naming_the_walls_a_quarter_turn_on_changes_nothing() -> None:
    """What was fore is starboard, length and width are swapped, sensors and current follow."""
    places = np.array([*AROUND, (5.0, 1.0, 2.0), (-7.0, 4.0, 2.0)])
    here = boxed((0.2, 0.05, 0.3, 0.1), sensors=sensors_at(places.tolist()))
    on = np.stack([places[:, 1], -places[:, 0], places[:, 2]], axis=1)
    other = boxed((0.3, 0.1, 0.05, 0.2), width=15.0, length=19.0, sensors=sensors_at(on.tolist()))
    flow = varying_flow(12)
    turned = Flow(flow.speed, flow.angle + np.pi / 2, flow.friction_ratio, flow.isotropic)
    zone = box(other).zone_of(np.array([(y, -x, z) for x, y, z in IN_EACH_ZONE]))
    got = zone_responses(box(other), turned, grid(12), [0], PHYSICS)[:, zone]
    np.testing.assert_allclose(got, zone_responses(box(here), flow, grid(12), [0], PHYSICS), rtol=1e-8, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100), st.integers(0, 18))
def test_from_an_onset_is_always_minus_what_decays(seed: int, onset: int) -> None:
    """The response from an onset equals the one of always less the state at the onset, left alone."""
    here, flow, at = observed(), varying_flow(20, seed), grid(20)
    always, late = zone_responses(box(here), flow, at, [ALWAYS, onset], PHYSICS)
    keep, _ = step_matrices(naive_matrices(here, flow)[1:], np.diff(at))
    left = always[..., onset].T
    for n in range(onset + 1, 20):
        left = keep[n - 1] @ left
        np.testing.assert_allclose(late[..., n], always[..., n] - left.T, rtol=1e-9, atol=1e-12)
    assert (late[..., : onset + 1] == 0).all()
    assert (late[..., onset + 1 :] >= 0).all()


def test_releases_add_up() -> None:
    """Release in all zones at once equals the sum of theirs: a uniform source by the naive run."""
    here, flow, at = observed(), varying_flow(3), grid(3)
    got = zone_responses(box(here), flow, at, [0], PHYSICS)[0]
    together = np.zeros((9, 3))
    for zone in range(9):
        together += naive_run(here, flow, at, zone, 0, PHYSICS)
    np.testing.assert_allclose(got.sum(axis=0), together, rtol=2e-6)


def test_several_onsets_at_once_read_like_each_alone() -> None:
    """Onsets do not see each other, and may come in any order."""
    enclosure, flow = box(boxed()), varying_flow(25)
    onsets = [7, ALWAYS, 0, 24, 7, 40]
    got = zone_responses(enclosure, flow, grid(25), onsets, PHYSICS)
    for one, onset in zip(got, onsets, strict=True):
        np.testing.assert_allclose(one, zone_responses(enclosure, flow, grid(25), [onset], PHYSICS)[0], rtol=1e-12)
    assert not got[[3, 5]].any()


def test_finer_steps_of_a_constant_flow_change_nothing() -> None:
    """One step of an hour, six of ten minutes and uneven ones end the same."""
    enclosure = box(observed())
    hourly = zone_responses(enclosure, steady_flow(13, 0.2, 0.7), grid(13) * 6, [0], PHYSICS)
    fine = zone_responses(enclosure, steady_flow(73, 0.2, 0.7), grid(73), [0], PHYSICS)
    np.testing.assert_allclose(fine[..., ::6], hourly, rtol=1e-10, atol=1e-16)
    uneven = np.union1d(grid(13) * 6, np.random.default_rng(2).uniform(0, 43_200, 30))
    got = zone_responses(enclosure, steady_flow(uneven.size, 0.2, 0.7), uneven, [0], PHYSICS)
    np.testing.assert_allclose(got[..., np.searchsorted(uneven, grid(13) * 6)], hourly, rtol=1e-10, atol=1e-16)


def test_a_step_does_not_depend_on_the_length_of_others() -> None:
    """A month's gap beside it leaves a ten-minute step's matrices as they are, and ends in the steady state."""
    matrices = naive_matrices(boxed(), steady_flow(2))
    keep, gain = step_matrices(matrices, np.array([600.0, 30 * 86_400.0]))
    alone = step_matrices(matrices[:1], np.array([600.0]))
    np.testing.assert_array_equal([keep[0], gain[0]], [alone[0][0], alone[1][0]])
    np.testing.assert_allclose(keep[1], 0, atol=1e-12)
    np.testing.assert_allclose(gain[1], np.linalg.inv(-matrices[1]), rtol=1e-8)


def test_zones_downstream_read_more_than_upstream_ones() -> None:
    """A release in the middle reaches the leeward zones, hardly the windward ones, for each of four directions."""
    windward = [(0, 1, 2), (0, 3, 6), (6, 7, 8), (2, 5, 8)]
    leeward = [(6, 7, 8), (2, 5, 8), (0, 1, 2), (0, 3, 6)]
    for turn, (up, down) in enumerate(zip(windward, leeward, strict=True)):
        flow = steady_flow(1, angle=turn * math.pi / 2)
        read = zone_responses(box(observed()), flow, np.zeros(1), [ALWAYS], PHYSICS)[0, 4, :, 0]
        assert read[list(down)].sum() > 3 * read[list(up)].sum()
        assert read[list(down)].min() > read[list(up)].max()


def test_sensors_outside_read_downstream_what_they_do_not_upstream() -> None:
    """Around the box the sensor in the wake reads most, for each of four directions."""
    here = boxed(sensors=sensors_at(AROUND))
    for wall, angle in enumerate((0.0, math.pi, -math.pi / 2, math.pi / 2)):
        read = zone_responses(box(here), steady_flow(1, angle=angle), np.zeros(1), [ALWAYS], PHYSICS)[0, 4, :, 0]
        assert int(np.argmax(read)) == wall
        assert read[wall] > 10 * read[wall ^ 1]


def test_sensors_outside_read_their_share_of_the_zones_at_that_moment() -> None:
    """Outlet by outlet, over a run long enough to be worked off in blocks, with currents that keep turning."""
    here = boxed((0.2, 0.05, 0.4, 0.1), sensors=sensors_at([*IN_EACH_ZONE, *AROUND]))
    flow = varying_flow(400)
    read = zone_responses(box(here), flow, grid(400), [ALWAYS], PHYSICS)[0]
    for n in (0, 1, *range(340, 352), 399):
        for sensor, place in enumerate(AROUND, 9):
            share = naive_outside(here, float(flow.speed[n]), float(flow.angle[n]), place, PHYSICS)
            np.testing.assert_allclose(read[:, sensor, n], read[:, :9, n] @ share, rtol=1e-6, atol=1e-12)


def test_nothing_reads_more_outside_than_the_zones_hold() -> None:
    """At the very outlets, where a bare point source would read more than the box, and over the top: at most as much.

    A wide mesh and little mixing outside make it so; a release in all zones alike thins with the distance.
    """
    near = [(0.0, 7.51, 3.0), (-9.51, 0.0, 3.0), (0.0, 0.0, 6.05), (0.0, 9.0, 3.0), (0.0, 40.0, 3.0)]
    here = boxed(0.7, sensors=sensors_at([*IN_EACH_ZONE, *near]))
    physics = Physics(structure_mixing=0.02, source_radius_m=0.01, direction_spread_deg=5.0)
    read = zone_responses(box(here), steady_flow(1), np.zeros(1), [ALWAYS], physics)[0, ..., 0]
    inside, outside = read[:, :9].max(axis=1), read[:, 9:]
    assert (outside <= inside[:, None] * (1 + 1e-12)).all()
    plain = zone_responses(box(here), steady_flow(1), np.zeros(1), [ALWAYS], PHYSICS)[0, ..., 0].sum(axis=0)
    assert plain[12] > plain[13]


def test_the_wake_carries_what_the_walls_let_out() -> None:
    """Through a plane far downstream flows one kilogram per second of each that is released."""
    across, up = np.meshgrid(np.linspace(-80, 80, 65), np.linspace(0.5, 49.5, 50))
    wake = np.stack([across.ravel(), np.full(across.size, 90.0), up.ravel()], axis=1)
    enclosure = replace(box(boxed()), sensors=wake)
    physics = Physics(direction_spread_deg=0.0)
    read = zone_responses(enclosure, steady_flow(1), np.zeros(1), [ALWAYS], physics)[0, ..., 0]
    np.testing.assert_allclose(read.sum(axis=1) * 2.5 * 1.0 * math.hypot(0.08, 0.02), 1.0, rtol=0.03)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(shares, shares, shares, shares),
    st.floats(0, 3),
    angles,
    shares,
    st.tuples(st.floats(-40, 40), st.floats(-40, 40), st.floats(0, 30)),
)
def test_every_reading_is_finite_and_not_negative(
    porosity: tuple[float, ...], speed: float, angle: float, isotropic: float, place: tuple[float, ...]
) -> None:
    """Slack water, unknown direction, closed walls, any place of the sensor."""
    enclosure = enclosure_of(boxed(porosity, sensors=sensors_at([place])))
    if enclosure is not None:
        got = zone_responses(enclosure, steady_flow(3, speed, angle, isotropic), grid(3), [ALWAYS, 0], PHYSICS)
        assert np.isfinite(got).all()
        assert (got >= 0).all()


def test_an_unknown_direction_reads_alike_whichever_is_written() -> None:
    """Where the isotropic share is 1 the angle does not count, inside and outside, and mirrored places read alike."""
    here = boxed(sensors=sensors_at([*IN_EACH_ZONE, *AROUND]))
    one, other = (
        zone_responses(box(here), steady_flow(4, 0.1, angle, 1.0), grid(4), [ALWAYS, 0], PHYSICS)
        for angle in (0.0, 2.0)
    )
    np.testing.assert_array_equal(one, other)
    around = one[0, 4, 9:, 0]
    assert around[0] == pytest.approx(around[1], rel=1e-6)
    assert around[2] == pytest.approx(around[3], rel=1e-6)
    assert around.min() > 0


def test_closed_walls_keep_more_than_open_ones() -> None:
    """With a roof and no porosity the box still leaks a little: a finite reading, far above that of 30 % open."""
    sealed, airy = (box(boxed(porosity, roof=True)) for porosity in (0.0, 0.3))
    flow = steady_flow(1)
    tight = zone_responses(sealed, flow, np.zeros(1), [ALWAYS], PHYSICS).mean()
    loose = zone_responses(airy, flow, np.zeros(1), [ALWAYS], PHYSICS).mean()
    assert np.isfinite(tight)
    assert tight > 10 * loose


def test_one_wall_with_openings_exchanges_by_turbulence_and_leaks() -> None:
    """With only fore open the mean flow is what the tight walls leak; the exchange through fore is still there."""
    here = boxed((0.5, 0.0, 0.0, 0.0), roof=True)
    openings = openings_of(here)
    mean, exchange = mean_flows(openings, np.full(1, np.pi)), exchange_flows(openings, PHYSICS)
    assert 0 < mean[0, 0] < 3 * 0.5  # what three tight walls of 100 m2 can let out
    assert exchange[0] == pytest.approx(0.025 * 50)
    assert np.isfinite(zone_responses(box(here), steady_flow(1), np.zeros(1), [ALWAYS], PHYSICS)).all()


def test_one_wall_alone_confines_a_little() -> None:
    """Three sides without a wall: a small confinement and finite readings."""
    area = dict(zip(WALLS, (100.0, 0.0, 0.0, 0.0), strict=True))
    here = boxed((0.0, 1.0, 1.0, 1.0), wall_area=area)
    assert 0 < confinement(here) < 0.5
    assert np.isfinite(zone_responses(box(here), steady_flow(1), np.zeros(1), [ALWAYS], PHYSICS)).all()


def test_more_mixing_levels_the_zones() -> None:
    """With a large mixing factor under a roof and tight walls every zone reads nearly the same."""
    here = observed(porosity=0.01, roof=True)
    spread = []
    for factor in (0.1, 1.0, 10.0):
        physics = Physics(mixing_factor=factor)
        read = zone_responses(box(here), steady_flow(1), np.zeros(1), [ALWAYS], physics)[0, 4, :, 0]
        spread.append(np.ptp(read) / read.mean())
    assert spread[0] > spread[1] > spread[2]


@given(shares, shares)
def test_confinement_falls_with_porosity_without_a_jump(one: float, other: float) -> None:
    """Monotonic, in [0, 1], and no steeper than a smoothstep over 0.7."""
    low, high = sorted((one, other))
    more, less = confinement(boxed(low)), confinement(boxed(high))
    assert 0 <= less <= more <= 1
    assert more - less <= 1.5 / 0.7 * (high - low) + 1e-12


def test_confinement_ends_at_open_and_at_tight_templates() -> None:
    """0 and no box where all sides are open or without walls, 1 up to 30 % open, one half in the middle."""
    assert enclosure_of(template()) is None
    assert confinement(boxed(0.0, wall_area=dict.fromkeys(WALLS, 0.0))) == 0
    assert confinement(boxed(0.3)) == confinement(boxed(0.0)) == 1
    assert confinement(boxed(0.65)) == pytest.approx(0.5)
    assert confinement(boxed(1.0, inclination=dict.fromkeys(WALLS, 60.0))) == pytest.approx(
        confinement(boxed(0.5)), rel=1e-9
    )


def test_the_nearest_zone_counts_for_places_outside_the_box() -> None:
    """Zones count from port aft, starboard first; small boxes have fewer."""
    enclosure = box(boxed())
    places = np.array([*IN_EACH_ZONE, (-30.0, -30.0, 0.0), (30.0, 0.0, 9.0), (0.0, 30.0, 1.0), (9.5, 7.5, 6.0)])
    assert enclosure.zone_of(places).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 5, 7, 8]
    small = box(boxed(width=3.5, length=1.0)).zones
    assert (small.nx, small.ny) == (2, 1)


def test_what_does_not_fit_is_refused() -> None:
    """Shapes, times that do not increase, and onsets below -1 are named."""
    enclosure, flow = box(boxed()), steady_flow(3)
    with pytest.raises(ValueError, match="shape of the flow"):
        zone_responses(enclosure, flow, grid(4), [0], PHYSICS)
    with pytest.raises(ValueError, match="increase"):
        zone_responses(enclosure, flow, np.zeros(3), [0], PHYSICS)
    with pytest.raises(ValueError, match="onsets"):
        zone_responses(enclosure, flow, grid(3), [-2], PHYSICS)


def test_nothing_asked_for_is_nothing_returned() -> None:
    """No times, no onsets or no sensors give empty arrays of the right shape."""
    enclosure, bare = box(boxed()), box(boxed(sensors=()))
    assert zone_responses(enclosure, steady_flow(0), grid(0), [0, 1], PHYSICS).shape == (2, 9, 4, 0)
    assert zone_responses(enclosure, steady_flow(5), grid(5), [], PHYSICS).shape == (0, 9, 4, 5)
    assert zone_responses(bare, steady_flow(5), grid(5), [0], PHYSICS).shape == (1, 9, 0, 5)
