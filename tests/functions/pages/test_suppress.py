"""An operator keeps alarms from calling: the forms of a template and a sensor, and what the pages then say."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from local.azurite import Azurite
from tests.support.filled import SENSOR, TEMPLATE
from tests.support.http_host import FilledHost, filled_host
from tests.support.pages import visiting, wait_live

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.azurite, pytest.mark.slow, pytest.mark.xdist_group("pages_suppress")]

LATER = "2026-03-05T06:00"  # than the present of that world


@pytest.fixture
def filled(azurite: Azurite, unique: str, tmp_path: Path) -> Iterator[FilledHost]:
    """A host whose template has had an incident."""
    with filled_host(azurite.connection_string, unique, tmp_path) as running:
        yield running


def test_a_template_is_shelved_and_an_operation_planned(browser: "Browser", filled: FilledHost) -> None:
    """Both are said on its page and on the overview as long as they last; who ends one gives a name."""
    with visiting(browser, f"{filled.url}/templates/{TEMPLATE}") as visit:
        page, said = visit.page, visit.page.locator("#suppressions p")
        wait_live(page)
        shelve = page.get_by_role("form", name="Shelve")
        shelve.get_by_label("Until").fill("2026-03-30T06:00")
        shelve.get_by_label("Your name").fill("A. Person")
        shelve.get_by_label("Reason").fill("<b>trawlers</b>")
        shelve.get_by_role("button").click()
        expect(page.locator("#suppressed")).to_contain_text("at most 7 days ahead")
        assert said.count() == 0
        shelve.get_by_label("Until").fill(LATER)
        shelve.get_by_role("button").click()
        expect(said).to_have_text("Shelved until 5 Mar 2026 06:00 UTC by A. Person: <b>trawlers</b> End it")
        plan = page.get_by_role("form", name="Plan an operation")
        plan.get_by_label("Operation").select_option("pigging")
        plan.locator("select[name=at]").select_option(label="all of Snorre")
        plan.get_by_label("From").fill(LATER)
        plan.get_by_label("To").fill("2026-03-05T12:00")
        plan.get_by_label("Your name").fill("B. Person")
        plan.get_by_label("Reason").fill("pig 3")
        plan.get_by_role("button").click()
        expect(said.nth(1)).to_contain_text("Planned operation, pigging at all of the platform 5 Mar 2026 06:00 UTC")
        visit.keep("suppressed-template")
        assert visit.serious_findings() == []
        assert [one for one in visit.complaints if "400" not in one] == []
        with visiting(browser, f"{filled.url}/overview", size="phone") as other:
            card = other.page.locator(".card").filter(has=other.page.locator(f'a[href$="{TEMPLATE}"]'))
            expect(card).to_contain_text("Shelved until 5 Mar 2026 06:00 UTC by A. Person")
            expect(card).to_contain_text("Planned operation, pigging at all of the platform")
            assert other.serious_findings() == []
            assert other.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        said.first.get_by_role("button", name="End it").click()
        expect(said).to_have_count(1)
        expect(said).to_contain_text("Planned operation")


def test_a_sensor_is_taken_out_of_service(browser: "Browser", filled: FilledHost) -> None:
    """Its page and its template's say so beside what it reads; nobody without a name puts it back."""
    with visiting(browser, f"{filled.url}/sensors/{SENSOR}") as visit:
        page = visit.page
        wait_live(page)
        page.wait_for_selector("#ppmv canvas")
        form = page.get_by_role("form", name="Take out of service")
        form.get_by_label("Until").fill(LATER)
        form.get_by_label("Your name").fill("A. Person")
        form.get_by_label("Reason").fill("cable")
        form.get_by_role("button").click()
        expect(page.locator("#state .now")).to_contain_text("Out of service since 4 Mar 2026 00:00 UTC")
        expect(page.locator("#suppressions")).to_contain_text("Sensor 2 out of service until 5 Mar 2026 06:00 UTC")
        assert visit.serious_findings() == []
        with visiting(browser, f"{filled.url}/templates/{TEMPLATE}") as other:
            row = other.page.locator("tbody tr").filter(has=other.page.locator(f'a[href$="{SENSOR}"]'))
            expect(row).to_contain_text("Out of service")
            expect(row.locator("td").nth(1)).not_to_have_text("–")  # noqa: RUF001 (what stands for no reading)
        form.get_by_label("Your name").fill("")
        page.get_by_role("button", name="End it").click()
        expect(page.locator("#state .now")).to_contain_text("Out of service")
        form.get_by_label("Your name").fill("B. Person")
        page.get_by_role("button", name="End it").click()
        expect(page.locator("#state .now")).not_to_contain_text("Out of service")
        assert [one for one in visit.complaints if "/series?" not in one] == []  # the charts ask anew, and leave that
