"""HTTP: incidents and their estimations, newest first."""

from pydantic import AwareDatetime

from functions.api.paging import ListPage
from functions.http.derived_models import derive_model, shown
from functions.http.endpoint import Call, EndpointGroup
from functions.http.parameters import NoParameters
from functions.http.reply import listing, listing_of
from shared.bootstrap import app
from shared.domain.estimation import Estimation, EstimationStep
from shared.domain.incident import Incident
from shared.domain.validation import Model
from shared.ports import StoredIncident

group = EndpointGroup("Incidents and estimations")
endpoint = group.endpoint

IncidentBody = derive_model("IncidentBody", Incident, more={"open": bool, "notified_until": AwareDatetime | None})
IncidentEstimationBody = derive_model(
    "IncidentEstimationBody",
    Estimation,
    more={
        "incident": str,
        "template": str,
        "at": AwareDatetime,
        "inputs_digest": str,
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
    return listing(tuple(_incident(one) for one in page), page.continuation)


@endpoint("GET", "incidents/{incident}", IncidentBody)
def get_incident(call: Call[NoParameters, Model]) -> Model:
    """Return one incident."""
    return _incident(app().queries.incident(call.path["incident"]))


@endpoint("GET", "templates/{template}/estimations", listing_of(EstimationShortBody), query=ListPage)
def list_estimations(call: Call[ListPage, Model]) -> Model:
    """List the newest estimation of each of a template's incidents in short, newest incident first."""
    page = app().queries.estimations_of(call.path["template"], call.query.limit, call.query.continuation)
    items = tuple(EstimationShortBody(**one._asdict()) for one in page)
    return listing(items, page.continuation)


@endpoint("GET", "incidents/{incident}/estimation", IncidentEstimationBody)
def get_estimation(call: Call[NoParameters, Model]) -> Model:
    """Return an incident's newest estimation: verdict, map of the place, rate, onset, curves, and how it came to be."""
    stored = app().queries.estimation(call.path["incident"])
    return shown(
        IncidentEstimationBody,
        stored.estimation,
        incident=stored.incident,
        template=stored.template,
        at=stored.at,
        inputs_digest=stored.digest,
        history=stored.history,
    )


def _incident(stored: StoredIncident) -> Model:
    until = stored.notified.at if stored.notified else None
    return shown(IncidentBody, stored.incident, open=stored.incident.open, notified_until=until)
