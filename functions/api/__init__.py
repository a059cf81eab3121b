"""HTTP: the API, one module for each group of endpoints; each parses, calls one use case, and shows the result."""

import azure.functions as func

from functions.api import (
    alarms,
    baseline,
    events,
    fallback,
    feedback,
    incidents,
    performance,
    proof_tests,
    registry,
    series,
    service,
    suppressions,
    what_if,
)

BLUEPRINTS: tuple[func.Blueprint, ...] = (
    *(one.group.blueprint for one in (registry, series, incidents, alarms, suppressions, events, feedback)),
    *(one.group.blueprint for one in (baseline, performance, proof_tests, what_if, service)),
    fallback.blueprint,
)
