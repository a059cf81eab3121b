"""The request examples: each of them does what it says, on a host with something of everything."""

import re
from pathlib import Path

import pytest

from tests.support import http_file
from tests.support.http_host import FilledHost
from tests.support.paths import ROOT

pytestmark = [pytest.mark.azurite, pytest.mark.xdist_group("http_examples")]

FILES = sorted((ROOT / "http").glob("*.http"))
NOT_MODIFIED = 304


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_example_does_what_it_says(host: FilledHost, path: Path) -> None:
    """Nothing is refused, and where an ETag is given back, nothing is sent again."""
    answers = list(http_file.run(path, host.url))
    assert answers
    for one, answer in answers:
        assert answer.ok, f"{one.method} {answer.url}: {answer.status_code} {answer.text}"
        if "If-None-Match" in one.headers:
            assert answer.status_code == NOT_MODIFIED


def test_every_path_of_the_contract_has_an_example(host: FilledHost) -> None:
    """A resource that nobody shows is one that nobody finds."""
    shown = {
        (one.method, re.sub(r"\?.*", "", one.url).partition("/api")[2])
        for path in FILES
        for one in http_file.read(path)[1]
    }
    known = {(method, path) for method, path, _ in host.contract.endpoints.values()}
    missing = {
        (method, path)
        for method, path in known
        if not any(m == method and re.fullmatch(re.sub(r"{\w+}", r"[^/]+", path), p) for m, p in shown)
    }
    assert not missing
