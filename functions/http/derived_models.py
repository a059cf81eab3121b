"""Models derived from the domain's: what may be given when something is made or changed, and what is shown of it.

So a property that the domain gains, loses or bounds is in the contract without a second word.
"""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import Field, create_model

from shared.domain.validation import Model


def derive_model(
    name: str,
    source: type[Model],
    *,
    without: Collection[str] = (),
    partial: bool = False,
    more: Mapping[str, Any] | None = None,
) -> Any:
    """Return a model with the source's properties but some; ``partial``: each may be left out; ``more``: others."""
    missing = set(without) - source.model_fields.keys()
    if missing:
        raise ValueError(f"{source.__name__} has no {missing}")
    # A default that is never seen: of a partial model only what was given counts.
    fields: dict[str, Any] = {
        key: (field.rebuild_annotation(), Field(default_factory=lambda: None)) if partial else (field.annotation, field)
        for key, field in source.model_fields.items()
        if key not in without
    }
    for key, kind in (more or {}).items():
        # ``from`` is no name in Python: such a property ends with an underscore here, and without it over HTTP.
        fields[key] = (kind, Field(alias=key[:-1]) if key.endswith("_") else ...)
    return create_model(name, __base__=Model, __doc__=source.__doc__, **fields)


def shown(model: Any, source: Model, **more: object) -> Model:
    """Return what the model shows of a domain object, which was validated when it was made."""
    own = {name: getattr(source, name) for name in type(source).model_fields if name in model.model_fields}
    found: Model = model.model_construct(**own | more)
    return found


def given(model: Model) -> dict[str, Any]:
    """Return what was given, by field name, nested models as they are."""
    return {name: getattr(model, name) for name in model.model_fields_set}
