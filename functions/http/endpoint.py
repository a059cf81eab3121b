"""Endpoints: each is one function of the app, one entry of the contract, and one call of a use case."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import azure.functions as func
from pydantic import BaseModel

from functions.http.access import (
    Access,
    RateLimit,
    auth_level,
    check_access,
    check_rate,
    check_site,
    cors_headers,
    signed_in_as,
)
from functions.http.parameters import PATH, NoParameters, Parameters, read_body, read_path, read_query
from functions.http.problem import problem_of
from functions.http.reply import CSV, JSON, Reply, if_match, prefers, refuse_if_match, response_of
from functions.http.tables import is_list, to_csv
from functions.invocation import invocation
from shared.errors import InvalidInput
from shared.settings import settings

logger = logging.getLogger(__name__)

ROOT = "api/"  # of the API; pages are beside it

QueryT = TypeVar("QueryT", bound=Parameters)
BodyT = TypeVar("BodyT")


@dataclass(frozen=True)
class Call(Generic[QueryT, BodyT]):
    """A validated request: its path, query and body as the endpoint declared them."""

    request: func.HttpRequest
    path: Mapping[str, str]
    query: QueryT
    body: BodyT

    def check_unchanged(self, current: BaseModel) -> None:
        """Raise PreconditionFailed unless the caller has seen the resource as it is now, or does not say."""
        if_match(self.request, current)

    def accepts_csv(self) -> bool:
        """Return whether the caller would rather have CSV."""
        return prefers(self.request.headers.get("Accept", ""), CSV, JSON)

    def by(self, given: str) -> str:
        """Return who does it: who is signed in, whatever is given, or else who is given; raises InvalidInput."""
        name = signed_in_as(self.request) or given
        if not name:
            raise InvalidInput("by: must be given, since nobody is signed in")
        return name


Handler = Callable[[Call[Any, Any]], Any]


@dataclass(frozen=True)
class Endpoint:
    """An endpoint, as the contract describes it."""

    name: str
    method: str
    route: str
    tag: str
    summary: str
    access: Access
    answer: Any  # a model, or None for no content
    status: HTTPStatus
    query: type[Parameters]
    body: type[BaseModel] | None
    media_types: tuple[str, ...]
    problems: frozenset[HTTPStatus]
    conditional: bool  # takes If-Match
    strict: bool = True  # refuses parameters of the query that it does not know

    @property
    def path(self) -> tuple[str, ...]:
        """The names of the route's parameters."""
        return parameters_of(self.route)


ENDPOINTS: list[Endpoint] = []  # of all groups, in order of registration: the contract


def parameters_of(route: str) -> tuple[str, ...]:
    """Return the names of a route's parameters, in order."""
    return tuple(re.findall(r"{(\w+)}", route))


@cache
def _rate_limit() -> RateLimit:
    return RateLimit(settings().http.max_requests_per_minute)


@dataclass(frozen=True)
class EndpointGroup:
    """The endpoints of one tag, on one blueprint."""

    tag: str
    blueprint: func.Blueprint = field(default_factory=func.Blueprint)

    def endpoint(
        self,
        method: str,
        route: str,
        answer: Any,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        query: type[Parameters] = NoParameters,
        body: type[BaseModel] | None = None,
        access: Access | None = None,
        media_types: tuple[str, ...] = (),
        problems: Sequence[HTTPStatus] = (),
        conditional: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Register a handler as function and endpoint; its name and first line of docstring tell what it is.

        Without ``media_types`` a list is JSON or CSV, and all else JSON.
        """
        unknown = set(parameters_of(route)) - PATH.keys()
        if unknown:
            raise ValueError(f"route {route}: no type for {unknown}")

        def register(handler: Handler) -> Handler:
            endpoint = Endpoint(
                name=handler.__name__,
                method=method,
                route=route,
                tag=self.tag,
                summary=(handler.__doc__ or "").strip().partition("\n")[0].rstrip("."),
                access=access or ("reader" if method == "GET" else "operator"),
                answer=answer,
                status=status,
                query=query,
                body=body,
                media_types=media_types or ((JSON, CSV) if is_list(answer) else (JSON,)),
                problems=frozenset(problems),
                conditional=conditional,
            )
            ENDPOINTS.append(endpoint)
            serve(self.blueprint, endpoint, handler, ROOT)
            return handler

        return register


Problems = Callable[[Exception, str], func.HttpResponse]


def respond(
    endpoint: Endpoint, handler: Handler, request: func.HttpRequest, invocation: str, problems: Problems = problem_of
) -> func.HttpResponse:
    """Return the handler's answer to the request, or the problem that it ended in; never a stack trace."""
    try:
        check_access(request, endpoint.access)  # first: a stranger learns nothing of what the rest would say
        check_site(request, settings().http)
        check_rate(request, endpoint.access, _rate_limit())
        if not endpoint.conditional:
            refuse_if_match(request)
        call: Call[Any, Any] = Call(
            request,
            read_path(request, endpoint.path),
            read_query(request, endpoint.query, strict=endpoint.strict),
            read_body(request, endpoint.body, 1024 * settings().http.max_body_kb) if endpoint.body else None,
        )
        result = handler(call)
        reply = result if isinstance(result, Reply) else Reply(result, endpoint.status)
        if CSV in endpoint.media_types and isinstance(reply.body, BaseModel) and call.accepts_csv():
            more = getattr(reply.body, "continuation", None)
            reply = replace(reply, body=to_csv(reply.body, endpoint.answer), media_type=CSV, continuation=more)
        response = response_of(request, reply, _common(endpoint))
    except Exception as error:
        response = problems(error, invocation)
    for name, value in cors_headers(request, settings().http).items():
        both = [response.headers[name], value] if name == "Vary" and "Vary" in response.headers else [value]
        response.headers[name] = ", ".join(both)
    return response


def _common(endpoint: Endpoint) -> Mapping[str, str]:
    """Return the headers of all answers: what only some may see is for no shared cache."""
    caching = {"Cache-Control": "no-cache" if endpoint.access == "anyone" else "private, no-cache"}
    return caching | ({"Vary": "Accept"} if len(endpoint.media_types) > 1 else {})


def methods_served(method: str) -> list[str]:
    """Return the methods that an endpoint is served under: whoever may read may ask for the headers alone."""
    return ["GET", "HEAD"] if method == "GET" else [method]


def serve(
    blueprint: func.Blueprint, endpoint: Endpoint, handler: Handler, root: str, problems: Problems = problem_of
) -> None:
    """Register the function that the platform calls; it takes what the platform passes, by name."""

    def run(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        with invocation(context):
            return respond(endpoint, handler, req, context.invocation_id, problems)

    level = auth_level(endpoint.access)
    routed = blueprint.route(route=root + endpoint.route, methods=methods_served(endpoint.method), auth_level=level)(
        run
    )
    blueprint.function_name(endpoint.name)(routed)
