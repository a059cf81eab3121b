"""One leak from quiet to resolved, on pages that stay open: what an operator reads at each step."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from local.azurite import Azurite
from local.process import HostProcess
from tests.support.filled import NOW, QUIET, SENSOR, TEMPLATE, estimate
from tests.support.pages import visiting, wait_live
from tests.support.sea import Sea, sees

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = [pytest.mark.azurite, pytest.mark.slow, pytest.mark.xdist_group("pages_live")]

BEFORE = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)  # the leak begins at six
CARD = f'.card[aria-labelledby="t-{TEMPLATE}"]'
RISEN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@contextmanager
def refusing(port: str, status: int) -> Iterator[None]:
    """Answer every request at a port as what stands before the app does once a session is over."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # as http.server wants it
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "https://login.example/authorize")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", int(port)), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def stay_signed_out(page: "Page") -> None:
    """Refuse what a page asks by itself until it is loaded anew: one answer, and its link to sign in is gone."""
    loaded = []

    def answer(route: "Route") -> None:
        loaded.extend([True] * (route.request.resource_type == "document"))
        route.continue_() if loaded else route.fulfill(status=401)

    page.route("**/*", answer)


def test_a_page_asks_again_for_what_it_was_asked_for(
    browser: "Browser", azurite: Azurite, unique: str, tmp_path: Path
) -> None:
    """With its query: a range that was chosen stays, and so does a function key."""
    sea = Sea(azurite, unique, tmp_path / "host.log")
    with sea.at(BEFORE) as url, visiting(browser, f"{url}/overview?code=a-key") as visit:
        wait_live(visit.page)
        with visit.page.expect_request("**/overview*") as again:
            visit.page.evaluate("dispatchEvent(new Event('refresh'))")
        assert again.value.url == f"{url}/overview?code=a-key"


def test_a_leak_is_followed_from_quiet_to_resolved(
    browser: "Browser", azurite: Azurite, unique: str, tmp_path: Path
) -> None:
    """Quiet, alarm, cause, lost connection, over; the page is never loaded anew, and keeps what is looked at."""
    sea = Sea(azurite, unique, tmp_path / "host.log")
    with sea.at(BEFORE) as url:
        visit = visiting(browser, f"{url}/overview")
        overview = visit.__enter__().page
        expect(overview.locator(".lead")).to_contain_text("No alarm is known, but most is not watched")
        context = overview.context
        template = context.new_page()
        template.goto(f"{url}/templates/{TEMPLATE}#days=1")
        expect(template.locator("#state .now")).to_contain_text("Ok")
        template.wait_for_selector("#ppmv canvas")
        wait_live(template)
    sees(overview, "#connection", "Not current")
    expect(overview.locator("#connection")).to_contain_text("This is how it was 2 Mar 2026 05:00 UTC")
    with sea.at(RISEN):
        sees(overview, ".lead", "Alarm: 1 of 10")
        expect(overview.locator("#connection")).to_be_hidden()
        expect(overview.locator(CARD)).to_contain_text("its cause is being estimated")
        assert "1 alarm: Overview" in overview.title()
        estimate(sea.app)
        sees(overview, CARD, "a leak here, probability of a leak over 99 %")
        sees(template, ".lead", "Methane leaks at Snorre W")
        expect(template.locator("#incidents li")).to_contain_text("ongoing")
        assert template.url.endswith("#days=1")
        assert template.locator(".sensor.critical").count() >= 1
        template.get_by_role("link", name="How sure is that?").click()
        wait_live(template)
        expect(template.locator("#answer")).to_contain_text("A leak of this template")
        expect(template.locator("#answer")).to_contain_text("How well the likeliest leak fits")
        over_time = template.get_by_role("region", name="Rate over time, if it is a leak here")
        expect(over_time.locator("tbody tr").first).to_contain_text("nothing")
        expect(over_time.locator("tbody tr").last).to_contain_text("over 99 %")
        expect(template.locator("#story .small")).to_contain_text("Ongoing")
    with sea.at(NOW):
        estimate(sea.app)
        sees(template, "#story", "Methane leaked at Snorre W")
        expect(template.locator("#story")).to_contain_text("Ended 3 Mar 2026")
        sees(overview, ".lead", "No alarm is known")
    visit.__exit__(None, None, None)


def test_a_page_asks_to_sign_in_again_when_the_session_is_over(
    browser: "Browser", azurite: Azurite, unique: str, tmp_path: Path
) -> None:
    """A redirect to the login, which the page's policy lets nobody follow, and a plain refusal; the link reloads."""
    sea = Sea(azurite, unique, tmp_path / "host.log")
    with ExitStack() as kept:
        with sea.at(BEFORE) as url:
            seen = kept.enter_context(visiting(browser, f"{url}/templates/{TEMPLATE}#days=1"))
            wait_live(seen.page)
        page, banner = seen.page, seen.page.locator("#connection")
        seen.complaints.clear()
        with refusing(sea.port, 302):
            sees(page, "#connection", "Signed out: sign in again. This is how it was 2 Mar 2026 05:00 UTC")
            # The browser calls a redirect that is not followed a failure; the policy has nothing to complain of.
            assert set(seen.complaints) <= {"https://login.example/authorize failed"}
            page.get_by_role("button", name="Month").click()
            expect(page.locator("#loading")).to_contain_text("Not loaded")
            expect(banner).to_contain_text("Signed out")
        with sea.at(BEFORE):
            sees(page, "#clock", "2 Mar 2026")
            expect(banner).to_be_hidden()
        for status in (401, 403):
            with refusing(sea.port, status):
                sees(page, "#connection", "Signed out: sign in again")
        stay_signed_out(page)
        with sea.at(BEFORE):
            page.get_by_role("link", name="sign in again").click()
            page.wait_for_selector('#charts[data-shown="days=30"]')
            wait_live(page)
            assert page.url.endswith("#days=30")


def test_old_data_are_not_shown_as_current(browser: "Browser", azurite: Azurite, unique: str, tmp_path: Path) -> None:
    """Five hours without data: the card says how old they are, and needs attention, as do those that never had any."""
    sea = Sea(azurite, unique, tmp_path / "host.log")
    with sea.at(BEFORE):
        pass
    settings = {**sea.values, **QUIET, "AS_OF": RISEN.isoformat()}
    with HostProcess(settings, log=tmp_path / "later.log") as host:
        with visiting(browser, f"{host.url}/overview") as visit:
            expect(visit.page.locator(".lead")).to_contain_text("10 of 10 need attention")
            age = visit.page.locator(f"{CARD} [data-age]")
            expect(age).to_have_text("2 Mar 2026 04:50 UTC, 5 h old")
            assert "old" in (age.get_attribute("class") or "")
        with visiting(browser, f"{host.url}/templates/{TEMPLATE}") as visit:
            expect(visit.page.locator("tr.stale").first).to_contain_text("not asked for lately")


def test_an_operator_says_what_it_was(browser: "Browser", azurite: Azurite, unique: str, tmp_path: Path) -> None:
    """The form takes the charts' range, the answer says what follows, the list shows it, and it can be withdrawn."""
    sea = Sea(azurite, unique, tmp_path / "host.log")
    with sea.at(NOW) as url, visiting(browser, f"{url}/sensors/{SENSOR}#days=1") as visit:
        page = visit.page
        page.wait_for_selector('#charts[data-shown="days=1"]')
        page.get_by_role("button", name="Use the charts' time range").click()
        assert page.locator("input[name=from]").input_value() == "2026-03-03T00:00"
        page.locator("#feedback input[name=by]").fill("<b>A. Person</b>")
        page.get_by_role("button", name="Submit feedback").click()
        expect(page.locator("#answer")).to_contain_text("Thank you")
        expect(page.locator("#marks tbody tr")).to_contain_text("<b>A. Person</b>")
        page.get_by_role("button", name="Withdraw").click()
        expect(page.locator("#marks tbody tr")).to_contain_text("withdrawn")
        page.locator("input[name=from]").fill("2030-01-01T00:00")
        page.get_by_role("button", name="Submit feedback").click()
        expect(page.locator("#answer")).to_contain_text("from")
        assert [one for one in visit.complaints if "400" not in one] == []


def test_a_page_that_cannot_keep_itself_current_says_so(
    browser: "Browser", azurite: Azurite, unique: str, tmp_path: Path
) -> None:
    """The host goes away after the page and before its script: nobody may take for current what never changes."""
    sea = Sea(azurite, unique, tmp_path / "host.log")
    with sea.at(BEFORE) as url, browser.new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        page.route("**/assets/times.*.js", lambda route: route.abort())
        page.goto(f"{url}/overview")
        banner = page.locator("#connection")
        assert not banner.is_visible(), "it flashes before the script can be there"
        expect(banner).to_be_visible(timeout=10_000)
        expect(banner).to_contain_text("Not current: what keeps this page up to date did not load")
        page.unroute("**/assets/times.*.js")
        page.reload()
        wait_live(page)
        assert not banner.is_visible()
