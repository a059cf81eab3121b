"""An alarm from normal to normal, as an operator sees it, and what stays readable of it afterwards."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from playwright.sync_api import expect

from local.azurite import Azurite
from shared.domain.tsd import iso
from tests.support.filled import NOW, TEMPLATE, estimate
from tests.support.pages import visiting, wait_live
from tests.support.sea import Sea, sees

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.azurite, pytest.mark.slow, pytest.mark.xdist_group("pages_live")]

QUIET_STILL = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)  # the leak begins at six
RISEN = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)


@pytest.fixture
def sea(azurite: Azurite, unique: str, tmp_path: Path) -> Sea:
    """The app, before a leak."""
    return Sea(azurite, unique, tmp_path / "host.log")


def acknowledge(page: "Page", by: str, comment: str) -> None:
    """Acknowledge the first alarm that the page offers."""
    page.locator("#acknowledge [name=by]").fill(by)
    page.locator("#acknowledge [name=comment]").fill(comment)
    page.locator("[data-acknowledge]").first.click()
    expect(page.locator("#acknowledged")).to_have_text("Acknowledged.")


def test_an_alarm_lives_from_normal_to_normal(browser: "Browser", sea: Sea) -> None:
    """Raised and estimated, acknowledged by a name with a comment, returned; and read as of three earlier times."""
    with sea.at(QUIET_STILL) as url, visiting(browser, f"{url}/alarms") as visit:
        expect(visit.page.locator("#list")).to_contain_text("No alarm fits.")
    with sea.at(RISEN) as url:
        incident = estimate(sea.app).id
    with sea.at(RISEN + timedelta(hours=1)) as url:
        with visiting(browser, f"{url}/alarms") as visit:
            wait_live(visit.page)
            row = visit.page.locator("#list tbody tr").first
            expect(row).to_contain_text("unacknowledged")
            visit.keep("alarms-unacknowledged")
            acknowledge(visit.page, "A. Person", "ROV asked for")
            sees(visit.page, "#list tbody tr", "A. Person")
            assert visit.serious_findings() == []
        with visiting(browser, f"{url}/overview") as visit:
            expect(visit.page.locator(f'.card[aria-labelledby="t-{TEMPLATE}"]')).to_contain_text("acknowledged")
    with sea.at(NOW) as url:
        with visiting(browser, f"{url}/incidents/{incident}", "light") as visit:
            expect(visit.page.locator("#story")).to_contain_text("Acknowledged by A. Person")
            expect(visit.page.locator("#story")).to_contain_text("normal")
            expect(visit.page.locator("#timeline")).to_contain_text("ROV asked for")
            visit.keep("incident-returned")
            visit.page.locator("#timeline li", has_text="raised").locator("a").click()
            expect(visit.page.locator("#as-of")).to_contain_text("As it was known")
            expect(visit.page.locator("#story")).to_contain_text("unacknowledged")
            expect(visit.page.locator("#story")).not_to_contain_text("A. Person")
            visit.keep("incident-as-of")
        with visiting(browser, f"{url}/templates/{TEMPLATE}?asOf={iso(RISEN)}") as visit:
            expect(visit.page.locator("#state")).to_contain_text("Incident since")
            assert visit.serious_findings() == []
        with visiting(browser, f"{url}/templates/{TEMPLATE}?asOf={iso(QUIET_STILL)}") as visit:
            expect(visit.page.locator("#state")).not_to_contain_text("Incident")
            expect(visit.page.locator("#state")).to_contain_text("Ok")


def test_an_incident_that_is_taken_back_stays_readable(browser: "Browser", sea: Sea) -> None:
    """Its page, its disposition, its place in the lists, and the journal."""
    with sea.at(RISEN) as url:
        incident = estimate(sea.app)
        (stored,) = sea.app.incidents.list(TEMPLATE)
        sea.app.alarms.withdraw(stored.incident, "judged no leak by A. Person, 2026-03-02T13:00:00Z: a trawler")
        sea.app.incidents.remove(stored.incident)
        sea.app.estimations.remove(TEMPLATE, incident.id)
        with visiting(browser, f"{url}/incidents/{incident.id}") as visit:
            expect(visit.page.locator("#story .lead")).to_contain_text("judged no leak by A. Person")
            expect(visit.page.locator("#answer")).to_be_attached()
            visit.keep("incident-withdrawn")
        with visiting(browser, f"{url}/templates/{TEMPLATE}") as visit:
            expect(visit.page.locator("#incidents")).to_contain_text("withdrawn: judged no leak")
        with visiting(browser, f"{url}/journal?template={TEMPLATE}") as visit:
            expect(visit.page.locator("#list")).to_contain_text("judged no leak by A. Person")
            assert visit.serious_findings() == []
            visit.keep("journal")


def test_a_report_is_printed_from_the_dark_theme(browser: "Browser", sea: Sea, tmp_path: Path) -> None:
    """As a PDF, black on white, with what an authority asks for."""
    with sea.at(RISEN) as url:
        incident = estimate(sea.app).id
        with visiting(browser, f"{url}/incidents/{incident}/report", "dark") as visit:
            page = visit.page
            for words in ("facility", "Verdict", "Position", "Dissolved so far", "Signatures", "printed", "raised"):
                expect(page.locator("#main")).to_contain_text(words)
            page.emulate_media(media="print")
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
            assert not page.locator("header").is_visible()
            paper = page.pdf(path=str(tmp_path / "report.pdf"), format="A4")
            assert paper.startswith(b"%PDF")
            visit.keep("report-print")


def test_a_shift_is_handed_over_with_its_notes(browser: "Browser", sea: Sea) -> None:
    """What stands, what was said, and a note that is written there."""
    with sea.at(RISEN) as url:
        estimate(sea.app)
        with visiting(browser, f"{url}/handover?since={iso(RISEN - timedelta(hours=12))}") as visit:
            wait_live(visit.page)
            expect(visit.page.locator("#shift")).to_contain_text("unacknowledged")
            visit.page.locator("#note [name=by]").fill("A. Person")
            visit.page.locator("#note [name=template]").select_option(TEMPLATE)
            visit.page.locator("#note [name=message]").fill("ROV at P1 until six")
            visit.page.locator("#note button").click()
            sees(visit.page, "#shift", "ROV at P1 until six")
            assert visit.serious_findings() == []
            visit.keep("handover")


def test_who_acknowledges_what_they_have_not_seen_is_told(browser: "Browser", sea: Sea) -> None:
    """The alarm changed since the page was loaded: it says so, and nothing is acknowledged."""
    with sea.at(RISEN) as url:
        incident = estimate(sea.app).id
        with visiting(browser, f"{url}/incidents/{incident}") as visit:
            wait_live(visit.page)
            visit.page.evaluate("document.querySelector('[data-acknowledge]').dataset.etag = '\"of before\"'")
            visit.page.locator("#acknowledge [name=by]").fill("A. Person")
            visit.page.locator("[data-acknowledge]").click()
            expect(visit.page.locator("#acknowledged")).to_contain_text("has changed")
        assert requests.get(f"{url}/api/alarms/{incident}", timeout=30).json()["acknowledged"] is None
