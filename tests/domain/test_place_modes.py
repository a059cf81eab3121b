"""Modes: places that lie apart are told apart, and what hangs together is one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.estimation import PlaceProbability
from shared.domain.place_modes import LEAST, modes_of
from shared.domain.template import Point
from tests.support.examples import template

HERE = template().model_copy(
    update={"leak_points": (Point(name="P1", x=-3.0, y=0.0, z=1.0), Point(name="P2", x=4.0, y=1.0, z=1.0))}
)


def hill(x: float, y: float, share: float, heights: int = 2) -> list[PlaceProbability]:
    """Return the cells of 1 m around a place, three by three, that hold a share of the probability."""
    weights = {(i, j): 4.0 if i == j == 0 else 1.0 for i in (-1, 0, 1) for j in (-1, 0, 1)}
    total = heights * sum(weights.values())
    return [
        PlaceProbability(x=x + i, y=y + j, z=0.5 + height, probability=share * weight / total)
        for (i, j), weight in weights.items()
        for height in range(heights)
    ]


def test_two_hills_are_two_modes_the_likelier_first() -> None:
    """Each with all of its probability, its likeliest place, and the known leak point beside it."""
    first, second = modes_of(HERE, [*hill(-3, 1, 0.3), *hill(4, 1, 0.6)])
    assert (first.probability, first.x, first.y, first.nearest_leak_point) == (0.6, 4.0, 1.0, "P2")
    assert (second.probability, second.x, second.nearest_leak_point) == (0.3, -3.0, "P1")
    assert second.distance_m == pytest.approx((1 + 0.5**2) ** 0.5, abs=0.01)


def test_two_single_cells_far_apart_are_two_modes() -> None:
    """As sharp as it can be: the gap between the only two cells is no spacing of the grid."""
    places = [PlaceProbability(x=x, y=0.0, z=1.0, probability=0.45) for x in (-3.0, 4.0)]
    assert len(modes_of(HERE, places)) == 2


def test_one_hill_is_one_mode_also_with_a_leak_point_on_it() -> None:
    """A known leak point that holds much of the probability between the cells is no place of its own."""
    alone = modes_of(HERE, hill(-3, 0, 0.9))
    on_it = modes_of(HERE, [*hill(-3, 0, 0.5), PlaceProbability(name="P1", x=-2.6, y=0.3, z=1.0, probability=0.4)])
    assert [one.probability for one in (*alone, *on_it)] == [0.9, 0.9]


def test_a_shallow_valley_does_not_part_and_a_deep_one_does() -> None:
    """Two summits two metres apart, with as much between them as they have, or next to nothing."""
    ridge = [PlaceProbability(x=float(x), y=0.0, z=1.0, probability=p) for x, p in enumerate((0.2, 0.2, 0.2, 0.2, 0.1))]
    assert len(modes_of(HERE, ridge)) == 1
    deep = [
        PlaceProbability(x=float(x), y=0.0, z=1.0, probability=p) for x, p in enumerate((0.3, 0.1, 0.0, 0.0, 0.1, 0.4))
    ]
    assert [one.probability for one in modes_of(HERE, deep)] == [0.5, 0.4]


def test_what_is_hardly_likely_is_no_mode() -> None:
    """Less than a tenth, or nothing at all."""
    assert len(modes_of(HERE, [*hill(-3, 1, 0.05), *hill(4, 1, 0.85)])) == 1
    assert modes_of(HERE, []) == ()


def test_without_known_leak_points_none_is_near() -> None:
    """A template may have none."""
    (only,) = modes_of(HERE.model_copy(update={"leak_points": ()}), hill(0, 0, 0.9))
    assert (only.nearest_leak_point, only.distance_m) == ("", None)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-5, 5), st.integers(-5, 5), st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=40
    )
)
def test_modes_share_out_the_probability(cells: list[tuple[int, int, int, float]]) -> None:
    """Whatever the places: no more than all of it, the likeliest first, none below a tenth."""
    total = sum(one[3] for one in cells) or 1.0
    places = [PlaceProbability(x=x, y=y, z=z, probability=p / total) for x, y, z, p in cells]
    found = modes_of(HERE, places)
    assert sum(one.probability for one in found) <= 1 + 1e-4
    assert [one.probability for one in found] == sorted((one.probability for one in found), reverse=True)
    assert all(one.probability >= LEAST for one in found)
