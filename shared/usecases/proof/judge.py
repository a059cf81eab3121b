"""What came of a proof test: how the copy was scored and estimated, against the template itself and the promise."""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from shared.arrays import Flags
from shared.domain.deviation import DeviationDay, Level
from shared.domain.estimation import Estimation
from shared.domain.proof_test import PROMISED_WITHIN, WATCHED, Play, ProofTest
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, SLOTS, days_between, start_of, utc
from shared.ports import DeviationsTable
from shared.usecases.proof.copy_readings import copy_of
from shared.usecases.proof.space import ProofSpace

HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Reads what the functions made of the copy."""

    deviations: DeviationsTable  # of the template itself
    space: ProofSpace
    patience: timedelta

    def run(self, test: ProofTest, play: Play, template: Template, now: datetime) -> ProofTest:
        """Return the test with what is known of it by now; it is over, or goes on."""
        copy = copy_of(template, play.copied_to)
        unscored = self._unscored(play, copy)
        found, answer = self._found(play, template, copy), self._answer(play, copy)
        if found is not None:
            test = test.model_copy(update={"found_after_h": round(found[0], 2), "sensor": found[1]})
        if answer is not None:
            test = test.model_copy(update=_compared(play, answer))
        if found is not None and answer is not None:
            if found[0] * HOUR <= PROMISED_WITHIN:
                return test.ended_as("passed", now)
            return test.ended_as("late", now, f"found in time is within {PROMISED_WITHIN // HOUR} h")
        if found is None and not unscored:
            return test.ended_as("failed", now, f"no sensor was Critical within {WATCHED // HOUR} h of its onset")
        if now - play.started > self.patience:
            return test.ended_as("failed", now, self._missing(unscored, found is not None))
        return test

    def _missing(self, unscored: str, found: bool) -> str:
        minutes = f"within {self.patience // timedelta(minutes=1)} minutes"
        if found:
            return f"it was found, but not estimated {minutes}: the queue or the function estimate does not do its work"
        return f"{unscored} was not scored {minutes}: blob events or the function detect do not do their work"

    def _unscored(self, play: Play, copy: Template) -> str:
        """Return the first sensor and day of the copy that is to be scored and is not yet; empty: there is none."""
        record = None
        for day in _days(play):
            document = self.space.lake.read(copy, day).document
            for sensor in copy.sensors if document else ():
                series = document.series_of(sensor) if document else None
                if series is None or not series.closed_slots(day):
                    continue
                record = record or self.space.registry.platform(copy.platform)
                if not record.history(sensor.id).version_of(day):
                    continue  # without a baseline nothing is scored
                row = self.space.deviations.get(sensor.id, day, fresh=True).row
                if row is None or row.level.size < series.closed_slots(day):
                    return f"{day} of sensor {sensor.number}"
        return ""

    def _found(self, play: Play, template: Template, copy: Template) -> tuple[float, str] | None:
        """Return after how many hours which sensor was first Critical by the leak alone; None: none was so far."""
        onset = utc(play.leak.onset)
        first: list[tuple[float, str]] = []
        for day in _days(play):
            for sensor, mine in zip(template.sensors, copy.sensors, strict=True):
                with_leak = _critical(self.space.deviations.get(mine.id, day, fresh=True).row)
                without = _critical(self.deviations.get(sensor.id, day, fresh=True).row)
                ends = (start_of(day) + (int(slot) + 1) * BUCKET for slot in np.flatnonzero(with_leak & ~without))
                first += [((end - onset) / HOUR, sensor.id) for end in ends if end > onset][:1]
        return min(first, default=None)

    def _answer(self, play: Play, copy: Template) -> Estimation | None:
        """Return the estimation of the newest incident of the copy that there is one of."""
        for one in self.space.incidents.list(copy.id):
            if one.incident.last_critical >= utc(play.leak.onset):
                stored = self.space.estimations.get(copy.id, one.incident.id)
                if stored is not None:
                    return stored.estimation
        return None


def _days(play: Play) -> list[date]:
    return days_between(utc(play.leak.onset), play.until)


def _critical(row: DeviationDay | None) -> Flags:
    """Return where the day is Critical [144]."""
    found = np.zeros(SLOTS, dtype=bool)
    if row is not None:
        found[: row.level.size] = row.level == Level.CRITICAL
    return found


def _compared(play: Play, answer: Estimation) -> dict[str, object]:
    """Return what an estimation says, against the leak that was played."""
    leak, place, rate = play.leak, answer.place, answer.dissolved_rate_kg_s
    off = None if place is None else round(math.hypot(place.x - leak.x, place.y - leak.y), 2)
    held = None if rate is None else rate.low_90 <= leak.rate_kg_s <= rate.high_90
    return {"verdict": answer.verdict, "place_off_m": off, "rate_held": held}
