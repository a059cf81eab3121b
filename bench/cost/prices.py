"""What Azure asks, in US dollars; every price is an option, because they differ by region and change.

SOURCE says what the defaults are; it is printed with every result.
"""

from dataclasses import dataclass, field
from typing import Any

SOURCE = (
    "pay-as-you-go prices in US dollars: executions and GB-seconds on demand as published for East US on 2025-05-22 "
    "(modal.com/blog/azure-function-pricing-guide), telemetry as published in 2026 "
    "(monitoringcost.com/azure-monitor-cost); the others were written down on 2026-11-26 without a price list at hand: "
    "compare them with azure.microsoft.com/pricing before a decision rests on them"
)


def option(default: Any, words: str) -> Any:
    """Return a field with the words of its option."""
    return field(default=default, metadata={"words": words})


@dataclass(frozen=True)
class Prices:
    """Prices in US dollars."""

    on_demand_gbs: float = option(0.000026, "a GB-second of an instance that works")
    million_executions: float = option(0.40, "a million executions")
    free_gbs_month: float = option(100_000, "GB-seconds on demand that a month has for nothing")
    free_executions_month: float = option(250_000, "executions on demand that a month has for nothing")
    blob_write_10k: float = option(0.065, "10,000 writes of blobs, hot, zone redundant")
    blob_read_10k: float = option(0.005, "10,000 reads of blobs")
    queue_10k: float = option(0.004, "10,000 operations on queues")
    table_10k: float = option(0.00036, "10,000 operations on tables")
    blob_gb_month: float = option(0.023, "a GB of blobs for a month")
    table_gb_month: float = option(0.056, "a GB of tables for a month")
    event_million: float = option(0.60, "a million events")
    log_gb: float = option(2.30, "a GB of telemetry taken in")
    alert_rule_month: float = option(1.50, "a rule that looks every 5 minutes, for a month; every 15: a third")
    metric_rule_month: float = option(0.10, "a rule on a metric, for a month")
    egress_gb: float = option(0.087, "a GB that leaves Azure")
    free_egress_gb_month: float = option(100, "GB that may leave Azure for nothing in a month")
