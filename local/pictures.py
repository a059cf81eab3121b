"""Takes the pictures of the documentation: the pages of a finished demo in a real browser.

    python -m local.pictures [--storage .run/demo] [--out docs/pictures]

`make pictures` runs the demo first. The same demo gives the same pictures.
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from playwright.sync_api import sync_playwright

from local.demo import served
from local.process import PROJECT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTH, HEIGHT = 1366, 1250
PATIENCE = 15_000  # [ms]
STATED_WITHIN_S = 180  # a statement takes half a minute of one core


def chromium() -> str | None:
    """The browser's program: CHROMIUM, or the one on the PATH."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def leak_of(url: str) -> str:
    """The id of the incident that is a leak."""
    for platform in requests.get(f"{url}/api/platforms", timeout=30).json()["items"]:
        for template in platform["templates"]:
            for one in requests.get(f"{url}/api/templates/{template}/estimations", timeout=30).json()["items"]:
                if one["verdict"] == "CONFIRMED":
                    return str(one["incident"])
    raise RuntimeError("the demo confirmed no leak")


def paths_of(incident: str) -> dict[str, str]:
    """Every kind of page by its name, of the template that leaks."""
    template = incident.rpartition("-")[0]
    return {
        "overview": "overview",
        "template": f"templates/{template}",
        "incident": f"incidents/{incident}",
        "sensor": f"sensors/{template}-2",
        "what-if": f"templates/{template}/what-if",
        "performance": f"templates/{template}/performance",
        "alarms": "alarms",
        "journal": "journal",
        "handover": "handover",
        "report": f"incidents/{incident}/report",
    }


def state_performance(url: str, template: str) -> None:
    """Ask for a template's performance statement, and wait for it; raises RuntimeError where it does not come."""
    asked = f"{url}/api/templates/{template}/performance"
    end = time.monotonic() + STATED_WITHIN_S
    if requests.get(asked, timeout=30).json()["stale"]:
        requests.post(asked, timeout=30).raise_for_status()
    while requests.get(asked, timeout=30).json()["stale"]:
        if time.monotonic() > end:
            raise RuntimeError(f"{template} has no performance statement after {STATED_WITHIN_S} s")
        time.sleep(1)


def settled(page: "Page") -> None:
    """Wait until the page's charts are drawn, if it has any."""
    page.wait_for_load_state("networkidle", timeout=PATIENCE)
    if page.locator(".plot").count():
        page.locator(".plot canvas").first.wait_for(timeout=PATIENCE)


def take(browser: "Browser", url: str, out: Path) -> None:
    """Write a picture of each page, dark, as a control room sees it."""
    out.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark")
    incident = leak_of(url)
    state_performance(url, incident.rpartition("-")[0])
    for name, path in paths_of(incident).items():
        page = context.new_page()
        page.set_viewport_size({"width": WIDTH, "height": 700 if name == "overview" else HEIGHT})
        page.goto(f"{url}/{path}")
        settled(page)
        page.screenshot(path=str(out / f"{name}.png"))
        page.close()
    context.close()


def main() -> int:
    """Run; 1 where there is no demo or no browser."""
    parser = argparse.ArgumentParser(prog="python -m local.pictures", description=__doc__.splitlines()[0])
    parser.add_argument("--storage", type=Path, default=PROJECT / ".run" / "demo")
    parser.add_argument("--out", type=Path, default=PROJECT / "docs" / "pictures")
    options = parser.parse_args()
    program = chromium()
    if program is None or not (options.storage / "story.json").exists():
        print("there is no browser (apt-get install chromium)" if program is None else "run `make demo` first")
        return 1
    with served(options.storage) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        take(browser, url, options.out)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
