"""HTTP: the API, one module for each group of endpoints; each parses, calls one use case, and shows the result."""

import azure.functions as func

from functions.api import baseline, events, fallback, feedback, incidents, registry, series, service, what_if

BLUEPRINTS: tuple[func.Blueprint, ...] = (
    *(one.group.blueprint for one in (registry, series, incidents, events, feedback, baseline, what_if, service)),
    fallback.blueprint,
)
