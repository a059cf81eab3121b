"""Estimate: answer a queue message with where the leak is, how large and how sure, once per set of data."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.environment import Environment
from shared.domain.estimation import Estimation, Observations
from shared.domain.incident import CriticalMessage
from shared.domain.template import Template
from shared.domain.tsd import iso
from shared.errors import Conflict
from shared.ports import Estimations, Events, Incidents, Lake, Registry, StoredEstimation
from shared.usecases.detect import find_template
from shared.usecases.evidence import EvidenceRules, gather
from shared.usecases.incidents import estimated

logger = logging.getLogger(__name__)

ATTEMPTS = 5
BACKGROUND_SHARE = 0.75  # of the data before the Critical may hold the onset; what is before is background

# The door of shared.estimation, with the times between which the leak may have begun.
Invert = Callable[[Template, Environment, Observations, datetime, datetime], Estimation]


@dataclass(frozen=True)
class Estimate:
    """Estimates incidents."""

    lake: Lake
    registry: Registry
    incidents: Incidents
    estimations: Estimations
    events: Events
    rules: EvidenceRules
    invert: Invert

    def run(self, message: CriticalMessage) -> Estimation | None:
        """Estimate the incident with the data up to the message's ``at``; None where newer data were used already.

        The same data give the same answer, so a repeated message computes nothing. Raises NotFound for an
        unknown template, Conflict when others keep writing the same row.
        """
        watched = self.registry.platform(message.platform)
        template = find_template(watched, message.template)
        if not self._exists(message):
            logger.info("%s: the data no longer support this incident", message.incident)
            return None
        evidence = gather(
            watched.platform,
            template,
            lambda day: self.lake.read(template, day).document,
            message.onset,
            message.at,
            self.rules,
        )
        answer: Estimation | None = None
        for attempt in range(ATTEMPTS):
            stored = self.estimations.get(template.id, message.incident)
            if stored is not None and stored.at > message.at:
                return None
            if stored is not None and (stored.at, stored.digest) == (message.at, evidence.digest):
                answer = stored.estimation
                break
            earliest = message.onset - self.rules.lead * BACKGROUND_SHARE
            answer = answer or self.invert(
                template, evidence.environment, evidence.observations, earliest, message.onset
            )
            row = StoredEstimation(
                message.incident,
                template.id,
                message.onset,
                message.at,
                evidence.digest,
                answer,
                stored.tag if stored else None,
            )
            try:
                self.estimations.put(row)
                break
            except Conflict:
                if attempt == ATTEMPTS - 1:
                    raise
        if answer is not None:
            self._tell(template, message, answer)
        return answer

    def _exists(self, message: CriticalMessage) -> bool:
        stored = self.incidents.get(message.template, message.onset)
        return stored is not None and stored.incident.id == message.incident

    def _tell(self, template: Template, message: CriticalMessage, answer: Estimation) -> None:
        event = estimated(template.id, message.incident, message.onset, in_words(answer))
        self.events.put(event)
        if not self._exists(message):  # detect took the incident back while this ran
            self.events.remove(event)
            self.estimations.remove(template.id, message.incident)


def in_words(answer: Estimation) -> str:
    """Return the answer in one sentence."""
    text = f"{answer.verdict}: probability of a leak here {answer.probability:.2f}"
    if answer.verdict != "CONFIRMED":
        return text
    if answer.place is not None and answer.location_error_m is not None:
        text += f", at x {answer.place.x:.1f} y {answer.place.y:.1f} z {answer.place.z:.1f} m"
        text += f" (within {answer.location_error_m:.1f} m)"
    if answer.dissolved_rate_kg_s is not None:
        rate = answer.dissolved_rate_kg_s
        text += f", dissolved {rate.median:.2g} kg/s ({rate.low_90:.2g} to {rate.high_90:.2g})"
    if answer.onset is not None:
        text += f", since {iso(answer.onset.median)}"
    return text
