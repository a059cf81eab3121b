"""The fault campaign on running hosts: a short turn of it."""

import pytest

from chaos.hosts import Score, campaign

pytestmark = [pytest.mark.azurite, pytest.mark.slow, pytest.mark.xdist_group("chaos-hosts")]


def test_hosts_that_are_killed_while_the_source_is_odd_end_as_a_clean_run_does() -> None:
    """Two kills, and everything that is stored is as it is made of the lake from nothing."""
    score = Score()
    assert sum(campaign(score, 7, kills=2, turns=2)) == score.kills.total() >= 2
    assert score.right == score.rounds >= 1, score.wrong
