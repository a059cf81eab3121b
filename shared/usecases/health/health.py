"""How a template's data are: up to when they were asked for and scored, what came last, and what nobody watches."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Literal

from pydantic import AwareDatetime

from shared.domain.template import Template
from shared.domain.tsd import BUCKET, EARLIEST
from shared.domain.validation import Model
from shared.ports import PlatformRecord
from shared.usecases.health.gaps import STALE, Reason, gaps_of, has_baseline, is_of_another_engine, newest_sample


class GapBody(Model):
    """A sensor, or a quantity of the sea, that is not watched: why, and since when."""

    series: str
    why: Reason
    since: AwareDatetime


class TemplateHealthBody(Model):
    """How far a template's data are, and how many of its sensors are watched."""

    template: str
    ingested_until: AwareDatetime | None  # up to when its data source was asked, whatever it had
    lag_seconds: int | None  # now minus that
    newest_sample: AwareDatetime | None  # of any of its sensors; None: none is known of
    scored_until: AwareDatetime | None  # of all its sensors that have a baseline and are read
    sensors: int
    sensors_with_baseline: int
    sensors_watched: int  # those that have a baseline, and a level of now
    sensors_of_another_engine: int  # their newest samples wait to be scored until their baselines are made anew
    gaps: tuple[GapBody, ...]  # every series that is not watched
    stale: bool  # whether its data source was not asked for a while


class HealthBody(Model):
    """How the system is; ``degraded``: something is not watched or cannot be read, or a message failed for good."""

    status: Literal["ok", "degraded"]
    version: str
    now: AwareDatetime
    templates: tuple[TemplateHealthBody, ...]
    unreadable_platforms: tuple[str, ...]  # registered, and unknown what of them is watched
    queues: dict[str, int]
    notifications: Literal["on", "off"]  # whether alarms are sent to somebody outside
    backups: Literal["on", "off"]  # whether what people registered, said and decided is backed up every day
    newest_backup: date | None  # day of the newest whole backup; None: there is none


def template_health(record: PlatformRecord, template: Template, now: datetime) -> TemplateHealthBody:
    """Return how the template's data are at ``now``."""
    moments = record.watermarks(template)
    until = min(moments.values(), default=None)
    late = None if until is None else now - until
    gaps = gaps_of(record, template, now)
    return TemplateHealthBody(
        template=template.id,
        ingested_until=until,
        lag_seconds=None if late is None else int(late.total_seconds()),
        newest_sample=newest_sample(record, template),
        scored_until=_scored_until(record, template, moments),
        sensors=len(template.sensors),
        sensors_with_baseline=sum(has_baseline(record, one) for one in template.sensors),
        sensors_watched=sum(one.id not in gaps for one in template.sensors),
        sensors_of_another_engine=sum(is_of_another_engine(record, one) for one in template.sensors),
        gaps=tuple(GapBody(series=key, why=gap.why, since=gap.since) for key, gap in gaps.items()),
        stale=late is None or late > STALE,
    )


def is_watched(health: TemplateHealthBody) -> bool:
    """Return whether all of the template is watched; one without sensors is not."""
    return bool(health.sensors) and not health.gaps


def _scored_until(record: PlatformRecord, template: Template, ingested: Mapping[str, datetime]) -> datetime | None:
    """Return up to when every sensor is scored that has a baseline and is read; None where there is none."""
    waiting = [one.id for one in template.sensors if has_baseline(record, one) and one.id in ingested]
    never = datetime.min.replace(tzinfo=UTC)
    moments = [record.latest[one].at + BUCKET if one in record.latest else never for one in waiting]
    return max(min(moments), EARLIEST) if moments else None
