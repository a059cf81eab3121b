"""The function app by a clock that a bench moves on: ``python -m local.host --app bench.scale.moving_app``."""

import os
from pathlib import Path

from bench.scale.present import FILE, WrittenClock
from function_app import app
from shared.bootstrap import app as wiring

wiring().__dict__["clock"] = WrittenClock(Path(os.environ[FILE]))

__all__ = ["app"]
