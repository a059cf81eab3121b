"""HTTP: alarms, their life, and the journal of all that was said and done."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from functions.api.paging import ListPage
from functions.http.derived_models import derive_model, shown
from functions.http.endpoint import Call, EndpointGroup
from functions.http.parameters import MomentText, NoParameters, Who
from functions.http.reply import etag_of, listing, listing_of, to_json
from functions.http.time_range import AsOf, as_of, moment_of
from shared.bootstrap import app
from shared.domain.alarm import Alarm, AlarmState, Priority
from shared.domain.estimation import Verdict
from shared.domain.incident import Incident
from shared.domain.journal import JournalEntry
from shared.domain.suppression import Suppression
from shared.domain.template import PLATFORM_PATTERN, TEMPLATE_PATTERN
from shared.domain.validation import Lines, Model
from shared.usecases.health.gaps import Reason
from shared.usecases.queries.alarms import AlarmFigures, AlarmFilter, JournalFilter

group = EndpointGroup("Alarms and journal")
endpoint = group.endpoint

PriorityWord = Literal["high", "medium", "low"]
StateWord = Literal["unacknowledged", "acknowledged", "returned", "normal", "standing"]
STATES: dict[StateWord, frozenset[AlarmState]] = {
    "unacknowledged": frozenset({AlarmState.UNACKNOWLEDGED}),
    "acknowledged": frozenset({AlarmState.ACKNOWLEDGED}),
    "returned": frozenset({AlarmState.RETURNED}),
    "normal": frozenset({AlarmState.NORMAL}),
    "standing": frozenset(AlarmState) - {AlarmState.NORMAL},
}
AlarmBody = derive_model(
    "AlarmBody",
    Alarm,
    without=("incident",),
    more={
        **{name: field.annotation for name, field in Incident.model_fields.items()},
        "active": bool,
        "state": AlarmState,
        "response": str,
        "suppressed_by": tuple[str, ...],  # ids of what keeps it from calling anybody
    },
)
JournalEntryBody = derive_model("JournalEntryBody", JournalEntry, more={"id": str})


class AlarmsAsked(ListPage):
    """Which alarms: of a platform or template, in a state, of a priority or verdict, begun in [from, to)."""

    platform: Annotated[str | None, Field(default=None, pattern=PLATFORM_PATTERN)]
    template: Annotated[str | None, Field(default=None, pattern=TEMPLATE_PATTERN)]
    state: Annotated[StateWord | None, Field(default=None, description="`standing`: all but `normal`.")]
    priority: PriorityWord | None = None
    verdict: Verdict | None = None
    from_: Annotated[MomentText | None, Field(alias="from", description="No alarm that began before.")] = None
    to: Annotated[MomentText | None, Field(description="No alarm that began later.")] = None

    def filter(self) -> AlarmFilter:
        """Return what is asked for; raises InvalidInput."""
        return AlarmFilter(
            platform=self.platform,
            template=self.template,
            states=None if self.state is None else STATES[self.state],
            priority=None if self.priority is None else Priority(self.priority),
            verdict=self.verdict,
            start=moment_of("from", self.from_),
            end=moment_of("to", self.to),
        )


class JournalAsked(ListPage):
    """Which entries: of a platform (or `system`) or template, of a kind, said in [from, to]."""

    platform: Annotated[str | None, Field(default=None, pattern=PLATFORM_PATTERN)]
    template: Annotated[str | None, Field(default=None, pattern=TEMPLATE_PATTERN)]
    kind: Annotated[str | None, Field(default=None, pattern=r"^[a-z_]{1,40}$")]
    from_: Annotated[MomentText | None, Field(alias="from", description="Nothing that was said before.")] = None
    to: Annotated[MomentText | None, Field(description="Nothing that was said later.")] = None

    def filter(self) -> JournalFilter:
        """Return what is asked for; raises InvalidInput."""
        return JournalFilter(
            platform=self.platform,
            template=self.template,
            kind=self.kind,
            start=moment_of("from", self.from_),
            end=moment_of("to", self.to),
        )


class AcknowledgeBody(Model):
    """Who acknowledges an alarm, and what they say of it."""

    by: Who = ""
    comment: Annotated[Lines, Field(max_length=1000)] = ""


class KnownSensorBody(Model):
    """How a sensor was said to be: its level and since when, by its sample `at`; why it was not watched, if so."""

    sensor: str
    level: str | None
    since: AwareDatetime | None
    at: AwareDatetime | None
    not_watched: Reason | None


class RecordBody(Model):
    """What was known of a template at a moment: its sensors' levels, and its newest alarms."""

    template: str
    as_of: AwareDatetime
    sensors: tuple[KnownSensorBody, ...]
    alarms: tuple[AlarmBody, ...]  # type: ignore[valid-type]


@endpoint("GET", "alarms", listing_of(AlarmBody), query=AlarmsAsked, problems=[HTTPStatus.NOT_FOUND])
def list_alarms(call: Call[AlarmsAsked, Model]) -> Model:
    """List the alarms of all platforms, newest onset first."""
    page = app().alarm_queries.alarms(call.query.filter(), call.query.limit, call.query.continuation)
    return listing(alarm_bodies(page, None), page.continuation)


@endpoint("GET", "alarm-figures", AlarmFigures)
def get_alarm_figures(call: Call[NoParameters, Model]) -> Model:  # noqa: ARG001
    """Return how many alarms call people, to be held against what EEMUA 191 asks for."""
    return app().alarm_queries.figures(app().clock.now())


@endpoint("GET", "alarms/{incident}", AlarmBody, query=AsOf)
def get_alarm(call: Call[AsOf, Model]) -> Model:
    """Return the alarm of an incident: its state, who acknowledged it, and what became of it; as of any moment."""
    moment = as_of(call.query)
    return alarm_body(
        app().alarm_queries.alarm(call.path["incident"])
        if moment is None
        else app().as_of.alarm(call.path["incident"], moment),
        moment,
    )


@endpoint(
    "POST",
    "alarms/{incident}/acknowledge",
    AlarmBody,
    body=AcknowledgeBody,
    conditional=True,
    problems=[HTTPStatus.CONFLICT],
)
def acknowledge_alarm(call: Call[NoParameters, AcknowledgeBody]) -> Model:
    """Acknowledge an alarm, with a comment; one that is acknowledged stays as it is."""
    by = call.by(call.body.by)
    return alarm_body(
        app().alarms.acknowledge(
            call.path["incident"], by, call.body.comment, lambda seen: call.check_unchanged(alarm_body(seen))
        )
    )


@endpoint("GET", "alarms/{incident}/journal", listing_of(JournalEntryBody), query=AsOf)
def list_course(call: Call[AsOf, Model]) -> Model:
    """List what was said, done and sent about an incident, newest first."""
    found = app().alarm_queries.course(call.path["incident"], as_of(call.query))
    return listing(tuple(_entry(one) for one in found))


@endpoint("GET", "journal", listing_of(JournalEntryBody), query=JournalAsked, problems=[HTTPStatus.NOT_FOUND])
def list_journal(call: Call[JournalAsked, Model]) -> Model:
    """List what was said to people and what people did, newest first; nothing is ever taken out of it."""
    page = app().alarm_queries.entries(call.query.filter(), call.query.limit, call.query.continuation)
    return listing(tuple(_entry(one) for one in page), page.continuation)


@endpoint("GET", "templates/{template}/record", RecordBody, query=AsOf)
def get_record(call: Call[AsOf, Model]) -> Model:
    """Return what was known of a template at a moment (default: now), as it was said then."""
    _, template = app().queries.template(call.path["template"])
    moment = as_of(call.query) or app().clock.now()
    sensors = tuple(
        KnownSensorBody(
            sensor=one.sensor.id,
            level=one.latest.level.word if one.latest else None,
            since=one.latest.since if one.latest else None,
            at=one.latest.at if one.latest else None,
            not_watched=one.gap.why if one.gap else None,
        )
        for one in app().as_of.levels(template, moment)
    )
    alarms = alarm_bodies(app().as_of.alarms(template, moment, _MOST_ALARMS), moment)
    return RecordBody.model_construct(template=template.id, as_of=moment, sensors=sensors, alarms=alarms)


_MOST_ALARMS = 20


def alarm_bodies(alarms: Sequence[Alarm], moment: datetime | None) -> tuple[Model, ...]:
    """Return alarms with what keeps them from calling, as it was known at a moment; None: now."""
    suppressed = app().suppression_queries.suppressing(alarms, moment)
    return tuple(_body(alarm, by) for alarm, by in zip(alarms, suppressed, strict=True))


def alarm_body(alarm: Alarm, moment: datetime | None = None) -> Model:
    """Return what is shown of an alarm, as it was known at a moment; None: now."""
    return alarm_bodies([alarm], moment)[0]


def _body(alarm: Alarm, by: Sequence[Suppression]) -> Model:
    own = {name: getattr(alarm.incident, name) for name in Incident.model_fields}
    response = app().alarm_queries.response(alarm)
    more = {"active": alarm.active, "state": alarm.state, "response": response}
    return shown(AlarmBody, alarm, **own, **more, suppressed_by=tuple(one.id for one in by))


def alarm_etag(alarm: Alarm, suppressed: Sequence[Suppression]) -> str:
    """Return the ETag of an alarm as it is shown with what keeps it from calling, for who wants to acknowledge that."""
    return etag_of(to_json(_body(alarm, suppressed)))


def _entry(entry: JournalEntry) -> Model:
    return shown(JournalEntryBody, entry, id=entry.id)
