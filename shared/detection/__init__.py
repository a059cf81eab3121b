"""Detection: are this sensor's newest hours unlike all of its leak-free history? numpy only."""

from shared.detection.baseline import Baseline, build_baseline
from shared.detection.channels import Channel, Rates
from shared.detection.detector import Detection, detect
from shared.detection.engine import engine_id, is_newer
from shared.detection.health import Fault
from shared.detection.latch import LatchState

__all__ = [
    "Baseline",
    "Channel",
    "Detection",
    "Fault",
    "LatchState",
    "Rates",
    "build_baseline",
    "detect",
    "engine_id",
    "is_newer",
]
