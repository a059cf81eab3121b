"""What a rehearsal of a restore needs: rows and baselines that are lost, and what people are shown before and after."""

from collections.abc import Callable, Mapping
from typing import Any

import requests

from shared.bootstrap import Bootstrap


def lose(app: Bootstrap, *, baselines: bool) -> None:
    """Empty every table, and, if so, the container of baselines; lake and backups stay."""
    for table in app.clients.tables():
        for entity in list(table.list_entities()):
            table.delete_entity(entity)
    if baselines:
        container = app.clients.container(app.settings.storage.baselines_container)
        for name in list(container.list_blob_names()):
            container.delete_blob(name)


def shown(app: Bootstrap, template: str, sensor: str, get: Callable[[str], requests.Response]) -> Mapping[str, Any]:
    """Return what people are shown of a template and its sensor, by its path; ``get`` asks a host for a path."""
    incidents = [one.incident.id for one in app.incidents.list(template)]
    pages = ["overview", "alarms", "journal", "handover", f"templates/{template}", f"sensors/{sensor}"]
    pages += [f"templates/{template}/performance", *(f"incidents/{one}" for one in incidents)]
    answers = ["health", "platforms", "sensors", "alarms", "journal", "events", "suppressions"]
    answers += [f"templates/{template}/{what}" for what in ("incidents", "events", "record")]
    answers += [f"sensors/{sensor}/{what}" for what in ("deviations", "baseline", "feedback")]
    answers += [f"incidents/{one}{more}" for one in incidents for more in ("", "/estimation")]
    found: dict[str, Any] = {}
    for path in [*(f"/{one}" for one in pages), *(f"/api/{one}" for one in answers)]:
        answer = get(path)
        assert answer.ok, (path, answer.text[:500])
        found[path] = answer.json() if path.startswith("/api/") else answer.text
    return found


def shown_otherwise(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return each path where people are shown something else; of an answer of the API also what of it, and how."""
    return [_otherwise(path, before[path], after.get(path)) for path in before if before[path] != after.get(path)]


def _otherwise(path: str, before: object, after: object) -> str:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return path
    keys = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    parts = [f"{key} was {before.get(key)}, is {after.get(key)}" for key in sorted(keys)]
    return f"{path} ({', '.join(parts)})"[:500]
