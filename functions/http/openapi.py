"""The contract: OpenAPI 3.1, made of the registered endpoints and the models that they name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from functions.http.endpoint import Endpoint
from functions.http.parameters import NoParameters, path_type
from functions.http.problem import MEDIA_TYPE, ProblemBody

REFERENCE = "#/components/schemas/{model}"
PROBLEM = {"$ref": "#/components/schemas/Problem"}
TAG: Mapping[str, Any] = {"schema": {"type": "string"}, "description": "Names this state of the resource."}

# Schemas whose public name keeps the suffix: clients know them by it.
PUBLIC_AS_THEY_ARE = frozenset({"BaselineBody", "RecipeBody"})

SECURITY: Mapping[str, Mapping[str, Any]] = {
    "keys": {
        "functionKey": {
            "type": "apiKey",
            "in": "header",
            "name": "x-functions-key",
            "description": "A function key of the app; `?code=` takes it, too.",
        }
    },
    "entra": {
        "entra": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of Entra ID for this app; readers may read, operators may change, too.",
        }
    },
}


def openapi(endpoints: Iterable[Endpoint], version: str, auth: str, order: Sequence[str]) -> Mapping[str, Any]:
    """Return the contract of these endpoints, tags in this order; ValueError where one tells nothing of itself."""
    known = sorted(endpoints, key=lambda one: (order.index(one.tag), one.route, one.method))
    references, schemas = _schemas(known)
    paths: dict[str, dict[str, Any]] = {}
    for one in known:
        if not one.summary:
            raise ValueError(f"{one.name} has no docstring")
        paths.setdefault(f"/{one.route}", {})[one.method.lower()] = _described(one, references, auth)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Subsea leak detection",
            "version": version,
            "description": "Where methane leaks at subsea templates, how much, since when, and how sure that is. "
            "Times are ISO 8601 in UTC, coordinates the template's own in metres, readings in ppmv, rates in kg/s. "
            "HEAD is answered wherever GET is.",
        },
        "servers": [{"url": "/api"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(one.tag for one in known)],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": SECURITY[auth]},
    }


Key = tuple[Any, JsonSchemaMode]


def public_name(name: str) -> str:
    """Return a class's name as the contract has it: without the suffix ``Body``, also in brackets."""
    return re.sub(r"\b(\w+)Body\b", lambda found: found[0 if found[0] in PUBLIC_AS_THEY_ARE else 1], name)


class _PublicSchemas(GenerateJsonSchema):
    """Schemas and their titles under public names."""

    def normalize_name(self, name: str) -> str:
        return super().normalize_name(public_name(name))

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        if "title" in found:
            found["title"] = public_name(found["title"])
        return found


def _schemas(endpoints: Iterable[Endpoint]) -> tuple[Mapping[Key, Any], Mapping[str, Any]]:
    """Return a schema for each model as it is taken or given, and what they share."""
    wanted: dict[Key, TypeAdapter[Any]] = {(ProblemBody, "serialization"): TypeAdapter(ProblemBody)}
    for one in endpoints:
        if one.body is not None:
            wanted[one.body, "validation"] = TypeAdapter(one.body)
        if one.answer is not None:
            wanted[one.answer, "serialization"] = TypeAdapter(one.answer)
    inputs = [(key, key[1], adapter) for key, adapter in wanted.items()]
    found, shared = TypeAdapter.json_schemas(
        inputs, by_alias=True, ref_template=REFERENCE, schema_generator=_PublicSchemas
    )
    schemas = dict(shared.get("$defs", {}))
    return {key: found[key, key[1]] for key in wanted}, dict(sorted(schemas.items()))


def _described(one: Endpoint, schemas: Mapping[Key, Any], auth: str) -> Mapping[str, Any]:
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "tags": [one.tag],
        "parameters": [*_path_parameters(one), *_query_parameters(one), *_headers(one)],
        "responses": _responses(one, schemas, auth),
        "security": [] if one.access == "anyone" else [{name: []} for name in SECURITY[auth]],
    }
    if one.body is not None:
        content = {"application/json": {"schema": schemas[one.body, "validation"]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _path_parameters(one: Endpoint) -> list[Mapping[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": path_type(name).json_schema()} for name in one.path
    ]


def _query_parameters(one: Endpoint) -> list[Mapping[str, Any]]:
    if one.query is NoParameters:
        return []
    schema = TypeAdapter(one.query).json_schema(by_alias=True)
    found: list[Mapping[str, Any]] = []
    for name, own in schema["properties"].items():
        own = {key: value for key, value in own.items() if key != "title"}  # noqa: PLW2901
        parameter: dict[str, Any] = {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": own,
        }
        if not parameter["required"]:
            parameter["allowEmptyValue"] = True  # the platform leaves it out then
        if "description" in own:
            parameter["description"] = own.pop("description")
        found.append(parameter)
    return found


def _headers(one: Endpoint) -> list[Mapping[str, Any]]:
    header, what = ("If-None-Match", "ETag seen") if one.method == "GET" else ("If-Match", "ETag to be changed")
    if one.method != "GET" and not one.conditional:
        return []
    schema = {"type": "string"}
    return [{"name": header, "in": "header", "required": False, "description": what, "schema": schema}]


def statuses_of(one: Endpoint) -> set[HTTPStatus]:
    """Return the problems that an endpoint may end in."""
    found = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}
    found |= one.problems
    found.add(HTTPStatus.BAD_REQUEST)  # any parameter that is not known
    if one.access != "anyone":
        found |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    if one.path:
        found.add(HTTPStatus.NOT_FOUND)
    if one.body is not None:
        found |= {HTTPStatus.LENGTH_REQUIRED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
    if one.method != "GET":
        found.add(HTTPStatus.PRECONDITION_FAILED)
    if one.conditional:
        found.add(HTTPStatus.CONFLICT)
    return found


def _responses(one: Endpoint, schemas: Mapping[Key, Any], auth: str) -> Mapping[str, Any]:
    good: dict[str, Any] = {"description": one.summary}
    if one.answer is not None:
        schema = schemas[one.answer, "serialization"]
        good["headers"] = {"ETag": TAG}
        good["content"] = {
            kind: {"schema": schema if kind == "application/json" else {"type": "string"}} for kind in one.media_types
        }
    responses = {str(int(one.status)): good}
    if one.method == "GET" and one.answer is not None:
        responses["304"] = {"description": "Nothing changed since the ETag in If-None-Match", "headers": {"ETag": TAG}}
    for status in sorted(statuses_of(one)):
        responses[str(int(status))] = {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": PROBLEM}}}
    if one.access != "anyone" and auth == "keys":  # the platform answers this one itself, without a body
        responses["401"] = {"description": HTTPStatus.UNAUTHORIZED.phrase}
    return responses
