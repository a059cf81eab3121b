"""What a page does about alarms while nobody looks at it: title, icon, words, sound and notification."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.support.http_host import FilledHost
from tests.support.pages import Visit, visiting, wait_live

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = [pytest.mark.azurite, pytest.mark.slow, pytest.mark.xdist_group("annunciate")]

PATIENCE_S = 10.0
LISTENS = """
  window.rung = 0; addEventListener('rung', () => { window.rung += 1; });
  window.told = [];
  window.Notification = class extends EventTarget {
    static permission = 'default';
    static async requestPermission() { return (this.permission = 'granted'); }
    constructor(text, options) { super(); window.told.push([text, options.tag]); }
  };
"""


@dataclass
class Control:
    """A page, and the alarms that it hears of: the API's own, as they would be."""

    visit: Visit
    example: dict[str, Any]
    alarms: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    @property
    def page(self) -> "Page":
        return self.visit.page

    def answer(self, route: "Route") -> None:
        body = json.dumps({"items": self.alarms, "continuation": None})
        route.fulfill(status=self.status, body=body, content_type="application/json")

    def alarm(self, number: int = 1, **changes: Any) -> dict[str, Any]:
        new = {"id": f"{self.example['template']}-2026030{number}T0000Z", "raised": "2026-03-04T00:00:00Z"}
        state = {"state": "unacknowledged", "active": True, "priority": "medium"}
        return {**self.example, **new, **state, **changes}

    def hears(self, *alarms: dict[str, Any]) -> None:
        """Let the page ask now, as it does each minute, and hear of these."""
        self.alarms = list(alarms)
        with self.page.expect_response("**/api/alarms?state=standing"):
            self.page.evaluate("dispatchEvent(new Event('refresh'))")

    def says(self, words: str) -> None:
        expect(self.page.locator("#announcement")).to_have_text(words)

    def complaints(self) -> list[str]:
        """What the browser complains of; it calls a 304 of the page's own refresh a failure."""
        return [text for text in self.visit.complaints if not text.endswith("/overview failed")]

    def rings(self, times: int) -> None:
        """Not by ``wait_for_function``: it needs eval where it has to wait, which the page's policy forbids."""
        end = time.monotonic() + PATIENCE_S
        while self.page.evaluate("window.rung") != times and time.monotonic() < end:
            self.page.wait_for_timeout(50)
        assert self.page.evaluate("window.rung") == times


@contextmanager
def control(browser: "Browser", host: FilledHost) -> Iterator[Control]:
    """Open the overview, where nothing stands."""
    (example, *_) = host.get("alarms")["items"]
    with visiting(browser, f"{host.url}/overview") as visit:
        new = Control(visit, example)
        visit.page.context.route("**/api/alarms?state=standing", new.answer)
        visit.page.add_init_script(LISTENS)
        visit.page.evaluate("sessionStorage.clear()")
        visit.page.reload()
        wait_live(visit.page)
        new.hears()
        yield new


def icon(page: "Page") -> str:
    return page.locator("link[rel=icon]").get_attribute("href") or ""


def test_new_escalated_and_returned_alarms_are_told_by_title_icon_and_words(
    browser: "Browser", host: FilledHost
) -> None:
    """What stands is counted until somebody acknowledges it; the words are for who hears the page."""
    with control(browser, host) as one:
        page, template = one.page, one.example["template"]
        own, calm = page.title(), icon(page)
        one.says("")
        one.hears(one.alarm())
        one.says(f"New alarm: {template}, priority medium")
        assert page.title() == f"(1) {own}"
        assert icon(page) != calm
        assert page.request.get(f"{host.url}/{icon(page).removeprefix('./')}").ok
        one.hears(one.alarm(priority="high"), one.alarm(2))
        one.says(f"Alarm escalated: {template}, priority high. New alarm: {template}, priority medium")
        assert page.title() == f"(2) {own}"
        one.hears(one.alarm(priority="high", state="acknowledged"), one.alarm(2))
        one.says(f"Alarm escalated: {template}, priority high. New alarm: {template}, priority medium")
        assert page.title() == f"(1) {own}"
        one.hears(one.alarm(2, state="returned, unacknowledged", active=False))
        one.says(f"Alarm returned: {template}, priority medium. Alarm returned: {template}, priority high")
        assert page.title() == f"(1) {own}"
        one.hears()
        expect(page).to_have_title(own)
        assert icon(page) == calm
        one.hears(one.alarm(2, raised="2026-03-05T00:00:00Z"))
        one.says(f"New alarm: {template}, priority medium")
        assert one.visit.serious_findings() == []
        assert one.complaints() == []


def test_the_title_keeps_what_stands_before_it_when_the_page_gets_another_one(
    browser: "Browser", host: FilledHost
) -> None:
    """The page's own refresh writes the title, too."""
    with control(browser, host) as one:
        own = one.page.title()
        one.hears(one.alarm())
        with one.page.expect_response("**/overview"):
            one.page.evaluate("dispatchEvent(new Event('refresh'))")
        expect(one.page).to_have_title(f"(1) {own}")


def test_what_is_not_known_is_not_shown_as_calm(browser: "Browser", host: FilledHost) -> None:
    """The server does not say: the title asks, until it does; what came meanwhile is told then."""
    with control(browser, host) as one:
        own = one.page.title()
        one.status = 500
        one.hears()
        one.says("Alarms cannot be read")
        expect(one.page).to_have_title(f"(?) {own}")
        one.status = 200
        one.hears(one.alarm())
        one.says(f"New alarm: {one.example['template']}, priority medium")
        expect(one.page).to_have_title(f"(1) {own}")


def test_what_came_while_the_tab_went_to_another_page_is_told_there(browser: "Browser", host: FilledHost) -> None:
    """And what stood before is not told again."""
    with control(browser, host) as one:
        one.hears(one.alarm())
        one.alarms = [one.alarm(), one.alarm(2, priority="high")]
        one.page.goto(f"{host.url}/templates/{one.example['template']}")
        one.says(f"New alarm: {one.example['template']}, priority high")
        assert one.page.title().startswith("(2) ")


def test_sound_is_off_until_it_is_asked_for_and_remembered(browser: "Browser", host: FilledHost) -> None:
    """It rings for what is new or escalated, once for all tabs; not for what returned."""
    with control(browser, host) as one:
        page = one.page
        button = page.get_by_role("button", name="Sound")
        expect(button).to_have_attribute("aria-pressed", "false")
        one.hears(one.alarm())
        one.says(f"New alarm: {one.example['template']}, priority medium")
        assert page.evaluate("window.rung") == 0
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        one.rings(1)  # so that it is known how it sounds
        one.hears(one.alarm(), one.alarm(2))
        one.rings(2)
        one.hears(one.alarm(priority="high"), one.alarm(2))
        one.rings(3)
        one.hears(one.alarm(2))
        one.says(f"Alarm returned: {one.example['template']}, priority high")
        assert page.evaluate("window.rung") == 3
        one.page.evaluate("localStorage.setItem('rung', '')")
        page.reload()
        wait_live(page)
        expect(page.locator("#sound")).to_have_text("Sound: click the page once")
        page.locator("h1").click()
        expect(page.locator("#sound")).to_have_text("Sound")
        one.hears(one.alarm(2), one.alarm(3))
        one.rings(1)
        page.locator("#sound").click()
        one.hears(one.alarm(2), one.alarm(3), one.alarm(4))
        one.says(f"New alarm: {one.example['template']}, priority medium")
        assert page.evaluate("window.rung") == 1
        assert one.complaints() == []


def test_two_tabs_ring_once(browser: "Browser", host: FilledHost) -> None:
    """The same alarm in another tab of the browser is silent."""
    with control(browser, host) as one:
        other = one.page.context.new_page()
        other.add_init_script(LISTENS)
        other.goto(f"{host.url}/overview")
        wait_live(other)
        other.locator("h1").click()
        one.page.get_by_role("button", name="Sound").click()
        one.hears(one.alarm())
        one.rings(2)
        with other.expect_response("**/api/alarms?state=standing"):
            other.evaluate("dispatchEvent(new Event('refresh'))")
        expect(other.locator("#announcement")).to_contain_text("New alarm")
        assert other.evaluate("window.rung") == 0


def test_the_browser_is_asked_for_notifications_on_a_click_alone(browser: "Browser", host: FilledHost) -> None:
    """Where it grants them, each alarm is one, by its id; the button is gone then."""
    with control(browser, host) as one:
        button = one.page.get_by_role("button", name="Notifications")
        one.hears(one.alarm())
        one.says(f"New alarm: {one.example['template']}, priority medium")
        assert one.page.evaluate("[Notification.permission, window.told.length]") == ["default", 0]
        button.click()
        expect(button).to_be_hidden()
        one.hears(one.alarm(priority="high"))
        one.says(f"Alarm escalated: {one.example['template']}, priority high")
        words = f"Alarm escalated: {one.example['template']}, priority high"
        assert one.page.evaluate("window.told") == [[words, one.alarm()["id"]]]


def test_a_hidden_tab_goes_on_asking(browser: "Browser", host: FilledHost) -> None:
    """Half a minute later, though nobody sees it: for alarms, and for the page itself."""
    with control(browser, host) as one:
        page = one.page
        page.clock.install()
        page.reload()
        wait_live(page)
        page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
        one.alarms = [one.alarm()]
        with page.expect_request("**/overview"), page.expect_request("**/api/alarms?state=standing"):
            page.clock.fast_forward(31_000)
        one.says(f"New alarm: {one.example['template']}, priority medium")
