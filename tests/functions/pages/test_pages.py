"""The pages in a real browser, on the demo's data: nothing is wrong with them, and they tell what is wrong at sea."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from playwright.sync_api import expect

from local.demo import served
from local.pictures import leak_of, paths_of
from tests.support.pages import SIZES, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.azurite,
    pytest.mark.slow,
    pytest.mark.xdist_group("demo"),
    pytest.mark.timeout(900),
]

NAMES = ["overview", "template", "incident", "sensor", "what-if"]
MOST_BYTES = 400_000


@pytest.fixture(scope="module")
def url(finished_demo: Path) -> Iterator[str]:
    """The address of the app on what the demo left."""
    with served(finished_demo) as running:
        yield running


@pytest.fixture(scope="module")
def paths(url: str) -> dict[str, str]:
    """Each kind of page by its name."""
    return paths_of(leak_of(url))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_sound(browser: "Browser", url: str, paths: dict[str, str], name: str, theme: Any, size: str) -> None:
    """No error in the console, no failed request, nothing that hinders a person, nothing wider than the screen."""
    with visiting(browser, f"{url}/{paths[name]}", theme, size) as visit:
        visit.keep(f"{name}-{theme}-{size}")
        assert visit.page.locator("html").get_attribute("data-theme") == theme
        assert visit.page.locator("h1").count() == 1
        assert visit.serious_findings() == []
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert visit.complaints == []


def test_the_pages_say_which_template_leaks_where_how_much_and_how_sure(
    browser: "Browser", url: str, paths: dict[str, str]
) -> None:
    """From the overview on by what stands there, as somebody does who has read nothing."""
    with visiting(browser, f"{url}/overview") as visit:
        page = visit.page
        first = page.locator(".card").first
        assert first.locator("h2").inner_text() == "Snorre W"
        assert "Incident" in first.inner_text()
        assert "a leak here" in first.inner_text()
        first.locator("h2 a").click()
        page.wait_for_selector("#ppmv canvas")
        lead = page.locator(".lead").inner_text()
        assert re.search(
            r"Methane leaks at Snorre W, near W2 \(probability (over )?9\d %\), since about 7 Jul 2026", lead
        )
        assert re.search(r"\d+ g/h dissolved \(90 %: \d+ g/h to \d+ g/h\)", lead)
        assert page.locator(".map rect").count() > 0
        page.get_by_role("link", name="How sure is that?").click()
        page.wait_for_selector("#ppmv canvas")
        text = page.locator("main").inner_text()
        for words in ("A leak of this template\tover 99 %", "90 % BETWEEN", "Based on", "History of the estimation"):
            assert words.lower() in text.lower(), words
        assert visit.complaints == []


def area_of(page: "Page") -> Any:
    """Return where the readings' chart is on the screen."""
    chart = page.locator("#ppmv .u-over")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    return box


def test_zoom_is_kept_in_the_address_and_a_deep_link_shows_the_same(
    browser: "Browser", url: str, paths: dict[str, str]
) -> None:
    """Buttons and dragging change the range; the link gives it back; nothing of it goes to the server."""
    with visiting(browser, f"{url}/{paths['template']}") as visit:
        page = visit.page
        page.get_by_role("button", name="Month").click()
        assert page.url.endswith("#days=30")
        page.wait_for_selector('#charts[data-shown="days=30"]')
        box = area_of(page)
        with page.expect_response(re.compile("/series")) as answered:
            page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 50)
            page.mouse.down()
            page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 60, steps=5)
            page.mouse.up()
        assert answered.value.ok
        link = page.url
        assert re.search(r"#from=2026-\d\d-\d\dT[\d:]+Z&to=", link)
    with visiting(browser, link) as visit, visit.page.expect_response(re.compile("/series")) as again:
        visit.page.reload()
    asked = [dict(re.findall(r"(from|to)=([^&]+)", one.value.url)) for one in (answered, again)]
    assert asked[0] == asked[1]


def test_values_are_told_under_the_cursor_in_the_zone_that_is_said(
    browser: "Browser", url: str, paths: dict[str, str]
) -> None:
    """The legend has each sensor's value; times are UTC, or the browser's own zone when asked for."""
    with visiting(browser, f"{url}/{paths['template']}") as visit:
        page = visit.page
        box = area_of(page)
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 100)
        legend = page.locator("#ppmv .u-legend").inner_text()
        assert re.search(r"Sensor 1\s*[\d.]+\s*Sensor 2", legend)
        assert "UTC" in page.locator("#clock").inner_text()
        page.get_by_role("button", name="Local time").click()
        assert page.get_by_role("button", name="Local time").get_attribute("aria-pressed") == "true"


def test_a_what_if_is_chosen_on_the_plan(browser: "Browser", url: str, paths: dict[str, str]) -> None:
    """A click sets the place and simulates; a place outside or a rate beyond physics is refused in words."""
    with visiting(browser, f"{url}/{paths['what-if']}") as visit:
        page = visit.page
        with page.expect_response(re.compile("/simulate")) as answered:
            page.locator("#plan svg").click(position={"x": 150, "y": 150})
        assert answered.value.ok
        expect(page.locator("#answer")).to_contain_text("would read most")
        expect(page.locator("#ppmv canvas")).to_have_count(1)
        page.locator("input[name=rate]").fill("3e9")
        page.get_by_role("button", name="Simulate").click()
        expect(page.locator("#answer")).to_contain_text("cannot dissolve here")
        expect(page.locator("#ppmv canvas")).to_have_count(0)
        page.locator("input[name=x]").fill("90")
        page.get_by_role("button", name="Simulate").click()
        expect(page.locator("#answer")).to_contain_text("x")
        assert [one for one in visit.complaints if "400" not in one] == []


def test_a_months_page_is_light(browser: "Browser", url: str, paths: dict[str, str]) -> None:
    """A template's page with 30 days of 4 sensors transfers under 400 kB, everything that it loads included."""
    with visiting(browser, f"{url}/{paths['template']}#days=30") as visit:
        assert 20_000 < visit.received < MOST_BYTES


def test_headers_keep_others_out(url: str, paths: dict[str, str]) -> None:
    """No inline script, no frame, no referrer to others; the same on problems."""
    for path in (*paths.values(), "templates/none-x", "sensors/'"):
        answer = requests.get(f"{url}/{path}", timeout=30)
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", answer.text)
        if not answer.ok:
            assert "<h1>" in answer.text
