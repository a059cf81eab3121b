"""The app on what the demo left, for tests that look at its pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.demo import served
from local.pictures import leak_of, paths_of


@pytest.fixture(scope="module")
def url(finished_demo: Path) -> Iterator[str]:
    """The address of the app on what the demo left."""
    with served(finished_demo) as running:
        yield running


@pytest.fixture(scope="module")
def paths(url: str) -> dict[str, str]:
    """Each kind of page by its name."""
    return {**paths_of(leak_of(url)), "wall": "overview?wall=1"}
