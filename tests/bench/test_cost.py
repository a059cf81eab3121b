"""The cost model: prices are proportional, more sensors cost more in all and less each, and the load has an end."""

import re
import sys
from collections import Counter
from dataclasses import fields, replace

import pytest

from bench.cost import __main__ as command
from bench.cost.backup import DaysBackup, days_backup
from bench.cost.load import UNTIL_S, breaks_at, tick
from bench.cost.measured import Measured
from bench.cost.model import (
    ALONE,
    METRIC_RULES,
    RULES,
    SCALED,
    TICKS,
    YEAR_S,
    Paper,
    backup_bytes,
    backup_seconds,
    keep_seconds,
    month_at_the_limit,
    soft_deleted_bytes,
    year,
)
from bench.cost.prices import SOURCE, Prices
from shared.usecases.keep.backup import KINDS
from tests.support.paths import ROOT

FOUND = Measured(
    sensors=4,
    run_transactions={"blob read": 0, "blob write": 0, "queue read": 5, "table read": 2, "table write": 0},
    tick_transactions={"blob read": 3, "blob write": 1, "queue read": 0, "table read": 3, "table write": 6},
    ingest_transactions=3,
    omnia_requests=2,
    ingest_s=0.02,
    detect_s=0.05,
    log_lines=2,
    log_bytes=260,
    lake_bytes=3500,
    row_bytes=2800,
    proof_transactions={"table read": 100, "table write": 100},
    proof_s=3.0,
    estimate_s=1.4,
    build_s=0.05,
    build_transactions=11,
    keep_run_transactions={"blob read": 2, "table read": 3},
    keep_transactions={"table read": 1},
    keep_s=0.01,
    backup=DaysBackup(
        run_transactions={"blob read": 2, "blob write": 12, "table read": 10},
        transactions={"blob read": 0, "blob write": 0, "table read": 70},
        seconds=0.05,
        day_bytes=380_000,
        year_bytes=180_000,
    ),
    memory_mb=220,
    estimate_mb=200,
)
WORLD = {"seed": 1, "platforms": 4, "most_instances": 100}


def test_a_part_is_its_count_times_its_price() -> None:
    """Two parts that can be counted by hand: events, and blobs."""
    parts = year(400, FOUND, Paper(), Prices()).parts
    assert parts["blob events"] == pytest.approx(100 * TICKS / 1e6 * 0.60)
    assert parts["blob writes"] == pytest.approx((100 * TICKS + 365 * 12) / 1e4 * 0.065)


def test_twice_the_prices_are_twice_the_cost() -> None:
    """What is free stays free."""
    once = Prices()
    priced = {one.name: getattr(once, one.name) for one in fields(Prices) if not one.name.startswith("free_")}
    twice = replace(once, **{name: 2 * value for name, value in priced.items()})
    for sensors in (10, 10_000):
        assert year(sensors, FOUND, Paper(), twice).total == pytest.approx(
            2 * year(sensors, FOUND, Paper(), once).total
        )


def test_more_sensors_cost_more_in_all_and_less_each() -> None:
    """The fixed part is shared."""
    years = [year(sensors, FOUND, Paper(), Prices()) for sensors in (4, 40, 400, 4000, 40_000)]
    totals = [one.total for one in years]
    each = [one.total / one.sensors for one in years]
    assert totals == sorted(totals)
    assert each == sorted(each, reverse=True)


def test_a_few_sensors_are_done_long_before_the_next_tick_and_too_many_are_not() -> None:
    """What a tick has no time for is left, never lost; fewer instances and slower answers bring the end nearer."""
    few, many = (tick(sensors, FOUND, Paper(), **WORLD) for sensors in (40, 40_000))
    assert few.left == 0
    assert few.instances <= 10
    assert few.ingest_s < few.scored_s < 60
    assert many.left == 0
    assert many.ingest_s < 120
    alone = {**WORLD, "most_instances": 1}
    end = breaks_at(FOUND, Paper(), **alone)
    assert tick(end // 2, FOUND, Paper(), **alone).left == 0
    over = tick(2 * end, FOUND, Paper(), **alone)
    assert over.left > 0
    assert UNTIL_S <= over.ingest_s < UNTIL_S + 60
    assert tick(2 * end, FOUND, Paper(), **WORLD).left == 0
    assert breaks_at(FOUND, replace(Paper(), omnia_s=2.0), **alone) < end


def test_instances_are_added_while_events_wait_up_to_the_limit() -> None:
    """Scoring that is slower than ingest piles up events."""
    slow = replace(FOUND, detect_s=10.0)
    one, ten = (tick(2000, slow, Paper(), **{**WORLD, "most_instances": most}) for most in (1, 10))
    assert (one.instances, ten.instances) == (1, 10)
    assert one.scored_s == pytest.approx(500 * 10, rel=0.3)
    assert ten.scored_s < one.scored_s / 4


def test_every_overwrite_of_a_day_is_kept_for_as_long_as_is_deployed() -> None:
    """144 blobs a day, half as large as a whole day's on average; a longer retention costs in proportion."""
    assert soft_deleted_bytes(1, FOUND, Paper(undelete_days=30)) == pytest.approx(144 * 30 * 4 * 3500 / 2)
    kept = year(400, FOUND, Paper(), Prices()).parts["what soft delete keeps"]
    assert kept == pytest.approx(12 * 100 * 144 * 14 * 4 * 3500 / 2 / 1e9 * 0.023)
    (deployed,) = re.findall(r"undeleteDays: purgeable \? 1 : (\d+)", (ROOT / "infra" / "main.bicep").read_text())
    assert Paper().undelete_days == float(deployed)


def test_a_backup_costs_what_is_kept_of_it_its_requests_and_its_hourly_runs() -> None:
    """A longer time costs in proportion, as is deployed; each hour is an execution and some requests more."""
    assert backup_bytes(1, FOUND, Paper(backup_days=100, years=2)) == pytest.approx(100 * 380_000 + 2 * 180_000)
    (deployed,) = re.findall(r"param backupDays int = (\d+)", (ROOT / "infra" / "main.bicep").read_text())
    assert Paper().backup_days == float(deployed)
    nothing = DaysBackup(run_transactions={}, transactions={}, seconds=0, day_bytes=0, year_bytes=0)
    without = replace(FOUND, keep_run_transactions={}, keep_transactions={}, keep_s=0, backup=nothing)
    parts, others = (year(400, one, Paper(), Prices()).parts for one in (FOUND, without))
    assert parts["backups"] == pytest.approx(12 * backup_bytes(100, FOUND, Paper()) / 1e9 * 0.023)
    assert parts["tables"] - others["tables"] == pytest.approx(
        (8760 * (3 + 100) + 365 * (10 + 70 * 100)) / 1e4 * 0.00036
    )
    assert parts["blob reads"] - others["blob reads"] == pytest.approx((8760 * 2 + 365 * 2) / 1e4 * 0.005)
    spent_s = 8760 * (keep_seconds(100, FOUND, Paper()) - 1.0) + 365 * backup_seconds(100, FOUND, Paper())
    name = "instances: ingest, scores, baselines, estimates, pages, keep"
    assert parts[name] - others[name] == pytest.approx(spent_s * 2 * 0.000026)


def test_a_days_backup_grows_with_templates_and_is_mostly_what_is_written_anew() -> None:
    """Counted by the app's own export: one blob for each table and the manifest, and reads of each journal's topic."""
    found = days_backup()
    assert found.run_transactions["blob write"] >= len(KINDS)
    assert found.transactions["blob write"] == 0
    assert found.transactions["table read"] > 0
    assert found.day_bytes > found.year_bytes > 0


def test_pages_cost_what_leaves_azure_beyond_what_is_free() -> None:
    """A few screens are free; a thousand are not."""
    few, many = (year(40, FOUND, Paper(screens=screens), Prices()).parts for screens in (4, 1000))
    assert few["pages that leave Azure"] == 0
    assert many["pages that leave Azure"] > 100


def test_the_limit_of_instances_counts_for_each_group() -> None:
    """Seven groups scale, three timers do not; the functions are counted where they are."""
    triggers = "".join(path.read_text() for path in sorted((ROOT / "functions").glob("*.py")))
    assert triggers.count("queue_trigger(") + 1 == SCALED  # 1: all of HTTP
    assert triggers.count("timer_trigger(") == ALONE
    one, ten = (month_at_the_limit(most, Paper(), Prices()) for most in (1, 10))
    assert ten - one == pytest.approx(SCALED * 9 * 2 * YEAR_S / 12 * 0.000026)


def test_the_alert_rules_are_those_that_are_deployed() -> None:
    """How many there are, and how often each looks."""
    parts = ROOT / "infra" / "parts"
    every = Counter(int(one) for one in re.findall(r"every: 'PT(\d+)M'", (parts / "alerts.bicep").read_text()))
    assert every == RULES
    assert len(re.findall(r"metric: '", (parts / "alerts-events.bicep").read_text())) == METRIC_RULES


def test_the_source_of_the_prices_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its date, beside what a month costs at the limit."""
    monkeypatch.setattr(command, "measured", lambda: FOUND)
    monkeypatch.setattr(sys, "argv", ["bench.cost", "--sensors", "40"])
    assert command.main() == 0
    printed = capsys.readouterr().out
    assert f"prices (options): {SOURCE}" in printed
    assert re.search(r"\d{4}-\d\d-\d\d", SOURCE)
    assert "a month with every function group at 100 instances" in printed
