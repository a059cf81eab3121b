"""Words: what an incident is, in one sentence that a person in a control room can act on."""

from collections.abc import Collection

from shared.domain.estimation import Estimation
from shared.domain.estimation_words import dissolved_rate, leak_probability, location, onset, percent, utc_text
from shared.domain.incident import Incident
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.usecases.queries.template_status import TemplateStatus


def name_of(platform: Platform, template: Template) -> str:
    """Return a template's name as people say it."""
    return f"{platform.name} {template.name}"


def unwatched(status: TemplateStatus) -> str:
    """Return what of a template nobody watches, and why; empty where all of it is watched."""
    if not status.sensors:
        return "It has no sensors: nothing is watched."
    if not status.gaps:
        return ""
    watched = f"{status.watched} of {len(status.sensors)} sensors {'is' if status.watched == 1 else 'are'} watched."
    reasons = [f"{why.capitalize()}: {_named(status, keys)}." for why, keys in status.reasons.items()]
    return " ".join([watched, *reasons])


def _named(status: TemplateStatus, keys: Collection[str]) -> str:
    """Return the names of series: sensors by number, all quantities of the sea as one."""
    numbers = [str(one.sensor.number) for one in status.sensors if one.sensor.id in keys]
    sea = [one.replace("_", " ") for one in status.platform.environment if one in keys]
    names = [f"sensor{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"] if numbers else []
    return ", ".join([*names, *(["the sea"] if len(sea) == len(status.platform.environment) > 1 else sea)])


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
