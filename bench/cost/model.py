"""The cost of a year: measured work, times how often it happens, times its price."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from bench.cost.measured import Measured
from bench.cost.prices import Prices, option
from bench.restore import TOPICS_AT_ONCE
from shared.adapters.omnia import AT_ONCE
from shared.settings import IngestSettings, StorageSettings

YEAR_S = 365 * 86_400
TICKS = 365 * 144  # of a year
HOURS = 365 * 24
KB, GB = 1e3, 1e9
MOST = IngestSettings().share_templates  # templates of a share, each on an instance of its own
SERIES = 50  # of a request to OMNIA (OMNIA__MAX_SERIES_PER_REQUEST)
SEA = 3  # series of the sea that a share asks for once, besides a direction by itself
RULES = {5: 1, 10: 2, 15: 12}  # of alerts.bicep: minutes between two looks, and how many look so often
SHARE = {5: 1.0, 10: 1 / 1.5, 15: 1 / 3}  # of the price of one that looks every 5 minutes
METRIC_RULES = 3  # of alerts-events.bicep
SCALED, ALONE = 7, 3  # function groups that get more instances (HTTP, one for each queue); timers, which do not


@dataclass(frozen=True)
class Paper:
    """What cannot be measured here: latencies of the real services, how much happens, who looks."""

    memory_gb: float = option(2.0, "memory of an instance [GB]: 0.5, 2 or 4")
    storage_s: float = option(0.010, "a request to storage, beyond what Azurite takes [s]")
    omnia_s: float = option(0.5, "a request to OMNIA [s]")
    estimates: float = option(20.0, "estimates of a template and year: its incidents, each anew as it grows")
    proofs: float = option(52.0, "proof tests of a template and year (PROOF__EVERY_DAYS)")
    statements: float = option(25.0, "performance statements of a template and year: with each renewed baseline")
    statement_s: float = option(25.0, "a performance statement (python -m bench.statement) [s]")
    screens: int = option(4, "pages that are open day and night")
    poll_s: float = option(
        60.0, "seconds between a page's questions, two at a time (functions/static/live.js, annunciate.js)"
    )
    poll_transactions: float = option(5.0, "reads of tables for an unchanged page and the standing alarms")
    trace_bytes: float = option(1000.0, "columns of a line in Log Analytics besides its message [bytes]")
    years: float = option(3.0, "years that are kept")
    undelete_days: float = option(
        14.0, "days for which a day's overwritten blobs are kept (undeleteDays of main.bicep)"
    )
    backup_days: float = option(400.0, "days for which a day's backup is kept (backupDays of main.bicep)")
    page_bytes: float = option(60_000.0, "a page that has changed, compressed, with its data [bytes]")
    unchanged_bytes: float = option(600.0, "the answer that a page has not changed [bytes]")


@dataclass(frozen=True)
class Year:
    """What a year of so many sensors costs, in US dollars, by part."""

    sensors: int
    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        """The cost of all services, in US dollars."""
        return sum(self.parts.values())


def year(sensors: int, found: Measured, paper: Paper, prices: Prices) -> Year:
    """Return the cost of a year of so many sensors, in US dollars by service."""
    templates = max(1.0, sensors / found.sensors)
    sizes = shares(templates)
    polls = paper.screens * YEAR_S / paper.poll_s
    estimate_s = found.estimate_s + 10 * paper.storage_s
    on_demand_s = (  # a run is billed for at least a second
        TICKS * (1.0 + sum(max(1.0, share_seconds(one, found, paper)) for one in sizes))
        + TICKS * sum(max(1.0, one * score_seconds(found, paper)) for one in sizes)  # a share's days come together
        + 365 * templates * max(1.0, found.sensors * (found.build_s + paper.storage_s * found.build_transactions))
        + templates * paper.estimates * max(1.0, estimate_s)
        + templates * paper.statements * paper.statement_s
        + templates
        * paper.proofs
        * (found.proof_s + estimate_s + paper.storage_s * sum(found.proof_transactions.values()))
        + polls * 1.0  # both questions at once
        + HOURS * max(1.0, keep_seconds(templates, found, paper))
        + 365 * backup_seconds(templates, found, paper)
    )
    asked = templates * (paper.estimates + paper.statements + paper.proofs)
    runs = TICKS * (1 + len(sizes) + templates) + 365 * (1 + templates) + HOURS + asked + 2 * polls
    gbs = max(on_demand_s * paper.memory_gb - 12 * prices.free_gbs_month, 0)
    runs = max(runs - 12 * prices.free_executions_month, 0)
    counts = {
        kind: TICKS * (found.run_transactions[kind] + templates * count)
        + templates * paper.proofs * found.proof_transactions.get(kind, 0)
        + HOURS * _of(found.keep_run_transactions, found.keep_transactions, kind, templates)
        + 365 * _of(found.backup.run_transactions, found.backup.transactions, kind, templates)
        for kind, count in found.tick_transactions.items()
    }
    table = counts["table read"] + counts["table write"] + polls * paper.poll_transactions
    table += 365 * sensors * found.build_transactions
    egress = polls * paper.unchanged_bytes + paper.screens * TICKS * paper.page_bytes
    lines = templates * TICKS * (found.log_bytes + found.log_lines * paper.trace_bytes)
    return Year(
        sensors,
        {
            "instances: ingest, scores, baselines, estimates, pages, keep": gbs * prices.on_demand_gbs,
            "executions": runs / 1e6 * prices.million_executions,
            "blob writes": counts["blob write"] / 1e4 * prices.blob_write_10k,
            "blob reads": counts["blob read"] / 1e4 * prices.blob_read_10k,
            # Each message is put, taken and removed.
            "queues": (counts["queue read"] + 3 * (TICKS * (len(sizes) + templates) + 365 * templates) + _polled())
            / 1e4
            * prices.queue_10k,
            "tables": table / 1e4 * prices.table_10k,
            "blob events": templates * TICKS / 1e6 * prices.event_million,
            "what is kept": 12
            * paper.years
            * 365
            * sensors
            * (found.lake_bytes * prices.blob_gb_month + found.row_bytes * prices.table_gb_month)
            / GB,
            "backups": 12 * backup_bytes(templates, found, paper) * prices.blob_gb_month / GB,
            "what soft delete keeps": 12 * soft_deleted_bytes(templates, found, paper) * prices.blob_gb_month / GB,
            "pages that leave Azure": max(egress / GB - 12 * prices.free_egress_gb_month, 0) * prices.egress_gb,
            "telemetry": lines / GB * prices.log_gb,
            "alert rules": 12
            * (
                sum(count * SHARE[minutes] for minutes, count in RULES.items()) * prices.alert_rule_month
                + METRIC_RULES * prices.metric_rule_month
            ),
        },
    )


def soft_deleted_bytes(templates: float, found: Measured, paper: Paper) -> float:
    """Return the bytes that soft delete holds at any time: every tick overwrites a day that is half full on average."""
    half_a_day = found.sensors * found.lake_bytes / 2
    return templates * half_a_day * TICKS / 365 * paper.undelete_days


def backup_bytes(templates: float, found: Measured, paper: Paper) -> float:
    """Return the bytes of all backups that are kept: each day's, and the journal's months, which never go."""
    return templates * (paper.backup_days * found.backup.day_bytes + paper.years * found.backup.year_bytes)


def keep_seconds(templates: float, found: Measured, paper: Paper) -> float:
    """Return how long an hour's run of keep takes that finds the day's backup made, in s."""
    requests = sum(found.keep_run_transactions.values()) + templates * sum(found.keep_transactions.values())
    return templates * found.keep_s + paper.storage_s * requests


def backup_seconds(templates: float, found: Measured, paper: Paper) -> float:
    """Return how much longer the run takes that makes the day's backup, in s; the journal's topics are read at once."""
    requests = sum(found.backup.run_transactions.values()) + templates * sum(found.backup.transactions.values())
    return templates * found.backup.seconds + paper.storage_s * requests / TOPICS_AT_ONCE


def month_at_the_limit(most_instances: int, paper: Paper, prices: Prices) -> float:
    """Return what a month costs in US dollars in which every function group has all its instances at work.

    ``most_instances`` bounds each group that scales; a timer runs on one instance.
    """
    return (SCALED * most_instances + ALONE) * paper.memory_gb * YEAR_S / 12 * prices.on_demand_gbs


def shares(templates: float) -> list[float]:
    """Return how many templates each share of a tick has."""
    whole, rest = divmod(templates, MOST)
    return [float(MOST)] * int(whole) + ([rest] if rest else [])


def share_seconds(templates: float, found: Measured, paper: Paper) -> float:
    """Return how long a share takes, in s: OMNIA is asked for all of it, then Python computes one at a time."""
    return fetch_seconds(templates, found, paper) + templates * found.ingest_s


def fetch_seconds(templates: float, found: Measured, paper: Paper) -> float:
    """Return how long a share waits for OMNIA and storage: both for all at once, and a few requests to OMNIA."""
    return paper.omnia_s * rounds_of(templates * found.sensors) + paper.storage_s * found.ingest_transactions


def rounds_of(sensors: float) -> int:
    """Return how many requests to OMNIA follow on each other: for as many series as it takes, values, then counts."""
    return 2 * ceil(ceil((sensors + SEA) / SERIES + 1) / AT_ONCE)


def score_seconds(found: Measured, paper: Paper) -> float:
    """Return how long detect takes, in a template's tick."""
    return found.detect_s + paper.storage_s * (sum(found.tick_transactions.values()) - found.ingest_transactions)


def _of(run: Mapping[str, float], each: Mapping[str, float], kind: str, templates: float) -> float:
    """Return the transactions of a kind in one run over so many templates."""
    return run.get(kind, 0.0) + templates * each.get(kind, 0.0)


def _polled() -> float:
    """Return the host's own looks at the app's queues in a year: once a minute while there is nothing."""
    return len(StorageSettings().queues) * YEAR_S / 60
