"""Estimate the recorded rise of Snorre W on 28 April 2021 and draw it.

python -m bench.example --data DIR --out FILE.png
"""

import argparse
import sys
from pathlib import Path

from bench.example.picture import draw
from bench.example.rise import read_rise
from bench.example.summary import report
from shared.errors import InvalidInput


def main(arguments: list[str] | None = None) -> int:
    """Estimate, print and draw; return 2 when the folder does not hold the rise."""
    options = _parser().parse_args(arguments)
    try:
        rise = read_rise(options.data)
        draw(rise, options.out)
    except (InvalidInput, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(report(rise.answer))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.example", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with the series of the sensor and the currents"
    )
    parser.add_argument("--out", type=Path, required=True, help="the picture to write (PNG)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
