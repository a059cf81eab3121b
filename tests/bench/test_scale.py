"""The model of a tick: what comes above a limit waits, instances start while work waits, more sensors take longer."""

from dataclasses import replace

import numpy as np
import pytest

from bench.scale.history import daily_looks
from bench.scale.model import COLD_S, Gate, Group, Simulation, Work, World, tick

WORK = Work(
    sensors=4,
    ingest_requests=2.4,
    ingest_s=0.008,
    cold_requests=19,
    cold_rows=7,
    score_s=0.04,
    timer_requests=(10, 0.0),
    timer_rows=(9, 2),
    timer_s=(0.015, 0.0006),
)
TICK_S = 600


def test_what_comes_above_a_limit_waits() -> None:
    """A hundred at once by a limit of fifty a second take two seconds, and no second serves more than fifty."""
    gate = Gate(50)
    served = [gate.take(10.0, 1) for _ in range(100)]
    assert served[-1] == pytest.approx(12.0)
    assert served == sorted(served)
    assert gate.utilisation <= 51 / 50
    assert gate.take(20.0, 1) == pytest.approx(20.02)


def test_a_group_starts_instances_one_after_the_other_while_work_waits() -> None:
    """Ten pieces of work of a minute: the first waits for a cold start, and there are never more than allowed."""
    simulation = Simulation()
    group = Group(simulation, np.random.default_rng(1), 3)
    begun: list[float] = []

    def work(moment: float) -> float:
        begun.append(moment)
        return moment + 60

    for _ in range(10):
        simulation.at(0.0, lambda now: group.add(now, work))
    simulation.run()
    assert len(begun) == 10
    assert COLD_S[0] <= begun[0] <= COLD_S[1]
    assert group.instances == 3
    assert max(begun) >= 3 * 60


def test_a_queue_that_is_over_its_limit_makes_the_tick_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its busiest second is full, and no fuller."""
    usual = tick(10_000, WORK, World())
    monkeypatch.setattr("bench.scale.model.QUEUE_PER_S", 20.0)
    slow = tick(10_000, WORK, World())
    assert slow.scored_s > usual.scored_s + 60
    assert slow.queue == pytest.approx(1.0, abs=0.1)
    assert slow.queue > usual.queue


def test_fewer_instances_and_slower_answers_take_longer() -> None:
    """So do more sensors; and in two deployments each has less to do."""
    usual = tick(20_000, WORK, World())
    assert tick(20_000, WORK, World(most=5)).scored_s > usual.scored_s
    assert tick(20_000, WORK, World(omnia_s=5)).ingested_s > usual.ingested_s + 20
    assert tick(40_000, WORK, World()).scored_s > usual.scored_s
    halved = tick(40_000, WORK, World(accounts=2))
    assert (halved.scored_s, halved.account) == (usual.scored_s, usual.account)


def test_every_template_is_scored_once_in_order_of_time() -> None:
    """A reading is not scored before it is written, nor before the timer has begun cold."""
    one = tick(1000, WORK, World())
    assert COLD_S[0] < one.p50_s <= one.p99_s <= one.scored_s < TICK_S
    assert one.ingested_s < one.scored_s


def test_rows_that_a_cold_process_reads_meet_the_limit_of_their_partition() -> None:
    """Were they a thousand each, one platform's partition could not serve them."""
    heavy = replace(WORK, cold_rows=1000)
    usual, slow = tick(10_000, WORK, World()), tick(10_000, heavy, World())
    assert usual.partition < 0.5 < slow.partition
    assert slow.scored_s > usual.scored_s


def test_what_was_checked_is_not_read_again() -> None:
    """Of a hundred days of four sensors the daily look reads few rows, those of all where nothing is remembered."""
    before, after = daily_looks(100, 2)
    assert before.entities >= 400
    assert after.entities < before.entities / 3
