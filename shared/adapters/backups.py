"""Backups as blobs: parts named by their content, never written over; a manifest makes a day's parts a backup.

``days/{day}/`` and ``manifests/`` go after a while by the account's lifecycle; ``journal/`` holds the months that are
over, which every later manifest names again, and stays. The container's policy may forbid to change or remove any.
"""

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient, ContentSettings

from shared.domain.backup import Manifest, Part
from shared.errors import CorruptBlob, NotFound
from shared.ports import Row

MANIFESTS, DAYS, MONTHS = "manifests/", "days/", "journal/"
_MANIFEST = re.compile(rf"{MANIFESTS}(\d{{4}}-\d{{2}}-\d{{2}})\.json")
_JSON = ContentSettings(content_type="application/json")
_LINES = ContentSettings(content_type="application/gzip")  # not as an encoding: nobody is to unpack it on the way
_GZIP = 31  # zlib's wish for a gzip file; its header has no time, so that the same rows are the same bytes


class AzureBackupStore:
    """A container of backups."""

    def __init__(self, container: ContainerClient) -> None:
        """Use the container."""
        self._container = container

    def days(self) -> Sequence[date]:
        """Return the days of which there is a whole backup, in order."""
        names = map(_MANIFEST.fullmatch, self._container.list_blob_names(name_starts_with=MANIFESTS))
        return sorted(date.fromisoformat(found[1]) for found in names if found)

    def manifest(self, day: date) -> Manifest:
        """Return a day's manifest; raises NotFound, CorruptBlob or NewerSchema."""
        name = _manifest_name(day)
        found = Manifest.from_json(self._content(name), name)
        if found.day != day:
            raise CorruptBlob(f"{name} is the manifest of {found.day}")
        return found

    def finish(self, manifest: Manifest) -> bool:
        """Write the day's manifest, unless there is one; return whether there was none."""
        return self._put(_manifest_name(manifest.day), manifest.model_dump_json().encode(), {}, _JSON)

    def closed_months(self) -> Mapping[str, Part]:
        """Return the parts of the months of the journal that are over, by month: of several, the one with most rows.

        A month has several where somebody said something in it after it was exported.
        """
        found: dict[str, Part] = {}
        for blob in self._container.list_blobs(name_starts_with=MONTHS, include=["metadata"]):
            metadata = blob.metadata or {}
            if not metadata:
                continue  # not ours
            part = Part(table="journal", name=blob.name, size=blob.size, **metadata)
            if part.month not in found or found[part.month].rows < part.rows:
                found[part.month] = part
        return found

    def write(self, rows: Iterable[Row], table: str, day: date | None, month: str = "") -> Part:
        """Write rows as a part of a day's backup, or of every one from now on (None); what is there already stays."""
        count, newest, packed, squeeze = 0, 1, bytearray(), zlib.compressobj(wbits=_GZIP)
        for row in rows:
            count, newest = count + 1, max(newest, row.schema)
            packed += squeeze.compress(row.line.encode() + b"\n")
        packed += squeeze.flush()
        content = bytes(packed)
        sha256 = hashlib.sha256(content).hexdigest()
        what = "-".join(filter(None, (table, month))) if day else month
        name = f"{f'{DAYS}{day}/' if day else MONTHS}{what}-{sha256[:16]}.jsonl.gz"
        part = Part(
            table=table, name=name, rows=count, size=len(content), sha256=sha256, row_schema=newest, month=month
        )
        metadata = {"rows": str(count), "sha256": sha256, "row_schema": str(newest), "month": month}
        self._put(name, content, metadata if month else {}, _LINES)
        return part

    def read(self, part: Part) -> Iterator[str]:
        """Yield the lines of a part; raises NotFound, or CorruptBlob before the first one unless it is as written."""
        content = self._content(part.name)
        if len(content) != part.size or hashlib.sha256(content).hexdigest() != part.sha256:
            raise CorruptBlob(f"{part.name} is not what its manifest says: it was changed or cut short")
        lines = zlib.decompress(content, wbits=_GZIP).decode().split("\n")[:-1]  # a text may hold other line ends
        if len(lines) != part.rows:
            raise CorruptBlob(f"{part.name} has {len(lines)} rows, its manifest says {part.rows}")
        return iter(lines)

    def _content(self, name: str) -> bytes:
        try:
            return bytes(self._container.download_blob(name).readall())
        except ResourceNotFoundError as error:
            raise NotFound(f"there is no {name} among the backups") from error

    def _put(self, name: str, content: bytes, metadata: Mapping[str, str], kind: ContentSettings) -> bool:
        """Write a blob unless it is there; return whether it was not."""
        try:
            self._container.upload_blob(name, content, metadata=dict(metadata), content_settings=kind)
        except ResourceExistsError:
            return False
        return True


def _manifest_name(day: date) -> str:
    return f"{MANIFESTS}{day.isoformat()}.json"
