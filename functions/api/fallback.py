"""HTTP: what no endpoint answers: a preflight of another origin's page, an unknown path, a method that is not there."""

import re
from http import HTTPStatus

import azure.functions as func

from functions.http.access import check_access, cors_headers
from functions.http.endpoint import ENDPOINTS, ROOT, methods_served
from functions.http.problem import Refusal, problem, problem_of
from shared.settings import settings

blueprint = func.Blueprint()

PREFLIGHT = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, If-None-Match, x-functions-key",
    "Access-Control-Max-Age": "3600",
}


# The platform's host tries routes in the order of the functions' names: this one fits every path, and has to be last.
@blueprint.function_name("z_no_such_resource")
@blueprint.route(route=ROOT + "{*path}", auth_level=func.AuthLevel.ANONYMOUS)
def z_no_such_resource(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return 204 for a preflight, 405 with the methods of a known path, 404 for any other; to a stranger neither."""
    path = req.route_params.get("path") or ""
    methods = methods_of(path)
    allowed = {"Allow": ", ".join(methods)} if methods else {}
    if methods and req.method == "OPTIONS":
        headers = cors_headers(req, settings().http)
        if headers:
            headers |= PREFLIGHT | {"Access-Control-Allow-Methods": ", ".join(methods)}
        return func.HttpResponse(status_code=int(HTTPStatus.NO_CONTENT), headers=allowed | headers)
    try:
        check_access(req, "reader")  # after the preflight, which browsers send without saying who asks
    except Refusal as refusal:
        return problem_of(refusal, context.invocation_id)
    if methods:
        detail = f"{req.method} is not among {', '.join(methods)}"
        return problem(
            HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail, context.invocation_id, headers=allowed
        )
    return problem(HTTPStatus.NOT_FOUND, "no-such-resource", "nothing is at this path", context.invocation_id)


def methods_of(path: str) -> list[str]:
    """Return the methods that endpoints serve at the path, in order; it may end with a slash, but hold no two."""
    found = [one.method for one in ENDPOINTS if _pattern(one.route).fullmatch(path.removesuffix("/"))]
    return sorted({method for one in found for method in methods_served(one)})


def _pattern(route: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route)), re.IGNORECASE)
