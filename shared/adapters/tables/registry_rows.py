"""Rows of the registry: what a partition says of a platform, and the rows by which two platforms differ."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from azure.data.tables import TableEntity

from shared.adapters.tables.access import delete, etag_of, upsert
from shared.adapters.tables.compact_history import compact, expanded
from shared.adapters.tables.writes import TransactionStep
from shared.domain.baseline_history import BaselineHistory
from shared.domain.deviation import Latest
from shared.domain.ingest_state import IngestState, SeriesState
from shared.domain.platform import Platform, Quantity
from shared.domain.template import Sensor, Template
from shared.domain.tsd import iso
from shared.ports import ETag, PlatformRecord, StoredHistory
from shared.schemas import SCHEMA, Stored, numbered, read, schema_of

HEAD = "head"  # written with every other row of the partition, so that its etag names the partition's state
PLATFORM = "platform"
DELETION = "deletion"
DEFINITIONS = (PLATFORM, "template", "sensor")  # rows that people registered
# Properties of a baseline history as storage has called them from the first; the release before knows no others.
STORED_NAMES = {"included": "put_in", "excluded": "kept_out", "last_attempt": "kept"}
LONGEST_PLAIN = 200_000  # characters of a history; a row takes 1 MiB, two bytes a character
PIECE = 30_000  # characters; a property takes 32 Ki
SPOKE = {"channel", "raw"}  # of a newest sample: what its level rests on

Entity = dict[str, Any]


def entity(platform: str, row: str, **more: Any) -> Entity:
    """Return an entity of the platform's partition."""
    return numbered(Stored.REGISTRY, {"PartitionKey": platform, "RowKey": row, **more})


def sensor_row(template: Template, sensor: Sensor) -> str:
    """Return the key of a sensor's row."""
    return f"sensor|{template.slug}|{sensor.number:03d}"


def deletion_row(name: str) -> str:
    """Return the key of the row that says that a platform, template or sensor is being deleted."""
    return f"{DELETION}|{name}"


def definitions(platform: Platform) -> dict[str, Entity]:
    """Return what defines the platform, its templates and sensors, by row key; the platform's own row first."""
    return {row: entity(platform.id, row, body=body) for row, body in _bodies(platform)}


def _bodies(platform: Platform) -> Iterator[tuple[str, str]]:
    yield PLATFORM, platform.model_dump_json(exclude={"templates"})
    for template in platform.templates:
        yield f"template|{template.slug}", template.model_dump_json(exclude={"sensors"})
        for sensor in template.sensors:
            yield sensor_row(template, sensor), sensor.model_dump_json()


def ingest_entity(platform: str, slug: str, state: IngestState) -> Entity:
    """Return the row of how far a template was ingested.

    The watermarks stand apart, as all releases have them; ``state`` holds the rest and may be missing.
    """
    texts = {series: iso(moment) for series, moment in sorted(state.watermarks.items())}
    until = min(texts.values(), default="")
    rest = state.model_dump(mode="json", exclude_defaults=True, exclude={"series": {"__all__": {"until"}}})
    return entity(
        platform, f"ingest|{slug}", until=until, watermarks=json.dumps(texts), **in_pieces("state", json.dumps(rest))
    )


def ingest_state(row: Mapping[str, Any]) -> IngestState:
    """Return how far a template was ingested, from its row."""
    state = IngestState.model_validate_json(from_pieces("state", row) or "{}")
    series = dict(state.series)
    for key, text in json.loads(row["watermarks"]).items():
        series[key] = series.get(key, SeriesState()).model_copy(update={"until": datetime.fromisoformat(text)})
    return state.model_copy(update={"series": dict(sorted(series.items()))})


def latest_entity(platform: str, slug: str, latest: Mapping[str, Latest]) -> Entity:
    """Return the row of the newest samples of a template's sensors.

    What the levels rest on stands apart in ``spoke``, which may be missing: the first releases refuse it in a sample.
    """
    bodies = {sensor: one.model_dump(mode="json", exclude=SPOKE) for sensor, one in sorted(latest.items())}
    spoke = {sensor: one.model_dump(mode="json", include=SPOKE) for sensor, one in sorted(latest.items())}
    return entity(platform, f"latest|{slug}", sensors=json.dumps(bodies), spoke=json.dumps(spoke))


def latest_of(row: Mapping[str, Any]) -> dict[str, Latest]:
    """Return the newest samples in a template's row, by sensor."""
    bodies, spoke = json.loads(row["sensors"]), json.loads(row.get("spoke", "{}"))
    return {
        sensor: Latest.model_validate({**body, **spoke.get(sensor, {})}, extra="ignore")
        for sensor, body in bodies.items()
    }


def history_entity(template: Template, sensor: Sensor, history: BaselineHistory) -> Entity:
    """Return a sensor's baseline history as properties of its row; a long one goes on in further ones."""
    body = _renamed(history.model_dump(mode="json", exclude_defaults=True, exclude={"engine"}), STORED_NAMES)
    text = json.dumps(body, separators=(",", ":"))
    if len(text) > LONGEST_PLAIN:  # the release before reads the plain form alone, and could store no longer one
        text = json.dumps(compact(body), separators=(",", ":"))
    row = sensor_row(template, sensor)
    return entity(template.platform, row, engine=history.engine, **in_pieces("baselines", text))


def in_pieces(name: str, text: str) -> Entity:
    """Return ASCII text as properties that each hold a piece of it, and how many these are."""
    pieces = [text[begin : begin + PIECE] for begin in range(0, len(text), PIECE)]
    return {name: len(pieces), **{f"{name}_{number}": piece for number, piece in enumerate(pieces)}}


def from_pieces(name: str, row: Mapping[str, Any]) -> str:
    """Return the text of such properties; empty where there are none."""
    return "".join(row[f"{name}_{number}"] for number in range(row.get(name, 0)))


def history_of(row: Mapping[str, Any]) -> BaselineHistory:
    """Return the baseline history in a sensor's row; raises NewerSchema."""
    return read(Stored.REGISTRY, row, _history)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return JSON with those of its properties called otherwise, at any depth."""
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(one, names) for key, one in value.items()}
    return [_renamed(one, names) for one in value] if isinstance(value, list) else value


def _history(row: Mapping[str, Any]) -> BaselineHistory:
    text = from_pieces("baselines", row)
    if not text:
        return BaselineHistory()
    body = _renamed(expanded(json.loads(text)), {stored: name for name, stored in STORED_NAMES.items()})
    history = BaselineHistory.model_validate(body, extra="ignore")
    return history.model_copy(update={"engine": row["engine"] if history.changes else ""})


@dataclass
class _Rows:
    """A partition's rows, put together in whatever order they come."""

    platform: dict[str, Any] = field(default_factory=dict)
    templates: list[dict[str, Any]] = field(default_factory=list)
    sensors: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ingested: dict[str, IngestState] = field(default_factory=dict)
    ingest_etags: dict[str, ETag] = field(default_factory=dict)
    stored: dict[str, StoredHistory] = field(default_factory=dict)
    latest: dict[str, Latest] = field(default_factory=dict)
    latest_etags: dict[str, ETag] = field(default_factory=dict)
    deletions: set[str] = field(default_factory=set)
    schema: int = 1  # the newest

    def take(self, row: TableEntity) -> None:
        """Take a row in; raises NewerSchema, and ValueError where it is none of ours."""
        read(Stored.REGISTRY, row, lambda properties: self._take(properties, etag_of(row)))
        if str(row["RowKey"]).partition("|")[0] in DEFINITIONS:
            self.schema = max(self.schema, schema_of(row))

    def _take(self, row: Mapping[str, Any], etag: ETag) -> None:
        kind, _, rest = str(row["RowKey"]).partition("|")
        template = f"{row['PartitionKey']}-{rest}"
        if kind == PLATFORM:
            self.platform = json.loads(row["body"])
        elif kind == "template":
            self.templates.append(json.loads(row["body"]))
        elif kind == "sensor":
            sensor = json.loads(row["body"])
            self.sensors.setdefault(rest.partition("|")[0], []).append(sensor)
            self.stored[sensor["id"]] = StoredHistory(_history(row), etag)
        elif kind == "ingest":
            self.ingested[template] = ingest_state(row)
            self.ingest_etags[template] = etag
        elif kind == DELETION:
            self.deletions.add(rest)
        elif kind == "latest":
            self.latest |= latest_of(row)
            self.latest_etags[template] = etag


def platform_record(rows: Sequence[TableEntity], etag: ETag) -> PlatformRecord:
    """Return a partition's platform with what is known of it, as of the head of that etag.

    Raises NewerSchema, and ValueError for rows that make no platform.
    """
    found = _Rows()
    for row in rows:
        found.take(row)
    values = {**found.platform, "templates": found.templates, SCHEMA: found.schema}
    platform = read(Stored.REGISTRY, values, lambda known: _platform(known, found.sensors))
    return PlatformRecord(
        platform,
        found.ingested,
        found.stored,
        etag,
        found.latest,
        found.latest_etags,
        found.schema,
        found.ingest_etags,
        frozenset(found.deletions),
    )


def _platform(values: Mapping[str, Any], sensors: Mapping[str, list[dict[str, Any]]]) -> Platform:
    templates = [{**one, "sensors": sensors.get(one["id"].partition("-")[2], [])} for one in values["templates"]]
    return Platform.model_validate({**values, "templates": templates}, extra="ignore")


def differences(before: PlatformRecord, after: Platform) -> list[TransactionStep]:
    """Return what makes the rows of ``before`` say ``after``: exactly the rows that differ.

    A sensor that is new, and one that reads another series by now, has neither baselines nor watermark nor sample.
    """
    old, new = definitions(before.platform), definitions(after)
    fresh = new.keys() - old.keys() | _reading_another_series(before.platform, after)
    written = [upsert(one, merge=row not in fresh) for row, one in new.items() if one != old.get(row)]
    removed = [delete(after.id, row) for row in old.keys() - new.keys()]
    done = [delete(after.id, deletion_row(name)) for name in before.deletions - after.ids]
    return [*written, *removed, *done, *_forgotten(before, after)]


def _reading_another_series(before: Platform, after: Platform) -> set[str]:
    tags = {sensor.id: sensor.tag for template in before.templates for sensor in template.sensors}
    return {
        sensor_row(template, sensor)
        for template in after.templates
        for sensor in template.sensors
        if tags.get(sensor.id, sensor.tag) != sensor.tag
    }


def _tag(platform: Platform, quantity: Quantity) -> str | None:
    return platform.environment[quantity].tag if quantity in platform.environment else None


def _forgotten(before: PlatformRecord, after: Platform) -> Iterator[TransactionStep]:
    """Yield what takes watermarks and samples back that belong to no sensor and template of before and after."""
    kept = {one.id: one for one in before.platform.templates if any(one.id == other.id for other in after.templates)}
    both = {sensor.id: sensor.tag for one in kept.values() for sensor in one.sensors}
    stay = {sensor.id for one in after.templates for sensor in one.sensors if both.get(sensor.id) == sensor.tag}
    stay |= {key for key, one in before.platform.environment.items() if _tag(after, key) == one.tag}
    for name, state in before.ingested.items():
        slug = name.partition("-")[2]
        if name not in kept:
            yield delete(after.id, f"ingest|{slug}")
        elif not state.series.keys() <= stay:
            yield upsert(ingest_entity(after.id, slug, state.only(stay)))
    for name in before.latest_etags:
        slug = name.partition("-")[2]
        mine = {sensor: one for sensor, one in before.latest.items() if sensor.rpartition("-")[0] == name}
        if name not in kept:
            yield delete(after.id, f"latest|{slug}")
        elif not mine.keys() <= stay:
            yield upsert(latest_entity(after.id, slug, {sensor: mine[sensor] for sensor in mine.keys() & stay}))
