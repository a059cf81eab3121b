"""Pages in a real browser: what it complains of, what axe finds, and pictures that are kept."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.paths import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = ROOT / ".tools" / "web" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = Path(os.environ.get("PICTURES", ROOT / ".run" / "pictures"))
SIZES = {"desk": (1366, 768), "wide": (1920, 1080), "phone": (390, 844)}
SERIOUS = ("serious", "critical")


@dataclass
class Visit:
    """A page, and what went wrong on it."""

    page: "Page"
    complaints: list[str] = field(default_factory=list)
    received: int = 0  # bytes, as they came over the wire

    def serious_findings(self) -> list[str]:
        """Return what axe finds against WCAG 2.2 AA, and what it is about."""
        self.page.evaluate(AXE.read_text())  # by the browser itself: the page's policy forbids it to anybody else
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found: dict[str, Any] = self.page.evaluate("(tags) => axe.run(document, {runOnly: tags})", tags)
        return [
            f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
            for one in found["violations"]
            if one["impact"] in SERIOUS
        ]

    def keep(self, name: str) -> None:
        """Keep a picture of the whole page."""
        keep_picture(self.page, name)


def keep_picture(page: "Page", name: str) -> None:
    """Keep a picture of a whole page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=True)


def wait_live(page: "Page") -> None:
    """Wait until a page keeps itself current: before, it does not hear what happens."""
    page.locator("#connection[hidden]").wait_for(state="attached")


@contextmanager
def visiting(
    browser: "Browser", url: str, theme: Any = "dark", size: str = "desk", zone: str | None = None
) -> Iterator[Visit]:
    """Open a page in a browser of that time zone, and wait until its charts are drawn."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, timezone_id=zone)
    page = context.new_page()
    visit = Visit(page)
    page.on("console", lambda said: visit.complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("requestfailed", lambda request: visit.complaints.append(f"{request.url} failed"))
    page.on("requestfinished", lambda request: _count(visit, request))
    page.goto(url)
    page.wait_for_load_state("networkidle")
    if page.locator(".plot").count():
        page.locator(".plot canvas").first.wait_for()
    try:
        yield visit
    finally:
        context.close()


def _count(visit: Visit, request: Any) -> None:
    sizes = request.sizes()
    visit.received += sizes["responseBodySize"] + sizes["responseHeadersSize"]
