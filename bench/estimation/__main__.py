"""Measure how well leaks are located and sized.

python -m bench.estimation [--seed N] [--scenarios M] [--template open|semi] [--truth family|model|puffs|varying]
[--easy] [--without closure,meter,...] [--currents FILE] [--readings DIR] [--json] [--plot FILE] [--jobs N]

With --backgrounds DIR leaks of the family are added to the recorded series of a folder instead, and estimated when the
project's own detector is alarmed (``alarm_study``), as are its false alarms.
"""

import argparse
import json
import sys
from pathlib import Path

from bench.arguments import at_least
from bench.detection.recorded_series import read_folder
from bench.detection.report import plain
from bench.estimation import alarm_study
from bench.estimation.backgrounds import Backgrounds
from bench.estimation.family import UNKNOWNS, Unknown
from bench.estimation.noise import noises_of
from bench.estimation.report import report
from bench.estimation.scenarios import COUNT, TRUTHS, Kind, World
from bench.estimation.sea_states import SeaStates, recorded
from bench.estimation.study import Options, study
from shared.errors import InvalidInput


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return 2 for files that cannot be used."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.backgrounds:
        return _on_backgrounds(chosen)
    of_template = TRUTHS[chosen.template]
    if chosen.truth not in (None, "varying", *of_template):
        parser.error(f"argument --truth: {chosen.truth} is no truth of --template {chosen.template}")
    truths: tuple[Kind, ...] = ("self_consistent",) if chosen.easy else (chosen.truth,) if chosen.truth else of_template
    try:
        sea_states = recorded(chosen.currents, COUNT) if chosen.currents else SeaStates()
        noises = noises_of(chosen.readings) if chosen.readings else ()
    except (InvalidInput, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    options = Options(chosen.seed, chosen.scenarios, chosen.template, truths, chosen.jobs)
    document = study(options, World(chosen.template, sea_states, noises, chosen.without))
    if chosen.plot:
        from bench.estimation.picture import draw

        draw(document, chosen.plot)
    print(json.dumps(plain(document)) if chosen.json else report(document))
    return 0


def _on_backgrounds(chosen: argparse.Namespace) -> int:
    try:
        backgrounds = Backgrounds.of(read_folder(chosen.backgrounds).series)
        sea_states = recorded(chosen.currents, alarm_study.COUNT) if chosen.currents else SeaStates()
    except (InvalidInput, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    options = alarm_study.Options(chosen.seed, chosen.scenarios, chosen.jobs)
    document = alarm_study.study(options, alarm_study.World(backgrounds, sea_states))
    print(json.dumps(plain(document)) if chosen.json else alarm_study.report(document))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.estimation", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=at_least(0), default=1, help="of every random draw")
    parser.add_argument("--scenarios", type=at_least(1), default=100, help="detected leaks per truth")
    parser.add_argument("--template", choices=("open", "semi"), default="open", help="semi: closed in part")
    truth = parser.add_mutually_exclusive_group()
    truth.add_argument("--truth", choices=(*TRUTHS["open"], "varying"), help="one truth alone")
    truth.add_argument("--easy", action="store_true", help="what the estimation assumes: its calibration alone")
    parser.add_argument(
        "--without",
        type=_unknowns,
        default=(),
        help=f"hold these of what the family leaves unknown at their middle: {', '.join(UNKNOWNS)}",
    )
    parser.add_argument("--currents", type=Path, help="file with the header time,direction_deg,speed_cm_s")
    parser.add_argument("--readings", type=Path, help="folder with files of the header time,ppmv, for their noise")
    parser.add_argument("--backgrounds", type=Path, help="folder with files of the header time,ppmv, to add leaks to")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--plot", type=Path, help="write a picture (PNG)")
    parser.add_argument("--jobs", type=at_least(1), default=2, help="processes")
    return parser


def _unknowns(text: str) -> tuple[Unknown, ...]:
    named = tuple(text.split(","))
    chosen = tuple(one for one in UNKNOWNS if one in named)
    if len(chosen) < len(named):
        raise argparse.ArgumentTypeError(f"must be some of {', '.join(UNKNOWNS)}, not {text}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
