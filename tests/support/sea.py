"""The app at one present after the other, for pages that stay open while a leak comes and goes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from local.azurite import Azurite
from local.process import HostProcess
from tests.conftest import bootstrap, environment
from tests.support.filled import QUIET, advance, begin

if TYPE_CHECKING:
    from playwright.sync_api import Page


class Sea:
    """The app at one present after the other, at one address."""

    def __init__(self, azurite: Azurite, prefix: str, log: Path) -> None:
        """Begin with sensors that have a baseline, and no data."""
        self.values = environment(azurite.connection_string, prefix)
        self.app = bootstrap(self.values)
        self.app.clients.ensure_storage()
        begin(self.app)
        self.log, self.port = log, "0"

    @contextmanager
    def at(self, present: datetime) -> Iterator[str]:
        """Serve with all data up to a present; yield the address."""
        now = {**self.values, "AS_OF": present.isoformat()}
        self.app = bootstrap(now)
        advance(self.app, present)
        settings = {**now, **QUIET}
        with HostProcess(settings, "--port", self.port, log=self.log) as host:
            self.port = host.url.rpartition(":")[2]
            yield host.url


def sees(page: "Page", place: str, words: str) -> None:
    """Let the page ask now what it would ask within half a minute, until it shows these words."""
    found = page.locator(place).first
    for attempt in range(5):
        page.evaluate("dispatchEvent(new Event('refresh'))")
        try:
            expect(found).to_contain_text(words, timeout=3000)
        except AssertionError:
            if attempt == 4:
                raise
        else:
            return
