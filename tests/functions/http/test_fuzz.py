"""Generated requests find nothing outside the contract: a few here, many by `make fuzz`."""

from pathlib import Path

import pytest

from local.azurite import Azurite
from tests.support.fuzz import fuzz

pytestmark = [pytest.mark.azurite, pytest.mark.slow]

SEED = 1


def test_generated_requests_stay_within_the_contract(azurite: Azurite, unique: str, tmp_path: Path) -> None:
    """All checks of schemathesis; what a failure was, its output shows."""
    code, statuses, output = fuzz(azurite.connection_string, unique, 1, SEED, tmp_path)
    assert code == 0, output
    assert statuses.total() > 500
    assert not [status for status in statuses if status >= 500]
