"""Detection: are this sensor's newest hours unlike all of its leak-free history? numpy only."""

from shared.detection.baseline import Baseline, Rates, build_baseline
from shared.detection.detector import Detection, detect
from shared.detection.engine import engine_id, is_newer
from shared.detection.health import Fault
from shared.detection.latch import LatchState

__all__ = ["Baseline", "Detection", "Fault", "LatchState", "Rates", "build_baseline", "detect", "engine_id", "is_newer"]
