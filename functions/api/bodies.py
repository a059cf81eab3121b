"""What the API shows of platforms, templates and sensors, and what may be given to make or change them."""

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import AwareDatetime

from functions.http.derived_models import derive_model, shown
from shared.detection import Fault
from shared.domain.deviation import Latest
from shared.domain.platform import Platform
from shared.domain.suppression import Suppression
from shared.domain.template import Sensor, Template
from shared.domain.validation import Model
from shared.ports import PlatformRecord, Registration
from shared.usecases.health.gaps import Reason, gap_of
from shared.usecases.queries.channels import channel_word


class BaselineInUseBody(Model):
    """The baseline version that scores a sensor now, and since which day."""

    version: str
    valid_from: date


class UnwatchedBody(Model):
    """Why nobody watches a sensor now, and since when: its newest level says nothing of now."""

    why: Reason
    since: AwareDatetime


class LatestSampleBody(Model):
    """A sensor's newest scored sample; ``since``: when this level began.

    ``channel`` is what spoke, before an alarm was held: what the score rests on unless it is held above that.
    """

    at: AwareDatetime
    level: str
    since: AwareDatetime
    score: float | None
    channel: str | None
    ppmv: float | None
    fault: str | None


PLATFORM_PARTS = {"templates": tuple[str, ...]}
TEMPLATE_PARTS = {"sensors": tuple[str, ...]}
SENSOR_PARTS = {"platform": str, "template": str, "baseline": BaselineInUseBody | None}

PlatformBody = derive_model("PlatformBody", Platform, more=PLATFORM_PARTS)
NewPlatformBody = derive_model("NewPlatformBody", Platform, without=("templates",))
PlatformChangesBody = derive_model("PlatformChangesBody", Platform, without=("id", "templates"), partial=True)

TemplateBody = derive_model("TemplateBody", Template, more=TEMPLATE_PARTS)
NewTemplateBody = derive_model("NewTemplateBody", Template, without=("platform", "sensors"))
TemplateChangesBody = derive_model("TemplateChangesBody", Template, without=("id", "platform", "sensors"), partial=True)

SensorBody = derive_model("SensorBody", Sensor, more=SENSOR_PARTS)
LISTED_PARTS = {**SENSOR_PARTS, "latest": LatestSampleBody | None, "unwatched": UnwatchedBody | None}
ListedSensorBody = derive_model("ListedSensorBody", Sensor, more=LISTED_PARTS)
NewSensorBody = derive_model("NewSensorBody", Sensor, without=("id",))
SensorChangesBody = derive_model("SensorChangesBody", Sensor, without=("id", "number", "tag"), partial=True)


def platform_body(platform: Platform) -> Model:
    """Return what is shown of a platform: its templates by id."""
    return shown(PlatformBody, platform, templates=tuple(one.id for one in platform.templates))


def template_body(template: Template) -> Model:
    """Return what is shown of a template: its sensors by id."""
    return shown(TemplateBody, template, sensors=tuple(one.id for one in template.sensors))


def sensor_body(record: Registration, template: Template, sensor: Sensor) -> Model:
    """Return what is shown of a sensor: its definition and the baseline that scores it."""
    return shown(SensorBody, sensor, **_whereabouts(record, template, sensor))


def listed_sensor(
    record: PlatformRecord, template: Template, sensor: Sensor, now: datetime, out: Mapping[str, Suppression]
) -> Model:
    """Return what a list shows of a sensor: its newest sample, too, and why that says nothing of ``now``.

    out: the sensors that are out of service, by id.
    """
    found, gap = record.latest.get(sensor.id), gap_of(record, template, sensor, now)
    latest = _latest(found) if found is not None else None
    unwatched = UnwatchedBody(why=gap.why, since=gap.since) if gap is not None else None
    if sensor.id in out:
        unwatched = UnwatchedBody(why=Reason.OUT_OF_SERVICE, since=out[sensor.id].start)
    return shown(ListedSensorBody, sensor, **_whereabouts(record, template, sensor), latest=latest, unwatched=unwatched)


def _whereabouts(record: Registration, template: Template, sensor: Sensor) -> dict[str, object]:
    current = record.history(sensor.id).current
    used = (
        BaselineInUseBody(version=current.version, valid_from=current.valid_from)
        if current and current.version
        else None
    )
    return {"platform": record.platform.id, "template": template.id, "baseline": used}


def _latest(found: Latest) -> LatestSampleBody:
    fault = Fault(found.fault)
    return LatestSampleBody(
        at=found.at,
        level=found.level.word,
        since=found.since,
        score=found.score,
        channel=channel_word(found.channel),
        ppmv=found.ppmv,
        fault=None if fault is Fault.NONE else fault.word,
    )
