"""Words: what an incident is, in one sentence that a person in a control room can act on."""

from shared.domain.estimation import Estimation
from shared.domain.estimation_words import dissolved_rate, leak_probability, location, onset, percent, utc_text
from shared.domain.incident import Incident
from shared.domain.platform import Platform
from shared.domain.template import Template


def name_of(platform: Platform, template: Template) -> str:
    """Return a template's name as people say it."""
    return f"{platform.name} {template.name}"


def sentence(platform: Platform, template: Template, incident: Incident, answer: Estimation | None) -> str:
    """Return one or two sentences: what happened at the template, its cause if known, and whether it is ongoing."""
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
        summary = ", ".join(filter(None, (f"{what} at {where}", location(answer), onset(answer))))
        rate = dissolved_rate(answer)
        return f"{summary}: {rate}. The incident {state}." if rate else f"{summary}. The incident {state}."
    if answer.verdict == "EXTERNAL_CAUSE":
        share = percent(answer.probability_external)
        return f"{deviation} An external cause raised all sensors together (probability {share}); no leak here."
    return f"{deviation} The data are inconclusive: {leak_probability(answer)}."
