"""Say what a template can see, draw it, and hold it against leaks of another truth.

python -m bench.detectability [--template open|semi] [--rate KG_S] [--leaks N] [--seed N] [--currents FILE]
[--readings DIR] [--json] [--plot FILE] [--jobs N]
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.arguments import at_least
from bench.detectability.check import COUNT, Task, figures, run
from bench.detectability.report import report
from bench.detectability.views import View, columns, drawn, row, sensitivities_of, variants
from bench.detection.report import plain
from bench.estimation import sites
from bench.estimation.sea_states import SeaStates, recorded
from bench.parallel import mapped
from shared.domain.leak import Release
from shared.errors import InvalidInput
from shared.estimation.detection_delay import detection_delays

MONTH = 28 * 144  # steps of 10 minutes
PER_TASK, LOCATED_PER_TASK = 10, 4  # leaks of one template and sea, and how many of them are located


def main(arguments: list[str] | None = None) -> int:
    """Say it, print it and draw it; return 2 for files that cannot be used."""
    chosen = _parser().parse_args(arguments)
    try:
        sea_states = recorded(chosen.currents, COUNT) if chosen.currents else SeaStates()
        measured = sensitivities_of(chosen.readings) if chosen.readings else ()
    except (InvalidInput, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    rng = np.random.default_rng(chosen.seed)
    template = sites.drawn(chosen.template, rng)
    sea, times = sea_states.drawn(COUNT, rng)
    view = View(template, sea, times, drawn(measured, len(template.sensors) + 1, rng), chosen.rate, chosen.seed)
    document: dict[str, Any] = {
        "options": {"seed": chosen.seed, "leaks": chosen.leaks, "rate_kg_s": chosen.rate},
        "template": template.id if chosen.template == "open" else f"{template.id} as a semi-closed template",
        "currents": "recorded" if chosen.currents else "a synthetic tide",
        "sensors": "by the baselines of recorded series" if measured else "as the bench of the estimation has them",
        **_seen(view),
        "whole_answer_s": _answered_s(view),
        "check": _check(chosen.template, sea_states, chosen.leaks, chosen.seed, chosen.jobs),
    }
    if chosen.plot:
        from bench.detectability.picture import draw

        draw(document, chosen.plot)
    print(json.dumps(plain(document)) if chosen.json else report(document))
    return 0


def _seen(view: View) -> dict[str, Any]:
    """Return the maps of the template as it is, and the figures of it with its sensors otherwise."""
    rows, first = {}, None
    for name, template in variants(view.template).items():
        one = replace(view, template=template, sensitivities=view.sensitivities[: len(template.sensors)])
        begun = time.process_time()
        rates = one.rates()
        between = time.process_time()
        errors = one.errors()
        rows[name] = row(one, rates, errors)
        first = first or (rates, errors, between - begun, time.process_time() - between)
    assert first is not None
    rates, errors, rates_s, errors_s = first
    cells = rates.places.cells
    return {
        "size": {"width": view.template.width, "length": view.template.length},
        "at": {
            "sensors": [[one.x, one.y, one.z] for one in view.template.sensors],
            "leak_points": [[one.x, one.y, one.z] for one in view.template.leak_points],
        },
        "maps": {
            f"rate_{probability}": columns(rates.places.positions[:cells], rates.rates_kg_s[:cells, k])
            for k, probability in enumerate(rates.probabilities)
        }
        | {"error": columns(errors.places.positions[errors.at], errors.errors_m)},
        "variants": rows,
        "time": {"rates_s": rates_s, "errors_s": errors_s},
    }


def _answered_s(view: View) -> float:
    """Return how long it takes to say when a leak in the middle would be told, by four weeks of a synthetic tide."""
    sea, _ = SeaStates().drawn(MONTH, np.random.default_rng(view.seed))
    release = Release(x=0.0, y=0.0, z=view.template.height / 2, rate_kg_s=view.rate_kg_s)
    levels = np.array([one.noticed_ppmv for one in view.sensitivities[: len(view.template.sensors)]])
    begun = time.process_time()
    detection_delays(view.template, sea, release, np.stack([levels, 2 * levels]))
    return time.process_time() - begun


def _check(kind: sites.Kind, sea_states: SeaStates, leaks: int, seed: int, jobs: int) -> dict[str, Any] | None:
    if not leaks:
        return None
    seeds = np.random.SeedSequence(seed).spawn(-(-leaks // PER_TASK))
    done = list(mapped(run, [Task(kind, sea_states, PER_TASK, LOCATED_PER_TASK, one) for one in seeds], jobs))
    return figures([one for noticed, _ in done for one in noticed], [one for _, located in done for one in located])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.detectability", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--template", choices=("open", "semi"), default="open", help="semi: closed in part")
    parser.add_argument("--rate", type=_rate, default=1e-5, help="dissolved rate of the leaks that are located, kg/s")
    parser.add_argument("--leaks", type=at_least(0), default=0, help="leaks of another truth that it is held against")
    parser.add_argument("--seed", type=at_least(0), default=1, help="of every random draw")
    parser.add_argument("--currents", type=Path, help="file with the header time,direction_deg,speed_cm_s")
    parser.add_argument("--readings", type=Path, help="folder with files of the header time,ppmv, for their baselines")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--plot", type=Path, help="write a picture (PNG)")
    parser.add_argument("--jobs", type=int, choices=range(1, 65), metavar="N", default=1, help="processes")
    return parser


def _rate(text: str) -> float:
    if not 0 < (value := float(text)) < 1000:
        raise argparse.ArgumentTypeError(f"must be above 0 and below 1000 kg/s, not {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
