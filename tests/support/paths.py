"""Where things are: the project, and what tests keep beside them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "tests" / "data"
RECORDED_SERIES = ROOT.parent / "shared" / "data"  # beside the checkout, or not there
