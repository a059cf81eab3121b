"""Words: what an incident is, in one sentence that a person in a control room can act on."""

from collections.abc import Collection, Sequence

from shared.domain.alarm import Alarm, AlarmState
from shared.domain.deviation import Level, worst
from shared.domain.estimation import Estimation
from shared.domain.estimation_words import (
    counted,
    dissolved_rate,
    leak_probability,
    location,
    onset,
    percent,
    utc_text,
)
from shared.domain.incident import Incident
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.usecases.queries.template_status import ALARM, FINE, UNSCORED, TemplateStatus


def name_of(platform: Platform, template: Template) -> str:
    """Return a template's name as people say it."""
    return f"{platform.name} {template.name}"


def overview_level(states: Sequence[TemplateStatus], unreadable: Collection[str]) -> Level:
    """Return how all templates are: the worst of them; Ok only where all of each is watched, of now, and Ok."""
    return worst([*map(_level_told, states), *(Level.UNDEFINED for _ in unreadable)])


def _level_told(status: TemplateStatus) -> Level:
    """Return the sensors' level, an alarm while an incident is open, and no Ok where anything is wrong."""
    if status.urgency == ALARM:
        return Level.CRITICAL
    return Level.UNDEFINED if status.level is Level.OK and status.urgency != FINE else status.level


def overview_sentence(states: Sequence[TemplateStatus]) -> str:
    """Return how many templates are in alarm or need attention, and of how many sensors nobody would know."""
    alarms, wrong = (sum(one.urgency < bound for one in states) for bound in (ALARM + 1, UNSCORED))
    unscored = sum(one.urgency == UNSCORED for one in states)
    watched, sensors = sum(one.watched for one in states), sum(len(one.sensors) for one in states)
    templates = counted(len(states), "template")
    parts = [f"{alarms} of {templates} {'has' if alarms == 1 else 'have'} an open incident or a Critical sensor"]
    if not alarms:
        known = "No template is in alarm" if 2 * watched > sensors else "No alarm is known, but most is not watched"
        parts = [known, *([f"{wrong} of {len(states)} {'needs' if wrong == 1 else 'need'} attention"] if wrong else [])]
    if unscored:
        parts.append(f"{unscored} of {len(states)} cannot be scored in full yet")
    return "; ".join([*parts, *([_coverage(watched, sensors)] if watched < sensors else [])]) + "."


def _coverage(watched: int, sensors: int) -> str:
    return f"{watched} of {counted(sensors, 'sensor')} {'is' if 1 in (watched, sensors) else 'are'} watched"


def unwatched(status: TemplateStatus) -> str:
    """Return what of a template nobody watches, and why; empty where all of it is watched."""
    if not status.sensors:
        return "It has no sensors: nothing is watched."
    if not status.gaps:
        return ""
    watched = f"{_coverage(status.watched, len(status.sensors))}."
    reasons = [f"{why.capitalize()}: {_named(status, keys)}." for why, keys in status.reasons.items()]
    return " ".join([watched, *reasons])


def _named(status: TemplateStatus, keys: Collection[str]) -> str:
    """Return the names of series: sensors by number, all quantities of the sea as one."""
    numbers = [str(one.sensor.number) for one in status.sensors if one.sensor.id in keys]
    sea = [one.replace("_", " ") for one in status.platform.environment if one in keys]
    names = [f"sensor{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"] if numbers else []
    return ", ".join([*names, *(["the sea"] if len(sea) == len(status.platform.environment) > 1 else sea)])


def sentence(
    platform: Platform, template: Template, incident: Incident, answer: Estimation | None, alarm: Alarm | None = None
) -> str:
    """Return one or two sentences: what happened at the template, its cause if known, and whether it is ongoing.

    They rest on the probabilities that the tables show. alarm: says whether anything supports it any more.
    """
    where = name_of(platform, template)
    if alarm is not None and alarm.withdrawn is not None:
        return (
            f"Withdrawn {utc_text(alarm.withdrawn)}: {alarm.disposition}. "
            f"Until then, readings at {where} were said to deviate since {utc_text(incident.onset)}."
        )
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
    return f"{deviation} {_undecided(answer)}"


def _undecided(answer: Estimation) -> str:
    """Return what explains the readings best, and why that is not said for sure."""
    leak, external = answer.probability, answer.probability_external
    neither = max(0.0, 1 - leak - external)
    if leak >= max(external, neither):
        why = answer.warnings[0] if answer.warnings else "other causes are not ruled out"
        return f"A leak here explains them best (probability {percent(leak)}), but it is not confirmed: {why}."
    if external >= neither:
        return f"An external cause explains them best (probability {percent(external)}), but not for sure."
    return f"The data are inconclusive: {leak_probability(answer)}."


def back_to_usual(state: TemplateStatus) -> str:
    """Return what a level that is no alarm means beside an incident that goes on; empty where that is not so."""
    if state.incident is None or state.level in (Level.CRITICAL, Level.WARNING):
        return ""
    return "readings are back to usual or not known; the incident stays open until they have been clear for a while"


def alarm_words(alarm: Alarm) -> str:
    """Return an alarm's state in words, with what suppressed or withdrew it."""
    if alarm.withdrawn is not None:
        return f"withdrawn, {'acknowledged' if alarm.state is AlarmState.NORMAL else 'unacknowledged'}"
    return "history" if alarm.history and not alarm.active else alarm.state.value
