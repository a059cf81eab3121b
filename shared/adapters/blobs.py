"""Blobs: the lake's day documents and the immutable baseline versions."""

import hashlib
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from datetime import date
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContainerClient, ContentSettings

from shared.detection import Baseline
from shared.detection.baseline import version_of
from shared.domain.template import Template
from shared.domain.tsd import TemplateDay
from shared.errors import Conflict, CorruptBlob, InvalidInput, NotFound
from shared.ports import ETag, StoredDay
from shared.schemas import CURRENT, SCHEMA, Stored
from shared.telemetry import operation_id

logger = logging.getLogger(__name__)

_DAY_BLOB = re.compile(r"(?P<platform>[^/]+)/(?P<slug>[^/]+)/(?P<day>\d{4}-\d{2}-\d{2})\.json")
_JSON = ContentSettings(content_type="application/json")
OPERATION = "operation"  # metadata of a day blob: what wrote it (shared/telemetry.py)


def day_blob(template: Template, day: date) -> str:
    """Return the name of a template's day blob inside the lake's container."""
    return f"{template.platform}/{template.slug}/{day.isoformat()}.json"


def parse_day_blob(name: str) -> tuple[str, str, date]:
    """Return (platform id, template id, day) of a day blob's name; raise InvalidInput for any other name."""
    found = _DAY_BLOB.fullmatch(name)
    if found is None:
        raise InvalidInput(f"blob {name!r}: expected platform/template/yyyy-MM-dd.json")
    try:
        day = date.fromisoformat(found["day"])
    except ValueError as error:
        raise InvalidInput(f"blob {name!r}: expected platform/template/yyyy-MM-dd.json, {error}") from error
    return found["platform"], f"{found['platform']}-{found['slug']}", day


class AzureDayStore:
    """The lake: one JSON blob per template and UTC day; each template's day that was written last is in memory."""

    def __init__(self, days: ContainerClient, corrupt: ContainerClient) -> None:
        """Use the container of day blobs, and the one that unreadable blobs are copied to."""
        self._days = days
        self._corrupt = corrupt
        self._written: dict[str, StoredDay] = {}  # by template

    def read(self, template: Template, day: date, *, fresh: bool = True) -> StoredDay:
        """Return the day's document and etag; an unreadable blob gives no document and says why."""
        written = None if fresh else self._written.get(template.id)
        if written is not None and written.document is not None and written.document.day == day:
            return written
        name = day_blob(template, day)
        try:
            download = self._days.download_blob(name)
        except ResourceNotFoundError:
            return StoredDay(None, None)
        etag = download.properties.etag
        try:
            document = TemplateDay.from_json(download.readall(), name)
        except CorruptBlob as error:
            return StoredDay(None, etag, str(error))
        if (document.template, document.day) != (template.id, day):
            return StoredDay(None, etag, f"day blob {name}: it holds {document.template} of {document.day}")
        return StoredDay(document, etag)

    def etag(self, template: Template, day: date) -> ETag:
        """Return the etag of the day's blob as it is now; None where there is none."""
        try:
            return str(self._days.get_blob_client(day_blob(template, day)).get_blob_properties().etag)
        except ResourceNotFoundError:
            return None

    def write(self, template: Template, document: TemplateDay, etag: ETag) -> None:
        """Write the document on what was read (None: on nothing); raises Conflict."""
        written = self._upload(day_blob(template, document.day), document, etag)
        self._written[template.id] = StoredDay(document, written, fresh=False)

    def _upload(self, name: str, document: TemplateDay, etag: ETag) -> str:
        """Write the blob and return its etag; raises Conflict."""
        blob = self._days.get_blob_client(name)
        metadata, said = {SCHEMA: str(document.schema_number)}, dict[str, Any]()
        if operation_id():  # a blob trigger reads it in the blob, Event Grid passes it on as the request's id
            metadata[OPERATION] = said["client_request_id"] = operation_id()
        if etag is not None:
            said |= {"overwrite": True, "etag": etag, "match_condition": MatchConditions.IfNotModified}
        try:
            written = blob.upload_blob(document.to_json(), content_settings=_JSON, metadata=metadata, **said)
        except (ResourceModifiedError, ResourceExistsError) as error:
            raise Conflict(f"day blob {blob.blob_name} changed in between") from error
        return str(written["etag"])

    def names_of_older(self) -> Iterator[tuple[str, bool]]:
        """Yield every blob's name, and whether it does not say that it is of today's schema or a newer one."""
        for blob in self._days.list_blobs(include=["metadata"]):
            number = (blob.metadata or {}).get(SCHEMA, "1")
            yield blob.name, not (number.isdecimal() and int(number) >= CURRENT[Stored.DAY])

    def rewrite(self, name: str) -> bool:
        """Write a blob as this release does, and return whether that differs; raises CorruptBlob or NewerSchema."""
        download = self._days.download_blob(name)
        content, etag = download.readall(), download.properties.etag
        document = TemplateDay.from_json(content, name)
        if document.to_json() == content:
            return False
        self._upload(name, document, etag)
        return True

    def quarantine(self, template: Template, day: date) -> str:
        """Copy the day's blob to the container of unreadable blobs, named by its content."""
        name = day_blob(template, day)
        content = self._days.download_blob(name).readall()
        copy = f"{name}.{hashlib.sha256(content).hexdigest()[:16]}"
        self._corrupt.upload_blob(copy, content, overwrite=True)
        return copy

    def remove_all(self, template: Template) -> None:
        """Remove every blob of the template; copies of unreadable ones stay."""
        self._written.pop(template.id, None)
        remove_below(self._days, _folder(template))

    def days(self, template: Template) -> list[date]:
        """Return the days that the lake holds of the template, in order; other blobs are passed over."""
        names = self._days.list_blob_names(name_starts_with=_folder(template))
        return sorted(day for name in names if (day := _day_in(name)))

    def etags(self, template: Template) -> dict[date, str]:
        """Return the etag of each day's blob of the template, by one list; other blobs are passed over."""
        blobs = self._days.list_blobs(name_starts_with=_folder(template))
        return {day: str(blob.etag) for blob in blobs if (day := _day_in(blob.name))}


def _folder(template: Template) -> str:
    return f"{template.platform}/{template.slug}/"


def _day_in(name: str) -> date | None:
    """Return the day that a blob of the lake is of; None, which is told, where its name says none."""
    try:
        return parse_day_blob(name)[2]
    except InvalidInput as error:
        logger.warning("%s", error)
        return None


def remove_below(container: ContainerClient, prefix: str) -> None:
    """Remove every blob whose name begins so; what is gone already is no error."""
    for name in list(container.list_blob_names(name_starts_with=prefix)):
        try:
            container.delete_blob(name)
        except ResourceNotFoundError:
            continue


VERSIONS_IN_USE = 2  # of a sensor: its days are scored in order, so that older ones are not asked for again


class AzureBaselineStore:
    """Baseline versions, written once under their content's name; the ones in use stay in memory."""

    def __init__(self, container: ContainerClient, keep: int = 512) -> None:
        """Use the container, and keep so many baselines in memory."""
        self._container = container
        self._keep = keep
        self._memory: OrderedDict[tuple[str, str], Baseline] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, sensor: str, baseline: Baseline) -> None:
        """Store the baseline under its version; storing it again changes nothing."""
        try:
            self._container.upload_blob(f"{sensor}/{baseline.version}.bin", baseline.to_bytes())
        except ResourceExistsError:
            return  # the name is the content's hash: it is the same

    def remove_all(self, sensor: str) -> None:
        """Remove every version of the sensor."""
        remove_below(self._container, f"{sensor}/")
        with self._lock:
            for key in [key for key in self._memory if key[0] == sensor]:
                del self._memory[key]

    def count(self, sensor: str) -> int:
        """Return how many versions of the sensor are stored."""
        return sum(1 for _ in self._container.list_blob_names(name_starts_with=f"{sensor}/"))

    def subjects(self, prefix: str) -> list[str]:
        """Return the sensors whose ids begin so and that have a version, in order."""
        return sorted({name.partition("/")[0] for name in self._container.list_blob_names(name_starts_with=prefix)})

    def get(self, sensor: str, version: str) -> Baseline:
        """Return a stored version; raises NotFound, CorruptBlob, OtherEngine or NewerSchema."""
        key = (sensor, version)
        with self._lock:
            if key in self._memory:
                self._memory.move_to_end(key)
                return self._memory[key]
        try:
            content = self._container.download_blob(f"{sensor}/{version}.bin").readall()
        except ResourceNotFoundError as error:
            raise NotFound(f"baseline {version} of {sensor} is not stored") from error
        if version_of(content) != version:
            raise CorruptBlob(f"baseline {version} of {sensor} holds {version_of(content)}")
        baseline = Baseline.from_bytes(content)
        with self._lock:
            self._memory[key] = baseline
            for older in [one for one in self._memory if one[0] == sensor][:-VERSIONS_IN_USE]:
                del self._memory[older]
            while len(self._memory) > self._keep:
                self._memory.popitem(last=False)
        return baseline
