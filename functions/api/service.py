"""HTTP: the app itself: its health, its contract and the contract's page."""

import json
from functools import cache
from typing import Any

from functions.http.assets import page
from functions.http.endpoint import ENDPOINTS, Call, EndpointGroup
from functions.http.openapi import openapi
from functions.http.parameters import NoParameters
from functions.http.reply import HTML, Reply
from functions.http.security_headers import security_headers
from shared import __version__
from shared.bootstrap import app
from shared.domain.validation import Model
from shared.settings import settings
from shared.usecases.health.health import HealthBody

group = EndpointGroup("Service")
endpoint = group.endpoint

# What people look for first comes first on the documentation page.
ORDER = (
    "Assets",
    "Series",
    "Alarms and journal",
    "Incidents and estimations",
    "Events",
    "Feedback",
    "Baselines",
    "Performance",
    "Proof tests",
    "What if",
    "Service",
)


@endpoint("GET", "health", HealthBody, access="anyone")
def get_health(call: Call[NoParameters, Model]) -> Model:  # noqa: ARG001
    """Return how far each template's data are, what nobody watches, how long the queues are, and the version."""
    return app().impatient.queries.health()


@endpoint("GET", "openapi.json", dict[str, Any], access="anyone")
def get_contract(call: Call[NoParameters, Model]) -> Reply:  # noqa: ARG001
    """Return this contract."""
    return Reply(_document())


@endpoint("GET", "docs", str, media_types=("text/html",), access="anyone")
def get_docs(call: Call[NoParameters, Model]) -> Reply:  # noqa: ARG001
    """Return a page to read this contract on, and to try it."""
    # Swagger UI sets styles of its own.
    return Reply(page("docs"), media_type=HTML, headers=security_headers(style_src="'self' 'unsafe-inline'"))


@cache
def _document() -> str:
    return json.dumps(openapi(ENDPOINTS, __version__, settings().http.auth, ORDER), separators=(",", ":"))
