"""The pages in a real browser, on the demo's data: nothing is wrong with them, and they tell what is wrong at sea."""

import re
from typing import TYPE_CHECKING, Any

import pytest
import requests
from playwright.sync_api import expect

from tests.support.pages import SIZES, visiting, wait_live

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.azurite,
    pytest.mark.slow,
    pytest.mark.xdist_group("demo"),
    pytest.mark.timeout(900),
]

NAMES = [
    *("overview", "wall", "template", "incident", "sensor", "what-if", "performance"),
    *("alarms", "journal", "handover", "report"),
]
MOST_BYTES = 400_000


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
        first = page.locator(".card.u0")
        assert first.locator("h3").inner_text() == "Snorre W"
        assert "Incident" in first.inner_text()
        assert "a leak here" in first.inner_text()
        first.locator("h3 a").click()
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


@pytest.mark.parametrize("name", ["template", "incident"])
def test_the_sea_is_drawn_below_the_readings(browser: "Browser", url: str, paths: dict[str, str], name: str) -> None:
    """Speed and direction of the current, each with its unit, on the readings' time axis; what is not there is not."""
    with visiting(browser, f"{url}/{paths[name]}") as visit:
        page = visit.page
        for quantity in ("currentSpeedMS", "currentDirectionDeg"):
            expect(page.locator(f"#{quantity} canvas")).to_have_count(1)
        headings = page.locator("#sea section:visible h3").all_inner_texts()
        assert headings[:2] == ["Current, speed [m/s]", "Current, where it flows towards [° from north]"]
        readings, sea = (page.locator(f"#{one} .u-over").bounding_box() for one in ("ppmv", "currentSpeedMS"))
        assert readings is not None
        assert sea is not None
        assert (sea["x"], sea["width"]) == (readings["x"], readings["width"])
        assert visit.complaints == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_sensors_of_two_templates_are_compared(browser: "Browser", url: str, theme: Any) -> None:
    """Chosen on the page, drawn on one axis under their whole ids, and the address holds them."""
    with visiting(browser, f"{url}/compare", theme) as visit:
        page = visit.page
        for sensor in ("snorre-w-1", "snorre-n-1"):
            page.locator(f"input[value={sensor}]").check()
        page.get_by_role("button", name="Compare").click()
        expect(page.locator("#ppmv canvas")).to_have_count(1)
        assert "compare?sensors=" in page.url
        assert page.locator("#ppmv .u-legend .line .u-label").all_inner_texts() == ["snorre-n-1", "snorre-w-1"]
        assert visit.serious_findings() == []
        page.get_by_role("button", name="Month").click()
        expect(page.locator("#score canvas")).to_have_count(1)
        assert visit.complaints == []


def test_only_sensors_that_are_there_can_be_compared(url: str) -> None:
    """Too many, or one that is not registered, are refused in words."""
    for sensors, status, words in (
        ("snorre-w-9", 404, "is not registered"),
        (",".join(f"snorre-w-{one}" for one in range(1, 10)), 400, "at most 8 can be compared, not 9"),
    ):
        answer = requests.get(f"{url}/compare", params={"sensors": sensors}, timeout=30)
        assert answer.status_code == status
        assert words in answer.text


def test_a_what_if_is_chosen_on_the_plan(browser: "Browser", url: str, paths: dict[str, str]) -> None:
    """A click sets the place and simulates; a place outside or a rate beyond physics is refused in words."""
    with visiting(browser, f"{url}/{paths['what-if']}") as visit:
        page = visit.page
        with page.expect_response(re.compile("/simulate")) as answered:
            page.locator("#plan svg").click(position={"x": 150, "y": 150})
        assert answered.value.ok
        expect(page.locator("#answer")).to_contain_text("would read most")
        expect(page.locator("#ppmv canvas")).to_have_count(1)
        expect(page.locator("#found")).to_contain_text("It would be Critical within 24 h with a probability of")
        expect(page.locator("#chances tbody tr")).to_have_count(3)
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


def test_a_page_ignores_parameters_that_it_does_not_know(url: str, paths: dict[str, str]) -> None:
    """Mail programs and the like add some; the API, where one may be a misspelt filter, refuses them."""
    for path in paths.values():
        more = "&" if "?" in path else "?"
        answers = [
            requests.get(f"{url}/{path}{add}", timeout=30) for add in ("", f"{more}utm_source=mail&wall2=1&fro=x")
        ]
        assert [one.status_code for one in answers] == [200, 200], path
        assert answers[0].text == answers[1].text, path
    assert requests.get(f"{url}/overview?wall=no", timeout=30).text == requests.get(f"{url}/overview", timeout=30).text
    assert requests.get(f"{url}/api/platforms?utm_source=mail", timeout=30).status_code == 400


def test_the_root_leads_to_the_overview(browser: "Browser", url: str) -> None:
    """With the platform's key and the wall, and nothing else of what it was asked with."""
    answer = requests.get(f"{url}/?code=a-key&wall=1&next=//elsewhere", timeout=30, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "overview?code=a-key&wall=1")
    with visiting(browser, url) as visit:
        assert visit.page.url == f"{url}/overview"
        assert visit.complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_a_wall_shows_every_card_within_its_screen(browser: "Browser", url: str, size: str) -> None:
    """Large, with nothing around: all cards at once where there is room, else one page after the other."""
    with visiting(browser, f"{url}/overview?wall=1", size=size) as visit:
        page = visit.page
        page.clock.install()
        page.reload()
        wait_live(page)
        cards = page.locator(".card")
        seen: set[int] = set()
        for _ in range(cards.count()):
            shown = [k for k in range(cards.count()) if cards.nth(k).is_visible()]
            for k in shown:
                box = cards.nth(k).bounding_box()
                assert box is not None
                assert box["x"] + box["width"] <= SIZES[size][0]
                assert box["y"] + box["height"] <= SIZES[size][1]
            seen.update(shown)
            if size == "wide":
                assert len(shown) == cards.count()
            page.clock.run_for(15_000)
        assert seen == set(range(cards.count()))
        assert float(page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")) >= 18
        assert not page.get_by_role("link", name="API").is_visible()
        assert not page.get_by_role("button", name="Local time").is_visible()
        assert page.locator("#clock").is_visible()
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_a_wide_screen_is_used(browser: "Browser", url: str, paths: dict[str, str]) -> None:
    """Cards, drawings and charts go from one side to the other, and charts are higher."""
    with visiting(browser, f"{url}/{paths['template']}", size="wide") as visit:
        chart = visit.page.locator("#ppmv canvas").bounding_box()
        assert chart is not None
        assert chart["width"] > 1800
        assert chart["height"] > 300
    with visiting(browser, f"{url}/overview", size="wide") as visit:
        boxes: list[Any] = [one.bounding_box() for one in visit.page.locator(".card").all()]
        assert max(one["x"] + one["width"] for one in boxes) > 1850
        assert len({one["y"] for one in boxes}) == 2


def test_cards_keep_their_place(url: str) -> None:
    """Platforms by name, whatever is wrong; what is wrong first inside of one."""
    text = requests.get(f"{url}/overview", timeout=30).text
    assert re.findall(r'<h2 id="p-(\w+)"', text) == ["askeladd", "snorre", "trestakk", "troll"]
    cards = re.findall(r'<article class="card u(\d)" aria-labelledby="t-(\w+)-', text)
    assert [platform for _, platform in cards] == sorted(platform for _, platform in cards)
    assert cards == sorted(cards, key=lambda one: (one[1], one[0]))
    assert cards[1] == ("0", "snorre")
