"""How far a template was ingested: up to when each of its series was asked for, and what keeps one from going on."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import AwareDatetime, Field

from shared.domain.validation import StoredModel


class ReadUnit(StoredModel):
    """In which unit a series was read at its source, and for which registered one.

    The lake holds readings that were made so from ``since`` on, up to the watermark.
    """

    source: str
    registered: str
    since: AwareDatetime


class SeriesState(StoredModel):
    """How far one series was ingested, and of which series of its source that is said.

    ``until`` is the watermark: the end of what was asked for, None where nothing was yet. ``tag`` and ``source_id`` are
    empty, and ``begin`` is None, in storage of old. What was read before ``anew``, under another id than
    today's, stays: the series that took its place may lack it.
    """

    until: AwareDatetime | None = None
    tag: str = ""
    source_id: str = ""
    begin: AwareDatetime | None = None  # of what was asked for
    anew: AwareDatetime | None = None
    unit: ReadUnit | None = None  # None in storage of old
    newest: AwareDatetime | None = None  # bucket of the newest usable sample, None: none is known of
    problem: str = ""  # why it is left out; empty: it is not
    since: AwareDatetime | None = None  # the time of the event that tells so; without a problem: it may be there


class ToldGap(StoredModel):
    """What people were told of a series that is not watched: why, and since when."""

    why: str
    since: AwareDatetime  # the time of the event that tells so
    done: bool = True  # False: the event may be there, or not


class IngestState(StoredModel):
    """How far a template's series were ingested, when it was looked back and up, and when its run failed last."""

    series: dict[str, SeriesState] = Field(default_factory=dict)  # by sensor or quantity
    told: dict[str, ToldGap] = Field(default_factory=dict)  # by sensor or quantity
    looked_back: AwareDatetime | None = None
    looked_up: AwareDatetime | None = None  # when all series were found at their source by their tags
    failed: AwareDatetime | None = None  # None: the last run did not fail

    @property
    def watermarks(self) -> Mapping[str, datetime]:
        """The watermark of each series of which anything was asked for."""
        return {key: one.until for key, one in self.series.items() if one.until is not None}

    def only(self, keys: set[str]) -> "IngestState":
        """Return what it says of these series, looking back over everything once more."""
        series = {key: one for key, one in self.series.items() if key in keys}
        told = {key: one for key, one in self.told.items() if key in keys}
        return self.model_copy(update={"series": series, "told": told, "looked_back": None})
