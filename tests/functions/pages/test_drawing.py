"""Drawings in a real browser: nothing is cut off, and no name stands on another, however the template is made."""

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from jinja2 import Environment

from functions.http.assets import STATIC
from functions.pages.drawing import elevation, plan, rate_plan, rate_steps, shade
from functions.pages.render import macro
from shared.domain.performance import RateMap
from shared.domain.template import Point, Sensor, Template
from tests.support.examples import template
from tests.support.pages import SIZES, keep_picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TEMPLATE = template()
LONG = "Wellhead 12, upper connector of the annulus line"


def with_sensors(*places: tuple[float, float, float], first: int = 1) -> Template:
    """Return the template with sensors at these places."""
    sensors = tuple(
        Sensor(id=f"{TEMPLATE.id}-{number}", tag=f"TAG-{number}", number=number, x=x, y=y, z=z)
        for number, (x, y, z) in enumerate(places, first)
    )
    return TEMPLATE.model_copy(update={"sensors": sensors})


def with_points(*points: tuple[str, float, float, float]) -> Template:
    """Return the template with these leak points."""
    made = tuple(Point(name=name, x=x, y=y, z=z) for name, x, y, z in points)
    return TEMPLATE.model_copy(update={"leak_points": made})


HALF, LENGTH = TEMPLATE.width / 2, TEMPLATE.length / 2
TEMPLATES = {
    "as it is": TEMPLATE,
    "without sensors": with_sensors(),
    "sensors that touch": with_sensors((1, 1, 1), (1.3, 1, 1.2), (1.6, 1.2, 1), (1, 1.4, 2)),
    "numbers of three digits": with_sensors((1, 1, 1), (3, 1, 1), (-3, 0, 2), first=997),
    "sensors on the walls": with_sensors((HALF, 0, 1), (-HALF, 0, 1), (0, LENGTH, 1), (0, -LENGTH, 1)),
    "sensors far out": with_sensors((HALF + 5, LENGTH + 5, 1), (-HALF - 5, LENGTH + 5, 1)),
    "long names": with_points((LONG, HALF, LENGTH, 1), (f"{LONG}, lower", HALF, LENGTH - 2, 1), (LONG, -HALF, 0, 2)),
    "points in a row": with_points(*((f"W{k}", 2.0, k * 0.6 - 2, 1 + k * 0.3) for k in range(6))),
}


DRAWINGS = [(name, view(one, None)) for name, one in TEMPLATES.items() for view in (plan, elevation)]
PAGE = """
<!doctype html><html lang="en" data-theme="{{ theme }}"><style>{{ style | safe }}</style>
{% for one in figures %}<div class="drawings"><figure>{{ one }}</figure><div></div><div></div></div>{% endfor %}
"""
WRITTEN = """() => {
  const box = (one) => { const at = one.getBoundingClientRect(); return [at.left, at.top, at.right, at.bottom]; };
  const texts = (one) => [...one.querySelectorAll("text")].map((text) => [text.firstChild.textContent, box(text)]);
  return [...document.querySelectorAll(".drawing")].map((one) => [box(one), texts(one)]);
}"""


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_names_are_whole_and_apart(browser: "Browser", theme: str, size: str) -> None:
    """Of sensors that touch, on walls or far out, of points with long names, of the walls, north and the ruler."""
    width, height = SIZES[size]
    figures = [macro("drawing")(one, "A drawing", {}, 37.0, (120.0, 1.0)) for _, one in DRAWINGS]
    style = (STATIC / "pages.css").read_text()
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_content(Environment(autoescape=True).from_string(PAGE).render(theme=theme, style=style, figures=figures))
    keep_picture(page, f"drawings-{theme}-{size}")
    seen = page.evaluate(WRITTEN)
    page.close()
    for (name, drawing), ((left, top, right, bottom), words) in zip(DRAWINGS, seen, strict=True):
        assert {"N", "fore", "aft", "port", "starboard"} <= {word for word, _ in words} or drawing.north is None
        for word, box in words:
            assert left <= box[0] <= box[2] <= right, (name, word)
            assert top <= box[1] <= box[3] <= bottom, (name, word)
        for (first, a), (second, b) in combinations(words, 2):
            apart = a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1
            assert apart, (name, first, second)


def test_a_sensor_among_others_keeps_its_place_and_has_its_number_beside_it() -> None:
    """A line leads from the number to it; one that stands alone carries its number."""
    crowd, alone = plan(TEMPLATES["sensors that touch"], None), plan(with_sensors((1, 1, 1)), None)
    assert [(one.x, -one.y) for one in crowd.sensors] == [(1, 1), (1.3, 1), (1.6, 1.2), (1, 1.4)]
    assert not any(one.inside for one in crowd.sensors)
    beside = [one for one in crowd.labels if one.kind == "sensor"]
    assert [one.text for one in beside] == ["1", "2", "3", "4"]
    assert all(one.leads_to for one in beside if abs(one.x - 1.3) > 1)
    assert [one.inside for one in alone.sensors] == [True]


def test_a_long_name_is_shortened_and_kept() -> None:
    """Who points at it reads all of it."""
    (label,) = (one for one in plan(with_points((LONG, 1, 1, 1)), None).labels if one.kind == "point")
    assert (label.text, label.name) == ("Wellhead 12, uppe…", LONG)


def test_nothing_is_written_on_a_sensor_or_a_wall() -> None:
    """A wall's name goes aside for a sensor that is mounted outside."""
    found = plan(with_sensors((HALF + 0.6, 0, 1), (-1, 2, 1)), None)
    for label in found.labels:
        for one in found.sensors:
            reach = one.radius
            across = min(label.box.right, one.x + reach) - max(label.box.left, one.x - reach)
            down = min(label.box.bottom, one.y + reach) - max(label.box.top, one.y - reach)
            assert across <= 0 or down <= 0, label
    starboard = next(one for one in found.labels if one.name == "starboard")
    assert abs(starboard.y) > 1


def rates(*rows: tuple[float | None, ...]) -> RateMap:
    """Return a map of one height and 2 m cells with these rates in g/h."""
    known = tuple(tuple(None if rate is None else rate / 3.6e6 for rate in row) for row in rows)
    x, y = (tuple(2.0 * k for k in range(size)) for size in (len(rows[0]), len(rows)))
    return RateMap(x=x, y=y, z=(1.0,), rates_kg_s=(known,))


@pytest.mark.parametrize(
    ("low", "high", "edges"),
    [
        (1.0, 1.0, [1, 2]),
        (1.0, 2.0, [1, 2]),
        (0.9, 2.1, [0.5, 1, 2, 5]),
        (99.0, 1001.0, [50, 100, 200, 500, 1000, 2000]),
    ],
)
def test_steps_of_rates_hold_all_of_them(low: float, high: float, edges: list[float]) -> None:
    """People read g/h: each decade has three steps, and no rate lies outside."""
    assert [one * 3.6e6 for one in rate_steps(rates((low, None), (high, low)))] == pytest.approx(edges)
    assert rate_steps(rates((None,))) == ()


def test_a_smaller_rate_is_darker_and_none_is_not_drawn() -> None:
    """What is found best stands out; a place where nothing is found is empty."""
    found = rates((1.0, 30.0), (400.0, None))
    steps = rate_steps(found)
    cells = rate_plan(template(), found, 0, steps).cells
    assert [one.rate for one in cells] == [
        found.rates_kg_s[0][0][0],
        found.rates_kg_s[0][0][1],
        found.rates_kg_s[0][1][0],
    ]
    assert cells[0].share > cells[1].share > cells[2].share > 0
    assert (cells[0].x, cells[0].y, cells[0].width, cells[0].height) == (-1.0, -1.0, 2.0, 2.0)
    assert cells[2].y == -3.0, "fore is upwards"
    shades = [shade(low, steps) for low in steps[:-1]]
    assert shades == sorted(shades, reverse=True)
    assert len(set(shades)) == len(shades)
