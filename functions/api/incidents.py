"""HTTP: incidents and their estimations, newest first."""

from datetime import datetime

from pydantic import AwareDatetime

from functions.api.paging import ListPage
from functions.http.derived_models import derive_model, shown
from functions.http.endpoint import Call, EndpointGroup
from functions.http.reply import listing, listing_of
from functions.http.time_range import AsOf, as_of
from shared.bootstrap import app
from shared.domain.alarm import Alarm
from shared.domain.estimation import Estimation, EstimationStep, PlaceMode
from shared.domain.incident import Incident
from shared.domain.place_modes import modes_of
from shared.domain.validation import Model
from shared.errors import NotFound
from shared.ports import StoredIncident

group = EndpointGroup("Incidents and estimations")
endpoint = group.endpoint

IncidentBody = derive_model(
    "IncidentBody",
    Incident,
    more={
        "open": bool,
        "notified_until": AwareDatetime | None,
        "withdrawn": AwareDatetime | None,
        "disposition": str,
    },
)
IncidentEstimationBody = derive_model(
    "IncidentEstimationBody",
    Estimation,
    more={
        "incident": str,
        "template": str,
        "at": AwareDatetime,
        "inputs_digest": str,
        "modes": tuple[PlaceMode, ...],
        "history": tuple[EstimationStep, ...],
    },
)


class EstimationShortBody(Model):
    """An incident's newest estimation in short; the rate is null where there is none."""

    incident: str
    onset: AwareDatetime
    at: AwareDatetime
    verdict: str
    probability: float
    dissolved_rate_kg_s: float | None


@endpoint("GET", "templates/{template}/incidents", listing_of(IncidentBody), query=ListPage)
def list_incidents(call: Call[ListPage, Model]) -> Model:
    """List a template's incidents, newest first."""
    page = app().queries.incidents(call.path["template"], call.query.limit, call.query.continuation)
    return listing(tuple(_stored(one) for one in page), page.continuation)


@endpoint("GET", "incidents/{incident}", IncidentBody, query=AsOf)
def get_incident(call: Call[AsOf, Model]) -> Model:
    """Return one incident, as of any moment; one that nothing supports any more says what became of it."""
    found = app().incident_views.incident(call.path["incident"], as_of(call.query))
    return _incident(found.incident, found.notified_until, found.alarm)


@endpoint("GET", "templates/{template}/estimations", listing_of(EstimationShortBody), query=ListPage)
def list_estimations(call: Call[ListPage, Model]) -> Model:
    """List the newest estimation of each of a template's incidents in short, newest incident first."""
    page = app().queries.estimations_of(call.path["template"], call.query.limit, call.query.continuation)
    items = tuple(EstimationShortBody(**one._asdict()) for one in page)
    return listing(items, page.continuation)


@endpoint("GET", "incidents/{incident}/estimation", IncidentEstimationBody, query=AsOf)
def get_estimation(call: Call[AsOf, Model]) -> Model:
    """Return an incident's newest estimation: verdict, map of the place, rate, onset, curves, and how it came to be."""
    found = app().incident_views.incident(call.path["incident"], as_of(call.query))
    if found.answer is None:
        raise NotFound(f"incident {found.incident.id!r} has no estimation yet")
    return shown(
        IncidentEstimationBody,
        found.answer,
        incident=found.incident.id,
        template=found.template.id,
        at=found.answered,
        inputs_digest=found.digest,
        modes=modes_of(found.template, found.answer.places),
        history=tuple(found.steps[::-1]),
    )


def _incident(incident: Incident, notified_until: datetime | None, alarm: Alarm | None) -> Model:
    withdrawn, disposition = (alarm.withdrawn, alarm.disposition) if alarm is not None else (None, "")
    return shown(
        IncidentBody,
        incident,
        open=incident.open,
        notified_until=notified_until,
        withdrawn=withdrawn,
        disposition=disposition,
    )


def _stored(stored: StoredIncident) -> Model:
    return _incident(stored.incident, stored.notified.at if stored.notified else None, None)
