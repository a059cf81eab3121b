"""Charts and times in a real browser: zoom, lines that stay hidden, shading, and the zone of every time."""

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from functions.http.assets import asset_name
from tests.support.pages import visiting, wait_live

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = [pytest.mark.azurite, pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(900)]

OSLO = "Europe/Oslo"
SUMMER, WINTER = 1792886400000, 1792890000000  # 25 Oct 2026: two o'clock, and again an hour later
UNKNOWN = """
const told = Intl.DateTimeFormat.prototype.resolvedOptions;
Intl.DateTimeFormat.prototype.resolvedOptions = function () { return { ...told.call(this), timeZone: "Etc/Unknown" }; };
"""


def box_of(page: "Page", chart: str) -> Any:
    """Return where a chart is plotted on the screen."""
    area = page.locator(f"#{chart} .u-over")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    return box


def range_of(page: "Page") -> tuple[float, float]:
    """Return the range that the charts show [s]."""
    low, high = page.locator("#charts").get_attribute("data-range").split()  # type: ignore[union-attr]
    return float(low), float(high)


def imported(page: "Page", script: str, expression: str, *arguments: Any) -> Any:
    """Return what a script of the page says, such as ``clock(0)``."""
    url = f"{page.url.split('/templates')[0]}/assets/{asset_name(script)}"
    return page.evaluate(
        f"([url, given]) => import(url).then(({{ {expression} }}) => {expression}(...given))", [url, arguments]
    )


def test_the_wheel_zooms_at_the_cursor(browser: "Browser", url: str, paths: dict[str, str]) -> None:
    """What is under it stays there, in and out again; the other chart shows the same range."""
    with visiting(browser, f"{url}/{paths['template']}#days=7") as visit:
        page = visit.page
        page.wait_for_selector('#charts[data-shown="days=7"]')
        box = box_of(page, "ppmv")
        low, high = range_of(page)
        under = low + 0.75 * (high - low)
        page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 60)
        for step in (-100, -100, 100):
            shown = page.locator("#charts").get_attribute("data-shown") or ""
            page.mouse.wheel(0, step)
            expect(page.locator("#charts")).not_to_have_attribute("data-shown", shown)
            before, (low, high) = high - low, range_of(page)
            assert (high - low) / before == pytest.approx(0.8 if step < 0 else 1.25, rel=0.01)
            assert low + 0.75 * (high - low) == pytest.approx(under, abs=0.01 * (high - low))
        assert visit.complaints == []


def test_a_page_that_is_scrolled_goes_on_being_scrolled(browser: "Browser", url: str, paths: dict[str, str]) -> None:
    """Where a chart comes under the cursor on the way, it does not stop the page."""
    with visiting(browser, f"{url}/{paths['template']}#days=7", size="phone") as visit:
        page = visit.page
        page.wait_for_selector('#charts[data-shown="days=7"]')
        page.evaluate("dispatchEvent(new WheelEvent('wheel', { bubbles: true }))")
        page.locator("#ppmv .u-over").evaluate("(one) => one.dispatchEvent(new WheelEvent('wheel', { deltaY: -9 }))")
        assert page.locator("#charts").get_attribute("data-shown") == "days=7"
        assert page.url.endswith("#days=7")


def names_shown(page: "Page", chart: str) -> list[str]:
    """Return the lines of a chart that are not hidden."""
    return page.locator(f"#{chart} .u-series:not(.u-off):not(.band):not(.quiet) th").all_inner_texts()[1:]


def test_a_hidden_line_stays_hidden_everywhere(browser: "Browser", url: str, paths: dict[str, str]) -> None:
    """In all charts of the page, in another range, after a refresh and when the page is loaded anew."""
    with visiting(browser, f"{url}/{paths['template']}#days=7") as visit:
        page = visit.page
        page.locator("#ppmv .u-series th", has_text="Sensor 3").click()
        left = ["Sensor 1", "Sensor 2", "Sensor 4"]
        assert names_shown(page, "ppmv") == names_shown(page, "score") == left
        page.get_by_role("button", name="Month").click()
        page.wait_for_selector('#charts[data-shown="days=30"]')
        assert names_shown(page, "ppmv") == names_shown(page, "score") == left
        assert page.locator("#ppmv .u-series.band.u-off").count() == 2
        page.reload()
        page.wait_for_selector('#charts[data-shown="days=30"]')
        assert names_shown(page, "ppmv") == names_shown(page, "score") == left
        page.locator("#score .u-series.line th", has_text="Sensor 3").click()
        assert len(names_shown(page, "ppmv")) == 4


SHADED = """() => {
  const canvas = document.querySelector("#ppmv canvas"), over = document.querySelector("#ppmv .u-over");
  const share = canvas.width / canvas.clientWidth;
  const [left, right] = [over.offsetLeft * share, (over.offsetLeft + over.offsetWidth) * share];
  const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = { inside: 0, outside: 0 };
  for (let k = 0; k < data.length; k += 4) {
    const isShade = data[k] > 150 && data[k + 1] < 140 && data[k + 2] < 140 && data[k + 3] > 20 && data[k + 3] < 80;
    const x = (k / 4) % width;
    if (isShade) found[x >= left - 1 && x <= right + 1 ? "inside" : "outside"] += 1;
  }
  return found;
}"""


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_shading_ends_with_the_plot(browser: "Browser", url: str, paths: dict[str, str], theme: Any) -> None:
    """An incident that begins before and ends after what is shown colours nothing beside it."""
    shown = "from=2026-07-08T00:00:00Z&to=2026-07-08T06:00:00Z"
    with visiting(browser, f"{url}/{paths['template']}#{shown}", theme) as visit:
        visit.page.wait_for_selector(f'#charts[data-shown="{shown}"]')
        found = visit.page.evaluate(SHADED)
        assert found["inside"] > 10_000
        assert found["outside"] == 0


@pytest.mark.parametrize("name", ["overview", "template", "incident", "sensor"])
def test_every_time_follows_the_zone(browser: "Browser", url: str, paths: dict[str, str], name: str) -> None:
    """In sentences and events, too: nothing on the page is UTC any more; legend and axis name the zone."""
    with visiting(browser, f"{url}/{paths[name]}", zone=OSLO) as visit:
        page = visit.page
        wait_live(page)
        assert "UTC" in page.locator("main").inner_text()
        page.get_by_role("button", name="Local time").click()
        said = page.locator("body").inner_text().replace("by days of UTC", "")
        assert not re.search(r"UTC|\dT\d\d:", said)
        assert "CEST" in said
        if page.locator("#ppmv").count():
            assert "Europe/Oslo" in page.locator("#ppmv .u-legend").inner_text()


def test_the_hour_that_autumn_repeats_is_told_apart(browser: "Browser", url: str, paths: dict[str, str]) -> None:
    """In the text, under the cursor, and on the axis."""
    with visiting(browser, f"{url}/{paths['template']}", zone=OSLO) as visit:
        page = visit.page
        page.get_by_role("button", name="Local time").click()
        texts = [imported(page, "times.js", "text", moment) for moment in (SUMMER, WINTER)]
        assert texts == ["25 Oct 2026 02:00 CEST", "25 Oct 2026 02:00 CET"]
        clocks = [imported(page, "times.js", "clock", moment) for moment in (SUMMER, WINTER)]
        assert clocks == ["25 Oct 02:00 CEST", "25 Oct 02:00 CET"]
        hours = [SUMMER // 1000 + 3600 * k for k in range(-1, 3)]
        axis = [imported(page, "charts.js", "label", at, before) for before, at in pairwise(hours)]
        assert axis == ["02:00", "02:00\nCET", "03:00"]


def test_a_zone_that_the_browser_does_not_know_is_utc(browser: "Browser", url: str, paths: dict[str, str]) -> None:
    """The page works, and keeps itself current."""
    with browser.new_context() as context:
        context.add_init_script(UNKNOWN)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{url}/{paths['template']}")
        page.get_by_role("button", name="Local time").click()
        page.wait_for_selector("#ppmv canvas")
        wait_live(page)
        assert "UTC" in page.locator("#clock").inner_text()
        assert errors == []


def test_a_page_is_current_when_the_server_has_said_so(browser: "Browser", url: str) -> None:
    """Loaded is not enough: what asks the server fails, so the banner stays, and goes when the server answers."""
    with browser.new_context() as context:
        page = context.new_page()
        page.route(
            "**/overview", lambda route: route.continue_() if route.request.is_navigation_request() else route.abort()
        )
        page.goto(f"{url}/overview")
        banner = page.locator("#connection")
        expect(banner).to_contain_text("Not current")
        expect(banner).to_be_visible()
        page.unroute("**/overview")
        page.evaluate("dispatchEvent(new Event('refresh'))")
        expect(banner).to_be_hidden()


def test_the_feedback_form_says_its_zone_and_keeps_the_moment(
    browser: "Browser", url: str, paths: dict[str, str]
) -> None:
    """In another zone the same moment reads otherwise; an hour that comes twice, or never, is refused in words."""
    with visiting(browser, f"{url}/{paths['sensor']}#days=1", zone=OSLO) as visit:
        page = visit.page
        page.wait_for_selector('#charts[data-shown="days=1"]')
        page.get_by_role("button", name="Use the charts' time range").click()
        first = page.get_by_label("From (UTC)")
        assert first.input_value() == "2026-07-08T06:00"
        page.get_by_role("button", name="Local time").click()
        first = page.get_by_label("From (Europe/Oslo)")
        assert first.input_value() == "2026-07-08T08:00"
        page.locator("#feedback").get_by_label("Your name").fill("A. Person")
        bodies: list[Any] = []

        def refuse(route: "Route") -> None:
            bodies.append(route.request.post_data_json)
            route.abort()

        page.route("**/feedback", refuse)
        page.get_by_role("button", name="Submit feedback").click()
        expect(page.locator("#answer")).not_to_be_empty()
        assert bodies[0]["from"] == "2026-07-08T06:00:00.000Z"
        for text, words in (("2025-10-26T02:30", "comes twice"), ("2026-03-29T02:30", "does not come")):
            first.fill(text)
            page.get_by_role("button", name="Submit feedback").click()
            expect(page.locator("#answer")).to_contain_text(f"{words} in Europe/Oslo")
        assert len(bodies) == 1


def test_the_flat_lines_are_explained(browser: "Browser", url: str, paths: dict[str, str]) -> None:
    """Beside the chart that has them."""
    with visiting(browser, f"{url}/{paths['template']}") as visit:
        expect(visit.page.locator("#score + p")).to_contain_text("flat at 0.99")
