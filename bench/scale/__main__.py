"""What grows with the number of sensors: a tick, storage, instances, the daily look after baselines, the cost.

    python -m bench.scale [--json] [--sensors 10,100,...] [--accounts N] [--days D] [--looks N]

The work of one template is measured, on storage in memory that counts every request, row and byte; ticks are
simulated with it and with the platform's limits (``model.py``); the cost is that of ``bench.cost``. It fails where one
of the claims does not hold.
"""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from bench.cost.measured import measured as measured_cost
from bench.cost.model import Paper, Year, year
from bench.cost.prices import SOURCE, Prices
from bench.scale.claims import Claim, told
from bench.scale.history import Look, daily_looks
from bench.scale.model import Tick, Work, World, tick
from bench.scale.work import Counts, counts, measured

TEMPLATES = 100  # of which the daily look is told
DONE_S = 180.0  # in which a tick of 10,000 sensors is done
WARM, COLD = 12, 20  # requests of a template's tick


def main() -> int:
    """Measure, simulate and print; return 1 when a claim does not hold."""
    options = _parser().parse_args()
    logging.disable(logging.WARNING)
    work, world = measured(), World()
    sizes = [int(one) for one in options.sensors.split(",")]
    ticks = [tick(one, work, world) for one in sizes]
    shared = tick(100_000, work, replace(world, accounts=options.accounts))
    pieces = {(size, cold): counts(size, cold=cold) for size in (1, 100) for cold in (False, True)}
    before, after = daily_looks(options.days, options.looks)
    logging.disable(logging.NOTSET)
    found = measured_cost()
    found = replace(found, build_s=after.seconds / found.sensors, build_transactions=after.requests / found.sensors)
    years = [year(one, found, Paper(), Prices()) for one in sizes]
    claims = _claims(work, world, pieces, {one.sensors: one for one in years})
    if options.json:
        print(
            json.dumps(
                {
                    "work": asdict(work),
                    "ticks": [asdict(one) for one in (*ticks, shared)],
                    "daily": {"before": asdict(before), "after": asdict(after), "days": options.days},
                    "years": [{"sensors": one.sensors, "parts": dict(one.parts), "total": one.total} for one in years],
                    "claims": [asdict(one) for one in claims],
                }
            )
        )
    else:
        print(_pieces(work, pieces))
        print(_ticks([*ticks, shared], options.accounts, world))
        print(_daily(before, after, options.days))
        print(_costs(years))
        print(told(claims))
    return 0 if all(one.holds for one in claims) else 1


def _claims(
    work: Work, world: World, pieces: dict[tuple[int, bool], Counts], years: dict[int, Year]
) -> Sequence[Claim]:
    at = tick(10_000, work, world)
    warm = max(pieces[size, False].requests for size in (1, 100))
    cold = max(pieces[size, True].requests for size in (1, 100))
    claims = [
        Claim("10,000 sensors are scored in 3 minutes", f"{at.scored_s:.0f} s", at.scored_s <= DONE_S),
        Claim(
            "no partition is above half its limit at 10,000 sensors",
            f"{at.partition:.0%} of a partition, {at.queue:.0%} of a queue",
            max(at.partition, at.queue) <= 0.5,
        ),
        Claim(f"a warm tick of a template: at most {WARM} requests", f"{warm}", warm <= WARM),
        Claim(f"a cold one: at most {COLD}", f"{cold}", cold <= COLD),
    ]
    for sensors, most in ((1000, 0.6), (10_000, 0.4)):
        if sensors in years:
            each = years[sensors].total / sensors
            claims.append(Claim(f"a sensor-year of {sensors:,} under {most} USD", f"{each:.3f}", each < most))
    return claims


def _pieces(work: Work, pieces: dict[tuple[int, bool], Counts]) -> str:
    lines = [
        "a template's tick (four sensors), counted    requests      rows     bytes  rows of the busiest partition",
        *(
            f"  {size:>3} templates, {'cold' if cold else 'warm'} worker".ljust(43)
            + f"{one.requests:>10,}{one.rows:>10,}{one.bytes:>10,}{one.busiest:>10,}"
            for (size, cold), one in pieces.items()
        ),
        f"  seconds of Python: ingest {work.ingest_s:.3f} (in a share), score {work.score_s:.3f}; the timer "
        f"{work.timer_s[0]:.3f} and {1000 * work.timer_s[1]:.2f} ms a template",
    ]
    return "\n".join(lines)


def _ticks(ticks: Sequence[Tick], accounts: int, world: World) -> str:
    rows: dict[str, Callable[[Tick], str]] = {
        "seconds until all is ingested": lambda one: f"{one.ingested_s:,.0f}",
        "seconds until all is scored": lambda one: f"{one.scored_s:,.0f}",
        "reading to score, median [s]": lambda one: f"{one.p50_s:,.0f}",
        "reading to score, 99 % [s]": lambda one: f"{one.p99_s:,.0f}",
        "the timer's own work [s]": lambda one: f"{one.timer_s:,.1f}",
        "instances that ingest": lambda one: f"{one.ingesting}",
        "instances that score": lambda one: f"{one.scoring}",
        "busiest account, of 20,000 requests/s": lambda one: f"{one.account:.1%}",
        "busiest partition, of 2,000 rows/s": lambda one: f"{one.partition:.1%}",
        "busiest queue, of 500 messages/s": lambda one: f"{one.queue:.1%}",
    }
    head = [f"{one.sensors:,}" for one in ticks[:-1]] + [f"{ticks[-1].sensors:,}/{accounts}"]
    lines = ["", "a tick, simulated; all instances start cold".ljust(44) + "".join(f"{one:>12}" for one in head)]
    lines += [f"  {label:<42}" + "".join(f"{value(one):>12}" for one in ticks) for label, value in rows.items()]
    lines += [
        f"  at most {world.most} instances of a group and deployment, {world.omnia_s} s a request to OMNIA, "
        f"{1000 * world.storage_s:.0f} ms to storage; a request waits where a limit is reached",
        f"  the last column: in {accounts} deployments, each with a storage account and instances of its own",
        "",
    ]
    return "\n".join(lines)


def _daily(before: Look, after: Look, days: int) -> str:
    rows: dict[str, Callable[[Look], float]] = {
        "rows read": lambda one: one.entities,
        "requests": lambda one: one.requests,
        "day blobs read": lambda one: one.blobs,
        "seconds of Python": lambda one: one.seconds,
        "seconds with 10 ms a request": lambda one: one.seconds + 0.010 * one.requests,
    }
    lines = [
        f"the daily look after {TEMPLATES} templates of four sensors with {days:,} days; none is due to be renewed"
    ]
    lines.append(f"  {'':<34}{'all forgotten':>16}{'checked days':>16}")
    lines += [
        f"  {label:<34}{TEMPLATES * of(before):>16,.0f}{TEMPLATES * of(after):>16,.0f}" for label, of in rows.items()
    ]
    lines += ["  measured on one template, times a hundred: it reads no other template's rows", ""]
    return "\n".join(lines)


def _costs(years: Sequence[Year]) -> str:
    lines = ["US dollars a sensor and year".ljust(52) + "".join(f"{one.sensors:>10,}" for one in years)]
    for part in years[0].parts:
        lines.append(f"  {part:<50}" + "".join(f"{one.parts[part] / one.sensors:>10,.4f}" for one in years))
    lines.append("  all of it".ljust(52) + "".join(f"{one.total / one.sensors:>10,.3f}" for one in years))
    lines += [f"  prices: {SOURCE}", ""]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sensors", default="10,100,1000,10000,100000")
    parser.add_argument("--accounts", type=int, default=2, help="deployments that share 100,000 sensors")
    parser.add_argument("--days", type=int, default=1095, help="of history that the daily look finds")
    parser.add_argument("--looks", type=int, default=28, help="days over which the daily look is averaged")
    return parser


if __name__ == "__main__":
    sys.exit(main())
