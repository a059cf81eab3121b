"""Rows of the registry: what a partition says of a platform, and the rows by which two platforms differ.

What changes with every tick stands in a partition of its own for each template; the release before kept it among what
is registered (``Legacy``).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from azure.data.tables import TableEntity

from shared.adapters.tables.access import delete, etag_of, upsert
from shared.adapters.tables.compact_history import compact, expanded
from shared.adapters.tables.writes import TransactionStep
from shared.domain.baseline_history import BaselineHistory
from shared.domain.checked_days import CheckedDays
from shared.domain.deviation import Latest
from shared.domain.ingest_state import IngestState, SeriesState
from shared.domain.platform import Platform
from shared.domain.template import Sensor, Template
from shared.domain.tsd import iso
from shared.ports import ETag, Registration, StoredHistory
from shared.schemas import SCHEMA, Stored, numbered, read, schema_of

HEAD = "head"  # written with every other row of the partition, so that its etag names the partition's state
PLATFORM = "platform"
DELETION = "deletion"
INGEST, LATEST = "ingest", "latest"  # rows of a template's own partition
CHECKED = "checked"  # another one, which only the daily run reads; it comes before the others
INDEX = "~"  # the partition that lists the platforms; it and the templates' own sort after those of all platforms
COMPLETE = "~"  # the row of the index that says that every platform is in it
GENERATION = "generation"  # of a head: the name of that state, which the index has, too
MOVED = "moved"  # of a row of a template's own: the etag of the release before's row that went into it
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


def own_partition(template: str) -> str:
    """Return the key of the partition of what changes with every tick of a template."""
    return f"{INDEX}{template}"


def index_entity(platform: str, generation: str) -> Entity:
    """Return the row of the index that names a platform's state."""
    return entity(INDEX, platform, **{GENERATION: generation})


def head_entity(platform: str, generation: str) -> Entity:
    """Return the head of a platform's partition, in that state."""
    return entity(platform, HEAD, **{GENERATION: generation})


def ingest_entity(template: str, state: IngestState) -> Entity:
    """Return the row of how far a template was ingested.

    The watermarks stand apart, as all releases have them; ``state`` holds the rest and may be missing.
    """
    texts = {series: iso(moment) for series, moment in sorted(state.watermarks.items())}
    until = min(texts.values(), default="")
    rest = state.model_dump(mode="json", exclude_defaults=True, exclude={"series": {"__all__": {"until"}}})
    pieces = in_pieces("state", json.dumps(rest))
    return entity(own_partition(template), INGEST, until=until, watermarks=json.dumps(texts), **pieces)


def ingest_state(row: Mapping[str, Any]) -> IngestState:
    """Return how far a template was ingested, from its row."""
    state = IngestState.model_validate_json(from_pieces("state", row) or "{}")
    series = dict(state.series)
    for key, text in json.loads(row["watermarks"]).items():
        series[key] = series.get(key, SeriesState()).model_copy(update={"until": datetime.fromisoformat(text)})
    return state.model_copy(update={"series": dict(sorted(series.items()))})


def latest_entity(template: str, latest: Mapping[str, Latest]) -> Entity:
    """Return the row of the newest samples of a template's sensors.

    What the levels rest on stands apart in ``spoke``, which may be missing: the first releases refuse it in a sample.
    """
    bodies = {sensor: one.model_dump(mode="json", exclude=SPOKE) for sensor, one in sorted(latest.items())}
    spoke = {sensor: one.model_dump(mode="json", include=SPOKE) for sensor, one in sorted(latest.items())}
    return entity(own_partition(template), LATEST, sensors=json.dumps(bodies), spoke=json.dumps(spoke))


def latest_of(row: Mapping[str, Any]) -> dict[str, Latest]:
    """Return the newest samples in a template's row, by sensor."""
    bodies, spoke = json.loads(row["sensors"]), json.loads(row.get("spoke", "{}"))
    return {
        sensor: Latest.model_validate({**body, **spoke.get(sensor, {})}, extra="ignore")
        for sensor, body in bodies.items()
    }


def checked_entity(template: str, days: CheckedDays) -> Entity:
    """Return the row of which of a template's days were found to be scored right."""
    pieces = in_pieces("marks", days.marks)
    return entity(own_partition(template), CHECKED, first=days.first.isoformat(), **pieces)


def checked_of(row: Mapping[str, Any]) -> CheckedDays:
    """Return which days were found right, from that row."""
    return CheckedDays(date.fromisoformat(row["first"]), from_pieces("marks", row))


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


class OldState(NamedTuple):
    """What the release before kept of a template's ingest, or of its newest samples, and the etag of that row."""

    value: Any
    etag: ETag


@dataclass
class Legacy:
    """Rows of what changes with every tick, by template, among what is registered: as the release before had them."""

    ingested: dict[str, OldState] = field(default_factory=dict)
    latest: dict[str, OldState] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.ingested or self.latest)


@dataclass
class _Rows:
    """A partition's rows, put together in whatever order they come."""

    platform: dict[str, Any] = field(default_factory=dict)
    templates: list[dict[str, Any]] = field(default_factory=list)
    sensors: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    stored: dict[str, StoredHistory] = field(default_factory=dict)
    deletions: set[str] = field(default_factory=set)
    schema: int = 1  # the newest

    def take(self, row: TableEntity) -> None:
        """Take a row in; raises NewerSchema, and ValueError where it is none of ours."""
        read(Stored.REGISTRY, row, lambda properties: self._take(properties, etag_of(row)))
        if str(row["RowKey"]).partition("|")[0] in DEFINITIONS:
            self.schema = max(self.schema, schema_of(row))

    def _take(self, row: Mapping[str, Any], etag: ETag) -> None:
        kind, _, rest = str(row["RowKey"]).partition("|")
        if kind == PLATFORM:
            self.platform = json.loads(row["body"])
        elif kind == "template":
            self.templates.append(json.loads(row["body"]))
        elif kind == "sensor":
            sensor = json.loads(row["body"])
            self.sensors.setdefault(rest.partition("|")[0], []).append(sensor)
            self.stored[sensor["id"]] = StoredHistory(_history(row), etag)
        elif kind == DELETION:
            self.deletions.add(rest)


def registration_of(
    rows: Sequence[TableEntity], etag: ETag, generation: str = "", *, whole: bool = True
) -> Registration:
    """Return the platform that a partition's rows say, as of the head of that etag.

    Raises NewerSchema, and ValueError for rows that make no platform.
    """
    found = _Rows()
    for row in rows:
        found.take(row)
    values = {**found.platform, "templates": found.templates, SCHEMA: found.schema}
    return Registration(
        read(Stored.REGISTRY, values, lambda known: _platform(known, found.sensors)),
        stored=found.stored,
        etag=etag,
        generation=generation,
        schema=found.schema,
        deletions=frozenset(found.deletions),
        whole=whole,
    )


def legacy_of(rows: Sequence[TableEntity]) -> Legacy:
    """Return what a partition's rows hold of the release before; raises NewerSchema and ValueError."""
    found = Legacy()
    for row in rows:
        kind, _, slug = str(row["RowKey"]).partition("|")
        template = f"{row['PartitionKey']}-{slug}"
        if kind == INGEST and slug:
            found.ingested[template] = OldState(read(Stored.REGISTRY, row, ingest_state), etag_of(row))
        elif kind == LATEST and slug:
            found.latest[template] = OldState(read(Stored.REGISTRY, row, latest_of), etag_of(row))
    return found


def _platform(values: Mapping[str, Any], sensors: Mapping[str, list[dict[str, Any]]]) -> Platform:
    templates = [{**one, "sensors": sensors.get(one["id"].partition("-")[2], [])} for one in values["templates"]]
    return Platform.model_validate({**values, "templates": templates}, extra="ignore")


def both_ingested(own: IngestState | None, old: IngestState) -> IngestState:
    """Return the state that follows from this release's and the release before's, which ran beside it.

    A watermark moved after the lake was written, by either: the later one holds.
    """
    if own is None:
        return old

    def further(key: str) -> SeriesState:
        one, other = own.series.get(key), old.series.get(key)
        if one is None or other is None or one.tag not in ("", other.tag):
            return one or other or SeriesState()
        known = datetime.fromisoformat("0001-01-01T00:00:00+00:00")
        return max(one, other, key=lambda state: (state.until or known, state.since is not None))

    looked = (own.looked_back, old.looked_back)
    return own.model_copy(
        update={
            "series": {key: further(key) for key in sorted(own.series.keys() | old.series.keys())},
            "told": {**old.told, **own.told},
            "looked_back": None if None in looked else max(one for one in looked if one is not None),
        }
    )


def both_latest(own: Mapping[str, Latest] | None, old: Mapping[str, Latest]) -> dict[str, Latest]:
    """Return the newer of each sensor's newest samples, of this release and of the one before beside it."""
    found = dict(own or {})
    for sensor, one in old.items():
        if sensor not in found or one.at > found[sensor].at:
            found[sensor] = one
    return found


def differences(before: Registration, after: Platform) -> list[TransactionStep]:
    """Return what makes the rows of ``before`` say ``after``: exactly the rows that differ.

    A sensor that is new, and one that reads another series by now, has no baselines.
    """
    old, new = definitions(before.platform), definitions(after)
    fresh = new.keys() - old.keys() | _reading_another_series(before.platform, after)
    written = [upsert(one, merge=row not in fresh) for row, one in new.items() if one != old.get(row)]
    removed = [delete(after.id, row) for row in old.keys() - new.keys()]
    done = [delete(after.id, deletion_row(name)) for name in before.deletions - after.ids]
    return [*written, *removed, *done]


def _reading_another_series(before: Platform, after: Platform) -> set[str]:
    tags = {sensor.id: sensor.tag for template in before.templates for sensor in template.sensors}
    return {
        sensor_row(template, sensor)
        for template in after.templates
        for sensor in template.sensors
        if tags.get(sensor.id, sensor.tag) != sensor.tag
    }


def tags_of(platform: Platform, template: Template) -> dict[str, str]:
    """Return the tag of each series of a template: its sensors', and the sea's."""
    tags: dict[str, str] = {sensor.id: sensor.tag for sensor in template.sensors}
    return tags | {quantity: series.tag for quantity, series in platform.environment.items()}


def series_by_template(platform: Platform | None) -> dict[str, dict[str, str]]:
    """Return the tags of each template's series, by template; nothing of no platform."""
    return {} if platform is None else {one.id: tags_of(platform, one) for one in platform.templates}
