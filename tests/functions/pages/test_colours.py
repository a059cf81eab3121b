"""The colours of both themes, computed from the style sheet: no sensor's line can be taken for a level."""

import re
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from functions.http.assets import STATIC
from shared.arrays import Floats

NOTICEABLE = 0.15  # in OKLab, where two hundredths can just be told apart side by side
LEAST_CONTRAST, LEAST_OF_TEXT = 3.0, 4.5  # WCAG 2.2, 1.4.11 and 1.4.3
LEAST_CHROMA = 0.04  # below, a colour is taken for grey

# B. Ottosson, A perceptual color space for image processing, 2020
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour: str) -> Floats:
    """Return the linear red, green and blue of ``#rrggbb``."""
    encoded = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def oklab(colour: str) -> Floats:
    """Return lightness, green to red, and blue to yellow."""
    return TO_LAB @ np.cbrt(TO_CONES @ linear(colour))


def distance(one: str, other: str) -> float:
    """Return how different two colours look."""
    return float(np.linalg.norm(oklab(one) - oklab(other)))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG."""
    dark, light = sorted(float(linear(each) @ (0.2126, 0.7152, 0.0722)) for each in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture(params=["dark", "light"])
def theme(request: pytest.FixtureRequest) -> dict[str, str]:
    """The colours of a theme by name."""
    blocks = re.findall(r":root(?:\[[^]]*\])? \{([^}]*)\}", (STATIC / "pages.css").read_text())
    found: list[dict[str, Any]] = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", one)) for one in blocks[:2]]
    return found[["dark", "light"].index(request.param)]


def sensors(theme: dict[str, str]) -> list[str]:
    """Return the colours of the sensors' lines."""
    found = [colour for name, colour in theme.items() if re.fullmatch(r"s\d", name)]
    assert len(found) == 8
    return found


def test_no_sensor_has_the_colour_of_a_threshold(theme: dict[str, str]) -> None:
    """Nor one that comes near to it, nor to another sensor's."""
    levels = [theme["warning"], theme["critical"]]
    assert min(distance(one, level) for one in sensors(theme) for level in levels) > NOTICEABLE
    assert min(distance(*pair) for pair in combinations(sensors(theme), 2)) > NOTICEABLE


def test_what_is_drawn_is_seen_against_the_card(theme: dict[str, str]) -> None:
    """Lines as graphics, levels as text."""
    assert min(contrast(one, theme["card"]) for one in sensors(theme)) > LEAST_CONTRAST
    for name in ("ok", "warning", "critical", "undefined"):
        assert min(contrast(theme[name], theme[ground]) for ground in ("card", "back")) > LEAST_OF_TEXT, name


def test_what_is_normal_is_grey(theme: dict[str, str]) -> None:
    """Colour is for what is not (ISA-101)."""
    chroma = {
        name: float(np.linalg.norm(oklab(theme[name])[1:])) for name in ("ok", "undefined", "warning", "critical")
    }
    assert max(chroma["ok"], chroma["undefined"]) < LEAST_CHROMA
    assert min(chroma["warning"], chroma["critical"]) > 2 * LEAST_CHROMA
