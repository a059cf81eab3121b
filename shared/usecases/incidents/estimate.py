"""Estimate: answer a queue message with where the leak is, how large and how sure, once per set of data."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from shared.domain.environment import Environment
from shared.domain.estimation import Estimation, EstimationStep, Observations
from shared.domain.estimation_words import (
    dissolved_rate,
    external_probability,
    leak_probability,
    location,
    onset,
)
from shared.domain.event import Event, incident_estimated
from shared.domain.incident import CriticalMessage
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import TemplateDay, iso
from shared.ports import (
    DayStore,
    EstimationsTable,
    EventsTable,
    IncidentsTable,
    RegistryTable,
    StoredEstimation,
    StoredIncident,
)
from shared.retry import after_conflicts
from shared.usecases.alarms.alarms import Alarms
from shared.usecases.incidents.estimation_inputs import InputWindow, load_inputs
from shared.usecases.lookup import find_template

logger = logging.getLogger(__name__)

MOST_STEPS = 400  # of an incident's course: months of updates, and they fit into one property of a table (64 kB)
LEAST_TOLD = 0.01  # probability that is worth a word
BACKGROUND_SHARE = 0.75  # of the data before the Critical may hold the onset; what is before is background

# The entry point of shared.estimation, with the times between which the leak may have begun; what was read after them
# tells of the rate over time alone.
Invert = Callable[[Template, Environment, Observations, datetime, datetime], Estimation]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Estimates incidents."""

    lake: DayStore
    registry: RegistryTable
    incidents: IncidentsTable
    estimations: EstimationsTable
    events: EventsTable
    alarms: Alarms
    rules: InputWindow
    invert: Invert
    model: str = ""  # names what the answer rests on beside the data: another one answers the same data anew

    def run(self, message: CriticalMessage) -> Estimation | None:
        """Estimate the incident with the data up to the message's ``at``; None where newer data were used already.

        The same data give the same answer, so a repeated message computes nothing. Raises NotFound for an
        unknown template, Conflict when others keep writing the same row.
        """
        record = self.registry.platform(message.platform)
        template = find_template(record, message.template)
        answer = after_conflicts(lambda _: self._attempt(record.platform, template, message), message.incident)
        if answer is not None:
            self._notify(message, answer)
        return answer

    def _attempt(self, platform: Platform, template: Template, message: CriticalMessage) -> Estimation | None:
        stored = self.estimations.get(template.id, message.incident)
        held = self._incident(message)
        if held is None:  # a run that told its answer after the incident was taken back may have died before it looked
            self._remove(message, _event(message))
        if held is None or message.at > held.incident.last_critical:
            logger.info("%s up to %s: the data no longer support it", message.incident, iso(message.at))
            return None
        if stored is not None and message.at < stored.at <= held.incident.last_critical:
            return None
        return self._answer(platform, template, message, stored, held)

    def _answer(
        self,
        platform: Platform,
        template: Template,
        message: CriticalMessage,
        stored: StoredEstimation | None,
        held: StoredIncident,
    ) -> Estimation:
        """Return the answer, computed and stored where the stored one rests on other data; raises Conflict.

        What is stored was read before the lake, so that it cannot rest on newer data than these.
        """
        onset, at = message.onset, message.at
        days = _Days(self.lake, template)
        found = load_inputs(platform, template, days.document, onset, at, self.rules)
        self._record_data(held, at, found.digest)
        warnings = tuple(f"the day {day} could not be read: it is left out" for day in days.unreadable)
        digest = hashlib.sha256(" ".join([found.digest, self.model, *warnings]).encode()).hexdigest()[:32]
        if stored is not None and (stored.at, stored.digest) == (at, digest):
            return stored.estimation
        earliest = onset - self.rules.lead * BACKGROUND_SHARE
        latest = min(at, onset + self.rules.longest)
        answer = self.invert(template, found.environment, found.observations, earliest, latest)
        answer = answer.model_copy(update={"warnings": (*answer.warnings, *warnings)})
        etag, before = (stored.etag, stored.history) if stored else (None, ())
        history = (*(one for one in before if one.at < at), step_of(answer, at))[-MOST_STEPS:]
        self.estimations.put(StoredEstimation(message.incident, template.id, onset, at, digest, answer, history, etag))
        return answer

    def _record_data(self, held: StoredIncident, at: datetime, digest: str) -> None:
        """Let the incident say from which data it is estimated, where these are others than it asked to; or Conflict.

        Detect compares: once the lake holds others again, as when a blob can be read again, it asks anew.
        """
        asked = held.notified
        if asked is not None and asked.at == at and asked.digest != digest:
            self.incidents.put(held.incident, replace(asked, digest=digest), held.etag, held.told)

    def _incident(self, message: CriticalMessage) -> StoredIncident | None:
        """Return the message's incident, if it is there."""
        stored = self.incidents.get(message.template, message.onset)
        return stored if stored is not None and stored.incident.id == message.incident else None

    def _notify(self, message: CriticalMessage, answer: Estimation) -> None:
        event = _event(message, in_words(answer))
        self.events.put(event)
        tell_alarm(self.alarms, message.incident, answer, message.at)
        held = self._incident(message)
        if held is None or message.at > held.incident.last_critical:  # detect took it back while this ran
            self._remove(message, event)

    def _remove(self, message: CriticalMessage, event: Event) -> None:
        self.events.remove(event)
        self.estimations.remove(message.template, message.incident)
        self.alarms.estimation_taken_back(message.incident)


class _Days:
    """Reads a template's days, and remembers which could not be read."""

    def __init__(self, lake: DayStore, template: Template) -> None:
        self._lake, self._template = lake, template
        self.unreadable: list[date] = []

    def document(self, day: date) -> TemplateDay | None:
        """Return the day's document; None where there is none that can be read."""
        stored = self._lake.read(self._template, day)
        if stored.problem:
            self.unreadable.append(day)
        return stored.document


def _event(message: CriticalMessage, summary: str = "") -> Event:
    return incident_estimated(message.template, message.incident, message.onset, summary)


def tell_alarm(alarms: Alarms, incident: str, answer: Estimation, at: datetime) -> None:
    """Say on an incident's alarm what its estimation with the data up to ``at`` says."""
    told = f"{in_words(answer)}; with the data up to {iso(at)}"
    alarms.estimated(incident, step_of(answer, at), told, answer.model_dump_json())


def step_of(answer: Estimation, at: datetime) -> EstimationStep:
    """Return the answer with the data up to ``at`` in short."""
    return EstimationStep(
        at=at,
        verdict=answer.verdict,
        probability=answer.probability,
        probability_external=answer.probability_external,
        place=answer.place,
        location_error_m=answer.location_error_m,
        dissolved_rate_kg_s=answer.dissolved_rate_kg_s,
    )


def in_words(answer: Estimation) -> str:
    """Return the answer in one sentence."""
    parts = [leak_probability(answer)]
    if answer.probability_external >= LEAST_TOLD:
        parts.append(external_probability(answer))
    if answer.verdict == "CONFIRMED":
        parts += [location(answer), dissolved_rate(answer), onset(answer)]
    return f"{answer.verdict}: {', '.join(filter(None, parts))}"
