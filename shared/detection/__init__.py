"""Detection: is this sensor's newest day unlike every day of its leak-free history?

Nothing here imports STUMPY, except the building of a baseline, which is never on a trigger's hot path.
"""

from shared.detection.baseline import Baseline, build_baseline
from shared.detection.detector import Detection, detect

__all__ = ["Baseline", "Detection", "build_baseline", "detect"]
