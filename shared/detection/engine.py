"""The name of this detection engine: another one would score the same readings otherwise.

Baseline histories and scored days record it, so that what another engine made is made anew.
"""

import hashlib
import re
from functools import cache

from shared.detection import channels

# Raise it with every change that can change a score or a fault of the same readings: recorded scores are held
# against it (tests/usecases/detection/test_engine.py). The channels' scales are in the name by themselves.

NUMBER = 4


def engine_id() -> str:
    """Return the engine's name: its number, and a digest of the channels' scales."""
    return f"{NUMBER}-{_digest(repr(channels.SCALES))}"


@cache  # every scored day is asked for its engine
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def is_newer(engine: str) -> bool:
    """Return whether that engine is a later one than this: the release that has it is being rolled out."""
    found = re.match(r"[0-9]+", engine)
    return found is not None and int(found[0]) > NUMBER
