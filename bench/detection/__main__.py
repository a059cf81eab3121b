"""Measure how well leaks are found in recorded series.

python -m bench.detection --data DIR [--json] [--plot FILE] [--seed N] [--injections N] [--jobs N] [--quick]
python -m bench.detection --explain FILE --at TIME [--currents FILE] [--plot FILE]

With its defaults it takes some minutes on two cores. Fewer injections show whether a change does harm; intervals over
sensors hardly shrink with more of them. The second tells of one moment of one series what each channel said.
"""

import argparse
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.arguments import at_least
from bench.detection.report import plain, report
from bench.detection.study import Options, study
from shared.errors import InvalidInput


def main(arguments: list[str] | None = None) -> int:
    """Measure or explain, and print; return 2 when no series can be used."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.explain:
        if options.at is None:
            parser.error("--explain needs --at")
        return _explain(options)
    if options.at is not None or options.currents:
        parser.error("--at and --currents belong to --explain")
    full = Options(
        options.seed, options.injections, options.folds, options.jobs, options.puffs, zeros_count=options.zeros_count
    )
    few = replace(full, injections=1, folds=2, puffs=2, gap_folds=1)
    try:
        found = study(options.data, few if options.quick else full)
    except (InvalidInput, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.plot:
        from bench.detection.picture import draw

        draw(found, options.plot)
    print(json.dumps(plain(found.document)) if options.json else report(found.document))
    return 0


def _explain(options: argparse.Namespace) -> int:
    from bench.detection.explain import draw, explained, words

    try:
        found = explained(options.explain, options.at, options.currents)
    except (InvalidInput, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(words(found))
    draw(found, options.plot or Path("explained.png"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.detection", description=(__doc__ or "").splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path, help="folder with files of the header time,ppmv")
    what.add_argument("--explain", type=Path, help="a file with the header time,ppmv")
    parser.add_argument("--at", type=_moment, help="the moment to explain, UTC, as 2021-04-28T22:00")
    parser.add_argument("--currents", type=Path, help="a file of currents for --explain")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--plot", type=Path, help="write a picture (PNG; of --explain: explained.png unless said)")
    parser.add_argument("--seed", type=int, default=1, help="of every random draw")
    parser.add_argument("--injections", type=at_least(1), default=3, help="leaks of each kind per fold, in nine sizes")
    parser.add_argument("--puffs", type=at_least(1), default=24, help="puffing leaks to work out, some seconds each")
    parser.add_argument("--folds", type=at_least(1), default=8, help="at most so many per series")
    parser.add_argument("--jobs", type=at_least(1), default=2, help="processes")
    parser.add_argument("--quick", action="store_true", help="2 folds per series, 1 leak of each kind, 2 of puffs")
    parser.add_argument("--zeros-count", action="store_true", help="take exact zeros as readings, not as missing")
    return parser


def _moment(text: str) -> np.datetime64:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no moment: {error}") from error
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment, "s")


if __name__ == "__main__":
    sys.exit(main())
