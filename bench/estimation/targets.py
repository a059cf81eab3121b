"""What the estimation is meant to reach, in one place."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.estimation import sites
from bench.estimation.scenarios import TRUTHS


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of the document by its path, in words, and between which values it is meant to be."""

    path: tuple[str, ...]
    label: str
    least: float = -math.inf
    most: float = math.inf
    template: sites.Kind | None = None  # None: of both

    def words(self) -> str:
        """Return the range in words."""
        if self.least > -math.inf and self.most < math.inf:
            return f"{self.least:g} to {self.most:g}"
        return f">= {self.least:g}" if self.least > -math.inf else f"<= {self.most:g}"


OF_EVERY_TRUTH = (
    ("rate_90", "90 % interval of the rate covers", 0.85, 0.95),
    ("rate_50", "50 % interval of the rate covers", 0.42, 0.58),
    ("rate_bias_ln", "bias of ln rate", -0.25, 0.25),
    ("onset_90", "90 % interval of the onset covers", 0.85, math.inf),
)

TARGETS = (
    *(
        Target((truth, figure), f"{truth}: {label}", least, most, template=template)
        for template, truths in TRUTHS.items()
        for truth in truths
        for figure, label, least, most in OF_EVERY_TRUTH
    ),
    Target(("family", "location_median_m"), "family: place off, median, m", most=1.6, template="open"),
    Target(("family", "location_p90_m"), "family: place off, 90 % of leaks, m", most=5.0, template="open"),
    Target(("family", "rate_x2"), "family: rate within x2", least=0.45, template="open"),
    Target(("family", "rate_x3"), "family: rate within x3", least=0.70, template="open"),
    Target(("family", "verdicts", "CONFIRMED"), "family: CONFIRMED", least=0.70, template="open"),
    Target(("model", "location_median_m"), "model: place off, median, m", most=1.2, template="open"),
    Target(("model", "location_p90_m"), "model: place off, 90 % of leaks, m", most=3.5, template="open"),
    Target(("model", "rate_x2"), "model: rate within x2", least=0.60, template="open"),
    Target(("model", "rate_x3"), "model: rate within x3", least=0.75, template="open"),
    Target(("family", "rate_x3"), "family: rate within x3", least=0.85, template="semi"),
    Target(("model", "rate_x3"), "model: rate within x3", least=0.85, template="semi"),
    Target(("none", "verdicts", "CONFIRMED"), "CONFIRMED without a leak", most=0.02),
    Target(("common", "verdicts", "CONFIRMED"), "CONFIRMED in a common swing", most=0.05),
    Target(("time", "median_s"), "an estimation, median, s", most=2.0),
    Target(("time", "peak_mb"), "its memory over the imports', MB", most=400.0),
    Target(("size", "seconds"), "full size on one core, s", most=2.0),
    Target(("size", "peak_mb"), "full size, peak memory over the imports', MB", most=400.0),
    Target(("size", "import_s"), "import of shared.estimation, s", most=0.6),
)


def judged(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every target that the document says something of, with the measured value and whether it is reached."""
    return list(_judged(document))


def _judged(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for target in TARGETS:
        if target.template not in (None, document["options"]["template"]):
            continue
        if (figure := _figure(document, target.path)) is None:
            continue
        interval = figure if isinstance(figure, dict) else {"value": figure}
        yield {
            "path": list(target.path),
            "label": target.label,
            "target": target.words(),
            **interval,
            "ok": target.least <= interval["value"] <= target.most,
        }


def _figure(document: dict[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = document["truths"] | {name: document[name] for name in ("none", "common", "time", "size")}
    for name in path:
        found = (found or {}).get(name)
    return found
