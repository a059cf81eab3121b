"""Table of what is watched: PartitionKey platform; one row each for platform, template, sensor, ingest state.

One query reads a whole platform, so that a trigger knows its template, sensors, baselines and watermarks with
one transaction. A sensor's baseline history is JSON beside its body; a long one goes on in further properties.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableClient, TableEntity, UpdateMode

from shared.adapters.tables.access import put_entity, quoted, tag_of
from shared.domain.baseline_history import BaselineHistory
from shared.domain.platform import Platform
from shared.domain.template import Sensor, Template
from shared.domain.tsd import iso
from shared.errors import NotFound
from shared.ports import StoredHistory, Tag, Watched

logger = logging.getLogger(__name__)

PIECE = 30_000  # characters; a property takes 32 Ki


class TableRegistry:
    """Platforms, templates, sensors, and how far each series was ingested."""

    def __init__(self, table: TableClient) -> None:
        """Use the table."""
        self._table = table

    def platforms(self) -> list[Watched]:
        """Return every platform, in order of id."""
        partitions: dict[str, list[TableEntity]] = {}
        for entity in self._table.list_entities():
            partitions.setdefault(entity["PartitionKey"], []).append(entity)
        watched = []
        for name, entities in sorted(partitions.items()):
            try:
                watched.append(_watched(entities))
            except ValueError:  # one platform's rows must not stop the others
                logger.exception("platform %s: its rows in the registry cannot be read", name)
        return watched

    def platform(self, platform: str) -> Watched:
        """Return one platform with one query; raises NotFound."""
        entities = list(self._table.query_entities(f"PartitionKey eq {quoted(platform)}"))
        if not any(entity["RowKey"] == "platform" for entity in entities):
            raise NotFound(f"platform {platform!r} is not registered")
        return _watched(entities)

    def add(self, platform: Platform, *, replace: bool = False) -> int:
        """Store the platform's rows that are not stored yet (or replace them); return how many were written."""
        written = 0
        for row, body in _rows(platform):
            entity = {"PartitionKey": platform.id, "RowKey": row, "body": body}
            try:
                self._table.create_entity(entity)
                written += 1
            except ResourceExistsError:
                if replace:
                    self._table.update_entity(entity, mode=UpdateMode.MERGE)  # keeps a sensor's baselines
                    written += 1
        return written

    def set_watermarks(self, template: Template, watermarks: Mapping[str, datetime]) -> None:
        """Record how far each series of the template was ingested."""
        texts = {series: iso(moment) for series, moment in sorted(watermarks.items())}
        self._table.upsert_entity(
            {
                "PartitionKey": template.platform,
                "RowKey": f"ingest|{template.slug}",
                "until": min(texts.values(), default=""),
                "watermarks": json.dumps(texts),
            },
            mode=UpdateMode.REPLACE,
        )

    def set_history(self, template: Template, sensor: Sensor, history: BaselineHistory, tag: Tag) -> str:
        """Write the sensor's baseline history on the row that was read and return its new tag; raises Conflict."""
        text = history.model_dump_json(exclude_defaults=True)
        pieces = [text[begin : begin + PIECE] for begin in range(0, len(text), PIECE)]
        entity = {
            "PartitionKey": template.platform,
            "RowKey": _sensor_row(template, sensor),
            "body": sensor.model_dump_json(),
            "baselines": len(pieces),
            **{f"baselines_{number}": piece for number, piece in enumerate(pieces)},
        }
        return put_entity(self._table, entity, tag)


def _history(entity: Mapping[str, Any]) -> BaselineHistory:
    pieces = [entity[f"baselines_{number}"] for number in range(entity.get("baselines", 0))]
    return BaselineHistory.model_validate_json("".join(pieces) or "{}")


def _sensor_row(template: Template, sensor: Sensor) -> str:
    return f"sensor|{template.slug}|{sensor.number:03d}"


def _rows(platform: Platform) -> Iterable[tuple[str, str]]:
    yield "platform", platform.model_dump_json(exclude={"templates"})
    for template in platform.templates:
        yield f"template|{template.slug}", template.model_dump_json(exclude={"sensors"})
        for sensor in template.sensors:
            yield _sensor_row(template, sensor), sensor.model_dump_json()


def _watched(entities: Sequence[TableEntity]) -> Watched:
    """Put a partition's rows together; rows come in order of key: ingest, platform, sensor, template."""
    platform: dict[str, Any] = {}
    templates: list[dict[str, Any]] = []
    sensors: dict[str, list[dict[str, Any]]] = {}
    watermarks: dict[str, dict[str, datetime]] = {}
    stored: dict[str, StoredHistory] = {}
    for entity in entities:
        kind, _, rest = str(entity["RowKey"]).partition("|")
        if kind == "platform":
            platform = json.loads(entity["body"])
        elif kind == "template":
            templates.append(json.loads(entity["body"]))
        elif kind == "sensor":
            sensor = json.loads(entity["body"])
            sensors.setdefault(rest.partition("|")[0], []).append(sensor)
            stored[sensor["id"]] = StoredHistory(_history(entity), tag_of(entity))
        elif kind == "ingest":
            moments = json.loads(entity["watermarks"])
            template_id = f"{entity['PartitionKey']}-{rest}"
            watermarks[template_id] = {key: datetime.fromisoformat(text) for key, text in moments.items()}
    for template in templates:
        template["sensors"] = sensors.get(template["id"].partition("-")[2], [])
    return Watched(Platform.model_validate(platform | {"templates": templates}), watermarks, stored)
