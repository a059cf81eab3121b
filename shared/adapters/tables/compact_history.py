"""A baseline history's JSON with each span and each list of days in it once: recipes repeat them."""

import json
from collections.abc import Mapping
from typing import Any

_SPANS = ("put_in", "kept_out")  # as storage has called them from the first

Json = dict[str, Any]


def compact(body: Json) -> Json:
    """Return the history with its spans and lists of days beside the changes, which name them by their place."""
    spans: dict[str, int] = {}
    days: dict[str, int] = {}
    changes = []
    for change in body.get("changes", ()):
        recipe = dict(change["recipe"])
        recipe["days"] = days.setdefault(json.dumps(recipe["days"]), len(days))
        for name in _SPANS:
            if name in recipe:
                recipe[name] = _runs([spans.setdefault(json.dumps(span), len(spans)) for span in recipe[name]])
        changes.append({**change, "recipe": recipe})
    return {**body, "changes": changes, "spans": [*map(json.loads, spans)], "days": [*map(json.loads, days)]}


def expanded(body: Json) -> Json:
    """Return the history as it was before ``compact``; one that was not compacted, as it is."""
    if "spans" not in body:
        return body
    rest = {name: value for name, value in body.items() if name not in ("spans", "days")}
    return {**rest, "changes": [_expanded(change, body) for change in body["changes"]]}


def _expanded(change: Json, body: Mapping[str, Any]) -> Json:
    recipe = dict(change["recipe"])
    recipe["days"] = body["days"][recipe["days"]]
    for name in _SPANS:
        if name in recipe:
            recipe[name] = [body["spans"][n] for first, count in recipe[name] for n in range(first, first + count)]
    return {**change, "recipe": recipe}


def _runs(places: list[int]) -> list[tuple[int, int]]:
    """Return numbers as runs (first, count): marks come in order, so that a recipe's are mostly one run."""
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and place == sum(runs[-1]):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((place, 1))
    return runs
