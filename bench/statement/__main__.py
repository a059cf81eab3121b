"""Hold performance statements against leaks of another truth, and say what a statement takes.

python -m bench.statement [--template open|semi] [--leaks N] [--seed N] [--currents FILE] [--json] [--jobs N]
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from bench.arguments import at_least
from bench.detection.report import plain
from bench.estimation.figures import share
from bench.estimation.sea_states import SeaStates, recorded
from bench.parallel import mapped
from bench.statement.check import CURRENTS, LEVELS, TIMES, Task, run
from shared.domain.performance import PROBABILITY
from shared.errors import InvalidInput

PER_TASK = 25  # leaks of one template and sea


def main(arguments: list[str] | None = None) -> int:
    """Print what was found of what was promised; return 2 for a file that cannot be used."""
    chosen = _parser().parse_args(arguments)
    try:
        sea_states = recorded(chosen.currents, CURRENTS) if chosen.currents else SeaStates()
    except (InvalidInput, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    seeds = np.random.SeedSequence(chosen.seed).spawn(-(-chosen.leaks // PER_TASK))
    done = list(mapped(run, [Task(chosen.template, sea_states, PER_TASK, one) for one in seeds], chosen.jobs))
    outcomes = [one for result in done for one in result.outcomes]
    document = {
        "options": {"template": chosen.template, "leaks": len(outcomes), "seed": chosen.seed},
        "promised": PROBABILITY,
        "found": {
            f"{word} at {factor:g} times the promise": share(
                sum(one.levels[k] >= level for one in outcomes), len(outcomes)
            )
            for word, level in LEVELS.items()
            for k, factor in enumerate(TIMES)
        },
        "places_without_promise": sum(one.without for one in done),
        "promised_median_kg_s": float(np.median([one.promised_kg_s for one in outcomes])),
        "seconds": max(one.seconds for one in done),
        "memory_mb": max(one.memory_mb for one in done),
    }
    print(json.dumps(plain(document)) if chosen.json else _report(document))
    return 0


def _report(document: dict[str, object]) -> str:
    found = document["found"]
    assert isinstance(found, dict)
    lines = [f"{document['options']}: leaks at the rates promised to be Critical within a day with {PROBABILITY:.0%}"]
    lines += [f"  {word}: {one['value']:.1%} ({one['low']:.1%} to {one['high']:.1%})" for word, one in found.items()]
    lines.append(
        f"  places without a promise {document['places_without_promise']}; "
        f"median promise {document['promised_median_kg_s']:.2g} kg/s; "
        f"a statement's promises took at most {document['seconds']:.1f} s, {document['memory_mb']:.0f} MB"
    )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.statement", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--template", choices=("open", "semi"), default="open", help="semi: closed in part")
    parser.add_argument("--leaks", type=at_least(1), default=200, help="how many, of templates of 25 leaks each")
    parser.add_argument("--seed", type=at_least(0), default=1, help="of every random draw")
    parser.add_argument("--currents", type=Path, help="file with the header time,direction_deg,speed_cm_s")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of lines")
    parser.add_argument("--jobs", type=int, choices=range(1, 65), metavar="N", default=1, help="processes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
