"""Backups: what nothing can derive, exported once a day in parts, and a manifest that makes them one."""

from datetime import date, timedelta

from pydantic import AwareDatetime, Field, ValidationError

from shared.domain.validation import StoredModel, findings
from shared.errors import CorruptBlob, NewerSchema

FORMAT = 1  # of manifests and parts


class _Numbered(StoredModel):
    format: int


class Part(StoredModel):
    """One blob of a backup: rows of one table, of the journal those of one month."""

    table: str
    name: str  # of the blob
    rows: int = Field(ge=0)
    size: int = Field(ge=0)  # [bytes]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")  # of the blob
    row_schema: int = Field(ge=1)  # the newest of its rows
    month: str = Field("", pattern=r"^([0-9]{4}-[0-9]{2})?$")


class Manifest(StoredModel):
    """All parts of a day's backup; it is written when they are there, so what has none is no backup."""

    format: int = FORMAT
    day: date
    began: AwareDatetime
    ended: AwareDatetime
    version: str  # of the app
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return sum(one.rows for one in self.parts)

    @staticmethod
    def from_json(content: bytes, name: str) -> "Manifest":
        """Return the manifest of a blob; raises CorruptBlob, or NewerSchema where a newer release wrote it."""
        try:
            of = _Numbered.model_validate_json(content).format
            if of > FORMAT:
                raise NewerSchema(f"{name} has format {of}; this release knows {FORMAT}")
            return Manifest.model_validate_json(content)
        except ValidationError as error:
            raise CorruptBlob(f"{name} is no manifest of a backup: {'; '.join(findings(error))}") from error


def month_of(day: date) -> str:
    """Return the month of a day, as the journal's parts are named."""
    return f"{day:%Y-%m}"


def end_of(month: str) -> date:
    """Return the first day after a month."""
    year, number = map(int, month.split("-"))
    return date(year + number // 12, number % 12 + 1, 1)


def is_late(newest: date | None, today: date) -> bool:
    """Return whether a backup is missing, by the day of the newest: yesterday's counts until today's is made."""
    return newest is None or newest < today - timedelta(days=1)
