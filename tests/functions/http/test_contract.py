"""The contract: nothing that is registered is missing in it, and nothing in it is not there."""

import re

import pytest
from jsonschema_rs import Draft202012Validator, meta

from functions.http.endpoint import ENDPOINTS, Endpoint
from functions.http.openapi import PUBLIC_AS_THEY_ARE
from functions.http.problem import STATUSES
from local.http_server import match_route, parse_route
from tests.support.contract import Contract
from tests.support.http_calls import HttpFunctions, bindings

FALLBACK = "z_no_such_resource"


@pytest.fixture(scope="module")
def contract(http_functions: HttpFunctions) -> Contract:
    """The contract as the app gives it."""
    return http_functions.contract


def test_every_function_is_an_endpoint(http_functions: HttpFunctions, contract: Contract) -> None:
    """By its name, route and method; the one that answers the rest is none."""
    registered = {
        (name, method, found["route"].removeprefix("api"), found["authLevel"] == "FUNCTION")
        for name, function in http_functions.functions.items()
        for found in bindings(function)[:1]
        if name != FALLBACK and found["route"].startswith("api/")
        for method in found["methods"]
        if method != "HEAD"  # as GET, without the body
    }
    in_contract = {
        (name, method, path, bool(described["security"]))
        for name, (method, path, described) in contract.endpoints.items()
    }
    assert registered == in_contract
    assert len(registered) == len(ENDPOINTS) > 40


def test_no_function_takes_what_is_for_another(http_functions: HttpFunctions) -> None:
    """The platform's host tries routes in the order of the functions' names, and the first that fits is called."""
    everything = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    ordered = [
        (name, parse_route(f"/{found['route']}"), found.get("methods", everything), found["route"])
        for name, function in sorted(http_functions.functions.items())
        for found in bindings(function)[:1]
    ]
    for name, _, methods, route in ordered:
        path = "/" + re.sub(r"{\*?\w+}", "some-1", route).lstrip("/")
        for method in methods:
            fitting = [
                other for other, pattern, its, _ in ordered if method in its and match_route(pattern, path) is not None
            ]
            assert fitting[0] == name, f"{method} {path}"


def test_every_parameter_status_and_schema_is_told(contract: Contract) -> None:
    """All of what an endpoint takes and gives."""
    for one in ENDPOINTS:
        described = contract.endpoints[one.name][2]
        names = {(parameter["in"], parameter["name"]) for parameter in described["parameters"]}
        assert names >= {("path", name) for name in re.findall(r"{(\w+)}", one.route)}
        aliases = {field.alias or name for name, field in one.query.model_fields.items()}
        assert {name for where, name in names if where == "query"} == aliases, one.name
        for parameter in described["parameters"]:
            assert parameter.get("allowEmptyValue", False) == (parameter["in"] == "query" and not parameter["required"])
        assert ("header", "If-None-Match" if one.method == "GET" else "If-Match") in names or not (
            one.method == "GET" or one.conditional
        )
        assert ("requestBody" in described) == (one.body is not None)
        assert set(described["responses"]) >= {str(int(status)) for status in expected(one)}, one.name
        good = described["responses"][str(int(one.status))]
        assert ("content" in good) == (one.answer is not None)
        assert described["summary"]


def expected(one: Endpoint) -> set[int]:
    """Return the statuses that an endpoint can end in, by what it is."""
    found = {int(one.status), 400, 429, 500}
    found |= {304} if one.method == "GET" else set()
    found |= {404} if "{" in one.route else set()
    found |= {411, 413, 415} if one.body else set()
    found |= {412} if one.method != "GET" else set()
    found |= {409} if one.conditional else set()
    found |= {401, 403} if one.access != "anyone" else set()
    return found


def test_every_schema_is_one(contract: Contract) -> None:
    """JSON Schema 2020-12, with every reference in the document; no property may come unannounced."""
    schemas = contract.document["components"]["schemas"]
    for name, schema in schemas.items():
        meta.validate(schema)
        Draft202012Validator(contract.resolved({"$ref": f"#/components/schemas/{name}"}))
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False, name
            assert all(re.fullmatch(r"[a-z][a-zA-Z0-9]*", one) for one in schema["properties"]), name
    for reference in re.findall(r"#/components/schemas/(\w+)", str(contract.document)):
        assert reference in schemas


def test_groups_keep_their_public_names(contract: Contract) -> None:
    """Whoever generates a client has classes of these names; one is changed on purpose alone."""
    tags = [tag for _, _, described in contract.endpoints.values() for tag in described["tags"]]
    assert set(tags) == {
        "Assets",
        "Series",
        "Incidents and estimations",
        "Alarms and journal",
        "Events",
        "Feedback",
        "Baselines",
        "Performance",
        "Proof tests",
        "What if",
        "Service",
    }


def test_schemas_keep_their_public_names(contract: Contract) -> None:
    """Generated clients name their classes by them; only two have ever had the suffix of our own classes."""
    names = set(contract.document["components"]["schemas"])
    assert {name for name in names if "Body" in name} == PUBLIC_AS_THEY_ARE
    assert names >= {"Platform", "NewSensor", "Readings", "TemplateSeries", "Listing_Event_", "Problem", "Hypothesis"}


def test_problems_have_stable_types() -> None:
    """Clients branch on them: another name breaks them."""
    assert {name: int(status) for _, status, name in STATUSES} == {
        "invalid-input": 400,
        "not-found": 404,
        "has-data": 409,
        "conflict": 409,
        "precondition-failed": 412,
    }


def test_what_is_not_in_the_contract_is_noticed(contract: Contract) -> None:
    """The check of answers fails where it should."""
    for status, kind, body in (
        (418, "application/json", {}),
        (200, "text/plain", {}),
        (200, "application/json", {"id": 1}),
    ):
        with pytest.raises(AssertionError):
            contract.check("get_platform", status, kind, body)
    with pytest.raises(AssertionError):
        contract.find("GET", "/nothing")
