"""``python -m chaos --faults 10000 --seed 1``: the campaign in process; goes on where it was stopped."""

import argparse
import logging
import sys
from pathlib import Path

from tqdm import tqdm

from chaos.campaign import Campaign, Score
from chaos.report import report
from chaos.stage import quickly

RUN = Path(".run/chaos")


def main() -> int:
    """Run the campaign; 1 where a history ended wrong."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=10_000, help="how many faults strike in all (default: 10000)")
    parser.add_argument("--seed", type=int, default=1, help="of the histories (default: 1)")
    parser.add_argument("--fresh", action="store_true", help="forget what was tried with this seed")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # the app says much of so many faults
    file = RUN / f"seed-{options.seed}.json"
    if options.fresh:
        file.unlink(missing_ok=True)
    score = Score.begun(file, options.seed)
    with quickly(), tqdm(total=options.faults, initial=score.faults.total(), unit=" faults") as bar:
        for count in Campaign(score, RUN / "tests").run(options.faults):
            bar.update(count)
            bar.set_postfix(histories=score.histories, wrong=score.histories - score.right)
            score.store(file)
    print(report(score))
    return int(score.right < score.histories)


if __name__ == "__main__":
    sys.exit(main())
