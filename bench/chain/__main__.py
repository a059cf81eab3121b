"""Measure the way from a leak to a person's screen.

python -m bench.chain --readings DIR [--currents FILE] [--seeds 1,2,3] [--leaks N] [--months M]
[--ablations all|name,...] [--tick-hours H] [--update-hours H] [--alarms-only] [--json] [--plot FILE] [--jobs N]

Leaks of the estimation bench's family of truths are added to recorded readings of several sensors; the app's own use
cases score them, follow incidents, raise alarms and estimate. Each ablation plays all of it again.
"""

import argparse
import json
import sys
from pathlib import Path

from bench.arguments import at_least
from bench.chain.ablations import ABLATIONS, Ablation
from bench.chain.drawn import Files
from bench.chain.report import report
from bench.chain.study import Options, study
from bench.detection.report import plain
from shared.errors import InvalidInput


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return 2 for files that cannot be used."""
    chosen = _parser().parse_args(arguments)
    if chosen.readings is None:
        print("the chain is not judged: that takes recorded readings (--readings)", file=sys.stderr)
        return 0
    options = Options(
        files=Files(chosen.readings, chosen.currents),
        seeds=chosen.seeds,
        leaks=chosen.leaks,
        months=chosen.months,
        tick_hours=chosen.tick_hours,
        update_hours=chosen.update_hours,
        estimated=not chosen.alarms_only,
        ablations=chosen.ablations,
        jobs=chosen.jobs,
    )
    try:
        document = study(options)
    except (InvalidInput, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if chosen.plot:
        from bench.chain.picture import draw

        draw(document, chosen.plot)
    print(json.dumps(plain(document)) if chosen.json else report(document))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.chain", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--readings", type=Path, help="folder with files of the header time,ppmv")
    parser.add_argument("--currents", type=Path, help="file with the header time,direction_deg,speed_cm_s")
    parser.add_argument("--seeds", type=_seeds, default=(1,), help="of every random draw: 1,2,3")
    parser.add_argument("--leaks", type=at_least(1), default=100, help="of each seed")
    parser.add_argument("--months", type=at_least(1), default=10, help="template-months without a leak")
    parser.add_argument("--tick-hours", type=at_least(1), default=1, help="how often the app looks")
    parser.add_argument("--update-hours", type=at_least(1), default=3, help="how often an incident is estimated anew")
    parser.add_argument(
        "--ablations", type=_ablations, default=(), help=f"all, or some of: {', '.join(ABLATIONS)}; all is played again"
    )
    parser.add_argument(
        "--alarms-only", action="store_true", help="estimate nothing: nothing is CONFIRMED, and it is faster"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--plot", type=Path, help="write a picture (PNG)")
    parser.add_argument("--jobs", type=at_least(1), default=2, help="processes")
    return parser


def _seeds(text: str) -> tuple[int, ...]:
    return tuple(int(one) for one in text.split(","))


def _ablations(text: str) -> tuple[Ablation, ...]:
    named = ABLATIONS if text == "all" else tuple(text.split(","))
    chosen = tuple(one for one in ABLATIONS if one in named)
    if len(chosen) < len(named):
        raise argparse.ArgumentTypeError(f"must be all or some of {', '.join(ABLATIONS)}, not {text}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
