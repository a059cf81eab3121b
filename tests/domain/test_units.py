"""Units: what is known to make one of another, and what is not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.units import Conversion, conversion, whole_turn

SPEEDS = ["m/s", "cm/s", "mm/s", "km/h", "kn"]
TEMPERATURES = ["degC", "K", "degF"]


@pytest.mark.parametrize(
    ("given_unit", "wanted", "value", "expected"),
    [
        ("m/s", "cm/s", 0.12, 12.0),
        ("knots", "cm/s", 1.0, 51.4444),
        ("KM/H", "m/s", 3.6, 1.0),
        ("K", "degC", 280.15, 7.0),
        ("°F", "degC", 44.6, 7.0),
        ("degC", "degF", 7.0, 44.6),
        ("rad", "deg", math.pi, 180.0),
        ("ppm", "ppmv", 3.0, 3.0),
        ("nmol/L", "ppmv", 17.0, 10.0),
        ("µmol/L", "ppmv", 0.017, 10.0),
    ],
)
def test_known_units_are_converted(given_unit: str, wanted: str, value: float, expected: float) -> None:
    """By their definitions; dissolved methane by the reading that it causes."""
    found = conversion(given_unit, wanted, ppmv_per_nmol_l=1 / 1.7)
    assert found is not None
    assert found.of(value) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("one", "other"), [("m", "m/s"), ("deg", "degC"), ("furlong", "m"), ("ppmv", "nmol/L")])
def test_nothing_is_made_of_another_kind(one: str, other: str) -> None:
    """An unknown unit, or one of another kind, is refused."""
    assert conversion(one, other, 0.5) is None


def test_the_same_unit_however_it_is_written() -> None:
    """Case, spaces and common names make no difference; a unit that nobody knows is still itself."""
    assert conversion(" Deg C ", "°C", 0.5) == Conversion()
    assert conversion("Furlong", "furlong", 0.5) == Conversion()
    assert conversion("cm / s", "CM/S", 0.5) == Conversion()


@given(st.floats(-1e4, 1e4), st.sampled_from([SPEEDS, TEMPERATURES]), st.data())
def test_there_and_back_is_the_same(value: float, kind: list[str], data: st.DataObject) -> None:
    """Of any two units of a kind."""
    one, other = data.draw(st.sampled_from(kind)), data.draw(st.sampled_from(kind))
    there, back = conversion(one, other, 0.5), conversion(other, one, 0.5)
    assert there is not None
    assert back is not None
    assert back.of(there.of(value)) == pytest.approx(value, rel=1e-9, abs=1e-6)


def test_a_whole_turn() -> None:
    """Degrees, unless it is said to be radians."""
    assert (whole_turn("deg"), whole_turn("?"), whole_turn("RAD")) == (360.0, 360.0, math.tau)
