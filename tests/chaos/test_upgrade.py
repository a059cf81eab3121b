"""This release and the one before on one storage, on running hosts: the upgrade, the way back, the upgrade again."""

import subprocess

import pytest

from chaos.upgrade import changed
from tests.support.paths import ROOT

BEFORE = "4ea3707b8d4793cd3aa6e4ce49dccac753c30673"  # has no journal, no alarms, no backups, no shares of a tick

pytestmark = [
    pytest.mark.azurite,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("chaos-upgrade"),
]


def test_the_upgrade_and_the_way_back_end_as_this_release_alone_does() -> None:
    """Both fill, score and build baselines by turns; what is stored then is what this one makes of the same lake."""
    asked = ["git", "-C", str(ROOT), "cat-file", "-e", f"{BEFORE}^{{commit}}"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip(f"the release before, {BEFORE[:9]}, is not in this clone: git fetch --unshallow brings it")
    assert changed(BEFORE, together=2, alone=1) == []
