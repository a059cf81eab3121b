"""Table of what is watched: PartitionKey platform; one row each for platform, template, sensor, ingest state.

One query reads a whole platform, so that a trigger knows its template, sensors, baselines and watermarks with
one transaction.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableClient, UpdateMode

from shared.adapters.tables.access import quoted
from shared.domain.platform import Platform
from shared.domain.template import Sensor, Template
from shared.domain.tsd import iso
from shared.errors import NotFound
from shared.ports import BaselinePointer, Watched

logger = logging.getLogger(__name__)


class TableRegistry:
    """Platforms, templates, sensors, and how far each series was ingested."""

    def __init__(self, table: TableClient) -> None:
        """Use the table."""
        self._table = table

    def platforms(self) -> list[Watched]:
        """Return every platform, in order of id."""
        partitions: dict[str, list[Mapping[str, Any]]] = {}
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
                    self._table.update_entity(entity, mode=UpdateMode.MERGE)  # keeps a sensor's baseline
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

    def set_baseline(self, template: Template, sensor: Sensor, pointer: BaselinePointer) -> None:
        """Point the sensor at a baseline version."""
        self._table.update_entity(
            {
                "PartitionKey": template.platform,
                "RowKey": _sensor_row(template, sensor),
                "baseline": pointer.version,
                "baseline_from": pointer.valid_from.isoformat(),
            },
            mode=UpdateMode.MERGE,
        )


def _sensor_row(template: Template, sensor: Sensor) -> str:
    return f"sensor|{template.slug}|{sensor.number:03d}"


def _rows(platform: Platform) -> Iterable[tuple[str, str]]:
    yield "platform", platform.model_dump_json(exclude={"templates"})
    for template in platform.templates:
        yield f"template|{template.slug}", template.model_dump_json(exclude={"sensors"})
        for sensor in template.sensors:
            yield _sensor_row(template, sensor), sensor.model_dump_json()


def _watched(entities: Sequence[Mapping[str, Any]]) -> Watched:
    """Put a partition's rows together; rows come in order of key: ingest, platform, sensor, template."""
    platform: dict[str, Any] = {}
    templates: list[dict[str, Any]] = []
    sensors: dict[str, list[dict[str, Any]]] = {}
    watermarks: dict[str, dict[str, datetime]] = {}
    baselines: dict[str, BaselinePointer] = {}
    for entity in entities:
        kind, _, rest = str(entity["RowKey"]).partition("|")
        if kind == "platform":
            platform = json.loads(entity["body"])
        elif kind == "template":
            templates.append(json.loads(entity["body"]))
        elif kind == "sensor":
            sensor = json.loads(entity["body"])
            sensors.setdefault(rest.partition("|")[0], []).append(sensor)
            if entity.get("baseline"):
                day = date.fromisoformat(entity["baseline_from"])
                baselines[sensor["id"]] = BaselinePointer(entity["baseline"], day)
        elif kind == "ingest":
            moments = json.loads(entity["watermarks"])
            template_id = f"{entity['PartitionKey']}-{rest}"
            watermarks[template_id] = {key: datetime.fromisoformat(text) for key, text in moments.items()}
    for template in templates:
        template["sensors"] = sensors.get(template["id"].partition("-")[2], [])
    return Watched(Platform.model_validate(platform | {"templates": templates}), watermarks, baselines)
