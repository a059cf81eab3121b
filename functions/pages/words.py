"""Words: what an incident is, in one sentence that a person in a control room can act on."""

from functions.pages.render import per_hour, percent, utc_text
from shared.domain.estimation import Estimation
from shared.domain.incident import Incident
from shared.domain.platform import Platform
from shared.domain.template import Template

NEAR_A_POINT = 0.5  # probability from which a known leak point is named


def name_of(platform: Platform, template: Template) -> str:
    """Return a template's name as people say it."""
    return f"{platform.name} {template.name}"


def sentence(platform: Platform, template: Template, incident: Incident, answer: Estimation | None) -> str:
    """Return what happened."""
    where = name_of(platform, template)
    state = "is ongoing" if incident.closed is None else f"ended {utc_text(incident.closed)}"
    began = utc_text(incident.onset)
    verb, when = (
        ("have deviated", f"since {began}")
        if incident.closed is None
        else ("deviated", f"from {began} to {utc_text(incident.closed)}")
    )
    deviation = f"Readings at {where} {verb} from the sensors' baselines {when}."
    if answer is None:
        return f"{deviation} Its cause is being estimated."
    if answer.verdict == "CONFIRMED":
        what = "Methane leaks" if incident.open else "Methane leaked"
        return f"{what} at {where}{_place(answer)}{_since(answer)}{_rate(answer)}. The incident {state}."
    if answer.verdict == "EXTERNAL_CAUSE":
        share = percent(answer.probability_external)
        return f"{deviation} An external cause raised all sensors together (probability {share}); no leak here."
    return f"{deviation} The data are inconclusive: probability of a leak here {percent(answer.probability)}."


def _place(answer: Estimation) -> str:
    near, place = answer.nearest_leak_point, answer.place
    if near is not None and near.probability >= NEAR_A_POINT:
        return f", near {near.name} (probability {percent(near.probability)})"
    if place is None:
        return ""
    within = f", within {answer.location_error_m:.1f} m" if answer.location_error_m is not None else ""
    return f", at x {place.x:.1f} m, y {place.y:.1f} m, z {place.z:.1f} m{within}"


def _since(answer: Estimation) -> str:
    return f", since about {utc_text(answer.onset.median)}" if answer.onset is not None else ""


def _rate(answer: Estimation) -> str:
    rate = answer.dissolved_rate_kg_s
    if rate is None:
        return ""
    return f": {per_hour(rate.median)} dissolved (90 %: {per_hour(rate.low_90)} to {per_hour(rate.high_90)})"
