"""Pages: functions of the app like the API's, but of no contract, and with problems that a person can read."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import azure.functions as func

from functions.http.access import Access
from functions.http.endpoint import Endpoint, Handler, serve
from functions.http.parameters import NoParameters, Parameters
from functions.http.problem import problem_of
from functions.http.reply import HTML, Reply
from functions.http.security_headers import security_headers
from functions.pages.render import render


@dataclass(frozen=True)
class Pages:
    """The pages, on one blueprint."""

    blueprint: func.Blueprint = field(default_factory=func.Blueprint)

    def page(
        self, route: str, *, query: type[Parameters] = NoParameters, access: Access = "reader"
    ) -> Callable[[Handler], Handler]:
        """Register a handler that answers with a page, or a file of one."""

        def register(handler: Handler) -> Handler:
            endpoint = Endpoint(
                name=f"page_{handler.__name__}",
                method="GET",
                route=route,
                tag="Pages",
                summary="",
                access=access,
                answer=str,
                status=HTTPStatus.OK,
                query=query,
                body=None,
                media_types=(HTML,),
                problems=frozenset(),
                conditional=False,
                strict=False,
            )
            serve(self.blueprint, endpoint, handler, "", _problem_page)
            return handler

        return register


def shown(file: str, values: Mapping[str, object]) -> Reply:
    """Return a file of HTML rendered with these values, as a reply with the security headers."""
    return Reply(render(file, values), media_type=HTML, headers=security_headers())


def _problem_page(error: Exception, invocation: str) -> func.HttpResponse:
    """Return what went wrong as a page; the log tells more by the invocation."""
    response = problem_of(error, invocation)
    described = json.loads(response.get_body())
    headers = {
        **security_headers(),
        **{name: value for name, value in response.headers.items() if name != "Content-Type"},
    }
    return func.HttpResponse(
        render("problem.html", {"problem": described}), status_code=response.status_code, mimetype=HTML, headers=headers
    )
