"""Calls the app's HTTP functions as the host does, without one: for tests of what they say of a use case's answer."""

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import azure.functions as func

from tests.support.contract import Contract


class Context(func.Context):
    """An invocation with a known id."""

    invocation_id = "an-id"
    function_name = function_directory = "x"
    trace_context = retry_context = thread_local_storage = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Answer:
    """What a function answered."""

    status: int
    body: Any  # parsed JSON; None: there is none
    headers: dict[str, str]


def signed_in(*roles: str, claim: str = "roles") -> dict[str, str]:
    """Return the header by which the platform tells who calls."""
    principal = {"claims": [{"typ": "name", "val": "A"}, *({"typ": claim, "val": role} for role in roles)]}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(principal).encode()).decode()}


def bindings(function: Any) -> list[Any]:
    """Return a function's bindings if its trigger is HTTP, as the host reads them."""
    found: list[Any] = json.loads(function.get_function_json())["bindings"]
    return found if found[0]["type"] == "httpTrigger" else []


class HttpFunctions:
    """The app's HTTP functions by name."""

    def __init__(self, app: func.FunctionApp) -> None:
        """Take them from the app, as it registered them."""
        self.functions = {str(one.get_function_name()): one for one in app.get_functions() if bindings(one)}

    @cached_property
    def contract(self) -> Contract:
        """What the app says of itself."""
        answer = self.functions["get_contract"].get_user_function()(func.HttpRequest("GET", "/", body=b""), Context())
        return Contract(json.loads(answer.get_body()))

    def call(
        self,
        name: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        route: dict[str, str] | None = None,
        method: str = "GET",
    ) -> Answer:
        """Return what the function answers to a request with this body, held against the contract."""
        request = func.HttpRequest(
            method=method,
            url="http://host/api/x",
            headers={"Content-Type": "application/json"},
            params=query or {},
            route_params=route or {},
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        )
        answer = self.functions[name].get_user_function()(request, Context())
        content = answer.get_body()
        parsed = json.loads(content) if content else None
        self.contract.check(name, answer.status_code, answer.mimetype, parsed)
        return Answer(answer.status_code, parsed, dict(answer.headers))
