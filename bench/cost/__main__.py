"""What a sensor-year costs on Azure, and how many sensors the design carries.

    python -m bench.cost [--json] [--sensors 10,100,...] [--memory-gb G] [--PRICE X ...]

Transactions, seconds, memory and bytes are measured here; prices and the figures called paper are options, and are
printed. It fails when a sensor-year of 1,000 sensors costs a dollar or more.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, fields

from bench.cost.load import PARTITION_PER_S, TICK_S, UNTIL_S, Load, breaks_at, tick
from bench.cost.measured import Measured, measured
from bench.cost.model import Paper, Year, backup_bytes, month_at_the_limit, soft_deleted_bytes, year
from bench.cost.prices import SOURCE, Prices

CLAIM = (1000, 1.0)  # sensors, and US dollars of a sensor-year
PLATFORMS = 4


def main() -> int:
    """Measure, compute and print; return 1 when the claim does not hold."""
    options = _parser().parse_args()
    paper = Paper(**{one.name: getattr(options, one.name) for one in fields(Paper)})
    prices = Prices(**{one.name: getattr(options, one.name) for one in fields(Prices)})
    found = measured()
    sizes = [int(one) for one in options.sensors.split(",")]
    years = [year(one, found, paper, prices) for one in sizes]
    world = {"seed": options.seed, "platforms": PLATFORMS, "most_instances": options.most_instances}
    loads = [tick(one, found, paper, **world) for one in sizes]
    end = breaks_at(found, paper, **world)
    limit = month_at_the_limit(options.most_instances, paper, prices)
    claimed = year(CLAIM[0], found, paper, prices).total / CLAIM[0]
    if options.json:
        document = {
            "measured": asdict(found),
            "paper": asdict(paper),
            "prices": asdict(prices),
            "prices_source": SOURCE,
            "years": [{"sensors": one.sensors, "parts": dict(one.parts), "total": one.total} for one in years],
            "loads": [asdict(one) for one in loads],
            "breaks_at": end,
            "month_at_the_limit": limit,
        }
        print(json.dumps(document))
    else:
        print(_summary(found, paper))
        print(_costs(years))
        print(
            f"a month with every function group at {options.most_instances} instances: {limit:,.0f} US dollars; only "
            "the budget's alert bounds it"
        )
        print(_loads(loads, end, paper))
        print(f"a sensor-year of {CLAIM[0]:,} sensors: {claimed:.2f} US dollars (claim: under {CLAIM[1]:.2f})")
    return 0 if claimed < CLAIM[1] else 1


def _summary(found: Measured, paper: Paper) -> str:
    tick_counts = ", ".join(f"{count:.0f} {kind}s" for kind, count in found.tick_transactions.items() if count >= 0.5)
    run_counts = ", ".join(f"{count:.0f} {kind}s" for kind, count in found.run_transactions.items() if count >= 0.5)
    return "\n".join(
        [
            "measured on Azurite and the emulator (a template has four sensors)",
            f"  a template's tick: {tick_counts}; {found.omnia_requests:.0f} requests to OMNIA",
            f"  a run besides: {run_counts}",
            f"  seconds: ingest {found.ingest_s:.3f}, detect {found.detect_s:.3f} a template and tick, "
            f"estimate {found.estimate_s:.1f}, a sensor's daily look after its baseline {found.build_s:.3f}",
            f"  a proof test, but for its estimation: {found.proof_s:.1f} s, "
            f"{sum(found.proof_transactions.values()):.0f} requests to storage",
            f"  keep: an hour's run {sum(found.keep_run_transactions.values()):.0f} requests to storage and "
            f"{sum(found.keep_transactions.values()):.1f} a template; the day's backup, after a year, "
            f"{sum(found.backup.run_transactions.values()):.0f} and {sum(found.backup.transactions.values()):.0f} a "
            f"template, {found.backup.seconds:.2f} s and {found.backup.day_bytes / 1e6:.2f} MB a template",
            f"  memory: {found.memory_mb:.0f} MB of a worker that does all of it, {found.estimate_mb:.0f} MB of one "
            "that only estimates",
            f"  telemetry: {found.log_lines:.1f} lines of {found.log_bytes / max(found.log_lines, 1):.0f} bytes a "
            f"template and tick; kept: {found.lake_bytes:.0f} + {found.row_bytes:.0f} bytes a sensor and day",
            "on paper (options)",
            f"  {paper.omnia_s} s a request to OMNIA, {1000 * paper.storage_s:.0f} ms a request to storage, instances "
            f"of {paper.memory_gb:g} GB",
            f"  {paper.estimates:g} estimates a template and year, {paper.screens} screens that ask every "
            f"{paper.poll_s:g} s day and night, {paper.years:g} years are kept",
            f"  overwritten blobs are kept for {paper.undelete_days:g} days: "
            f"{soft_deleted_bytes(1, found, paper) / 1e6:.0f} MB a template",
            f"  a day's backup is kept for {paper.backup_days:g} days, the journal's months for ever: "
            f"{backup_bytes(1, found, paper) / 1e6:.0f} MB a template",
            f"prices (options): {SOURCE}",
        ]
    )


def _costs(years: list[Year]) -> str:
    lines = ["", "US dollars a year".ljust(50) + "".join(f"{one.sensors:>12,}" for one in years) + "  sensors"]
    for part in years[0].parts:
        lines.append(f"  {part:<48}" + "".join(f"{one.parts[part]:>12,.2f}" for one in years))
    lines.append("  all of it".ljust(50) + "".join(f"{one.total:>12,.2f}" for one in years))
    lines.append("  a sensor".ljust(50) + "".join(f"{one.total / one.sensors:>12,.3f}" for one in years))
    return "\n".join(lines)


def _loads(loads: list[Load], end: int, paper: Paper) -> str:
    rows: dict[str, Callable[[Load], str]] = {
        f"seconds until the last is ingested (of {UNTIL_S:.0f})": lambda one: f"{one.ingest_s:,.0f}",
        "templates left for the next tick [%]": lambda one: f"{100 * one.left:,.0f}",
        f"seconds until the last is scored (of {TICK_S:.0f})": lambda one: f"{one.scored_s:,.0f}",
        "instances that detect": lambda one: f"{one.instances}",
        f"requests/s to the registry's partition (of {PARTITION_PER_S:,.0f})": lambda one: f"{one.registry_per_s:,.0f}",
    }
    lines = ["", "a tick, simulated".ljust(50) + "".join(f"{one.sensors:>12,}" for one in loads) + "  sensors"]
    lines += [f"  {label:<48}" + "".join(f"{value(one):>12}" for one in loads) for label, value in rows.items()]
    lines += [
        "",
        f"a tick carries fewer than {end:,} sensors at {paper.omnia_s} s a request to OMNIA: each share of templates",
        "has an instance of its own, of which there are so many at most",
        "",
    ]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sensors", default="10,100,1000,10000")
    parser.add_argument("--seed", type=int, default=1, help="of the simulated latencies")
    parser.add_argument(
        "--most-instances", type=int, default=100, help="maximumInstanceCount of infra/main.bicep, of each group"
    )
    for kind in (Paper, Prices):
        for one in fields(kind):
            words = one.metadata["words"]
            name = f"--{one.name.replace('_', '-')}"
            parser.add_argument(name, type=type(one.default), default=one.default, help=f"{words} [{one.default:g}]")
    return parser


if __name__ == "__main__":
    sys.exit(main())
