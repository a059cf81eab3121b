"""Tables: lists and series as CSV (RFC 4180), for whoever would rather have a table than JSON."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from functions.http.reply import ListingBody, plain
from shared.domain.series_bodies import ColumnsBody

Path = tuple[str, ...]


def to_csv(body: BaseModel, answer: Any) -> str:
    """Return a page of a list, or a series, as CSV: a line of names, then a line for each item or time.

    ``answer`` is the type of the endpoint's answers, which says a list's columns, also of one without items. What is in
    an object has its name behind the object's and a dot; a list is JSON. What is not known is empty.
    """
    if isinstance(body, ColumnsBody):
        columns = body.columns()
        return _text(columns, zip(*columns.values(), strict=True))
    paths = [path for model in _models_in(_item_of(answer)) for path in _paths(model)]
    items = plain(body)["items"]
    names = dict.fromkeys(".".join(path) for path in paths)
    return _text(names, ([_at(item, name.split(".")) for name in names] for item in items))


def is_list(answer: Any) -> bool:
    """Return whether answers of this type are pages of a list."""
    return isinstance(answer, type) and issubclass(answer, ListingBody)


def _item_of(answer: Any) -> Any:
    return get_args(answer.model_fields["items"].annotation)[0]


def _models_in(kind: Any) -> Iterator[type[BaseModel]]:
    """Return the models that a type names beside None: itself, or those of a union."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    elif get_origin(kind) in (Union, UnionType, Annotated):
        for one in get_args(kind):
            yield from _models_in(one)


def _paths(model: type[BaseModel]) -> Iterator[Path]:
    """Return the names, outermost first, of all that an object holds that is no object."""
    for name, field in model.model_fields.items():
        inner = list(_models_in(field.annotation))
        own = field.serialization_alias or field.alias or name
        if not inner:
            yield (own,)
        for one in inner:
            yield from ((own, *path) for path in _paths(one))


def _at(item: Any, path: Sequence[str]) -> Any:
    for name in path:
        item = item.get(name) if isinstance(item, Mapping) else None
    return item


def _text(names: Iterable[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(one) for one in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    return value
