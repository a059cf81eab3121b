"""Estimate: answer a queue message with where the leak is, how large and how sure, once per set of data."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.environment import Environment
from shared.domain.estimation import Estimation, EstimationStep, Observations
from shared.domain.estimation_words import (
    dissolved_rate,
    external_probability,
    leak_probability,
    location,
    onset,
)
from shared.domain.event import incident_estimated
from shared.domain.incident import CriticalMessage
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import iso
from shared.ports import DayStore, EstimationsTable, EventsTable, IncidentsTable, RegistryTable, StoredEstimation
from shared.retry import after_conflicts
from shared.usecases.incidents.estimation_inputs import InputWindow, load_inputs
from shared.usecases.lookup import find_template

logger = logging.getLogger(__name__)

MOST_STEPS = 400  # of an incident's course: months of updates, and they fit into one property of a table (64 kB)
LEAST_TOLD = 0.01  # probability that is worth a word
BACKGROUND_SHARE = 0.75  # of the data before the Critical may hold the onset; what is before is background

# The entry point of shared.estimation, with the times between which the leak may have begun.
Invert = Callable[[Template, Environment, Observations, datetime, datetime], Estimation]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Estimates incidents."""

    lake: DayStore
    registry: RegistryTable
    incidents: IncidentsTable
    estimations: EstimationsTable
    events: EventsTable
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
            self._notify(template, message, answer)
        return answer

    def _attempt(self, platform: Platform, template: Template, message: CriticalMessage) -> Estimation | None:
        if not self._supported(message):
            logger.info("%s up to %s: the data no longer support it", message.incident, iso(message.at))
            return None
        stored = self.estimations.get(template.id, message.incident)
        if stored is not None and stored.at > message.at:
            return None
        return self._answer(platform, template, message, stored)

    def _answer(
        self, platform: Platform, template: Template, message: CriticalMessage, stored: StoredEstimation | None
    ) -> Estimation:
        """Return the answer, computed and stored where the stored one rests on other data; raises Conflict.

        What is stored was read before the lake, so that it cannot rest on newer data than these.
        """
        lake, onset, at = self.lake, message.onset, message.at
        found = load_inputs(platform, template, lambda day: lake.read(template, day).document, onset, at, self.rules)
        digest = hashlib.sha256(f"{found.digest} {self.model}".encode()).hexdigest()[:32]
        if stored is not None and (stored.at, stored.digest) == (at, digest):
            return stored.estimation
        earliest = onset - self.rules.lead * BACKGROUND_SHARE
        answer = self.invert(template, found.environment, found.observations, earliest, at)
        etag, before = (stored.etag, stored.history) if stored else (None, ())
        history = (*(one for one in before if one.at < at), step_of(answer, at))[-MOST_STEPS:]
        self.estimations.put(StoredEstimation(message.incident, template.id, onset, at, digest, answer, history, etag))
        return answer

    def _supported(self, message: CriticalMessage) -> bool:
        """Return whether the incident is there and its Criticals reach the message's time."""
        stored = self.incidents.get(message.template, message.onset)
        return (
            stored is not None
            and stored.incident.id == message.incident
            and message.at <= stored.incident.last_critical
        )

    def _notify(self, template: Template, message: CriticalMessage, answer: Estimation) -> None:
        event = incident_estimated(template.id, message.incident, message.onset, in_words(answer))
        self.events.put(event)
        if not self._supported(message):  # detect took it back while this ran
            self.events.remove(event)
            self.estimations.remove(template.id, message.incident)


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
