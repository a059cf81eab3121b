"""Holds answers against the contract: its status, type and every property of its body must be in it."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError


class Contract:
    """An OpenAPI document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Read answers by this document."""
        self.document = document

    @cached_property
    def endpoints(self) -> dict[str, tuple[str, str, Mapping[str, Any]]]:
        """Method, path and description of each endpoint by its operationId."""
        return {
            described["operationId"]: (method.upper(), path, described)
            for path, found in self.document["paths"].items()
            for method, described in found.items()
        }

    def find(self, method: str, path: str) -> str:
        """Return the operationId of the endpoint at a path such as `/sensors/snorre-w-1`."""
        fits = [
            (known.count("{"), name)
            for name, (verb, known, _) in self.endpoints.items()
            if verb == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", known), path)
        ]
        assert fits, f"{method} {path} is not in the contract"
        return min(fits)[1]

    def check(self, name: str, status: int, kind: str, body: Any) -> None:
        """Raise AssertionError unless an endpoint may answer this; ``body``: JSON, or None where there is none."""
        responses = self.endpoints[name][2]["responses"]
        assert str(status) in responses, f"{name} answers {status}, which is not in its contract: {body}"
        content = responses[str(status)].get("content", {})
        if body is None:
            return
        kind = kind.partition(";")[0]
        assert kind in content, f"{name} answers {status} as {kind}; its contract knows {list(content)}"
        try:
            Draft202012Validator(self.resolved(content[kind]["schema"])).validate(body)
        except ValidationError as error:
            raise AssertionError(f"{name} answers {status} against its contract: {error.message}") from error

    def resolved(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return a schema together with those that it refers to."""
        return {**schema, "components": self.document["components"]}
