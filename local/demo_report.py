"""Reports what the app does as it does it, and in the end what it found beside what was true."""

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any, NoReturn

import requests

from local.process import HostProcess
from shared.bootstrap import Bootstrap
from shared.domain.deviation import Level
from shared.domain.tsd import BUCKET, floor_to_bucket, iso

PATIENCE = 600  # seconds without an end after which something must be wrong
LIKELY = 0.5  # below, where and how large a leak would be says nothing
TICK_AFTER = timedelta(seconds=25)  # a full ten minutes: ingest has begun
STILL_BUSY = 500.0  # seconds after which a tick's line says so: the next tick is near
TRIES = 5  # where a machine is too busy to answer
GLANCE = 3.0  # seconds between two looks, each of which makes the host list its container


class DemoError(Exception):
    """The demo did not come to its end; the message says where it stands."""


@dataclass(frozen=True)
class DemoReport:
    """What one run of the demo prints: its progress, and its result."""

    host: HostProcess
    app: Bootstrap
    omnia: str  # the emulator's base URL
    begun: float

    def say(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        print(f"[{time.monotonic() - self.begun:4.0f} s] {text}", flush=True)

    def get(self, path: str) -> Any:
        """Return the JSON of one of the app's resources."""
        answer = requests.get(f"{self.host.url}/api/{path}", timeout=60)
        for _ in range(TRIES):
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                break
            time.sleep(GLANCE)  # storage did not answer in the short time that a page waits
            answer = requests.get(f"{self.host.url}/api/{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()

    # --- as it happens

    def ingest(self) -> None:
        """Let the app ingest until a whole run brings no template further, and say how far it is."""
        self.host.run_now("ingest")
        deadline, reported, before = time.monotonic() + PATIENCE, -1, -1
        while time.monotonic() < deadline:
            templates = [one for one in self.get("health")["templates"] if one["sensors"]]
            done = sum(not one["stale"] for one in templates)
            if done != reported:
                self.say(f"ingest: {done} of {len(templates)} templates are up to date")
                reported = done
            if done == len(templates):
                return
            if self.host.admin("host/idle")["idle"]:
                if done == before:
                    self.say(f"OMNIA has no series of the other {len(templates) - done} templates")
                    return
                before = done
                self.host.run_now("ingest")  # a run that used up its time is continued by the next
            time.sleep(GLANCE)
        raise DemoError("ingest did not come up to date; see host.log")

    def settle(self) -> None:
        """Wait until nothing is left to do but statements: baselines, deviations, estimations; say how far it is."""
        deadline, reported = time.monotonic() + PATIENCE, ""
        while time.monotonic() < deadline:
            state = self.host.admin("host/idle?without=performance")
            templates = self.get("health")["templates"]
            sensors = sum(one["sensors"] for one in templates)
            ready = sum(one["sensorsWithBaseline"] for one in templates)
            text = f"detect: {ready} of {sensors} sensors have a baseline, {state['queued']} events wait"
            if state["idle"]:
                self.say(f"done: {ready} of {sensors} sensors have a baseline")
                return
            if text != reported:
                self.say(text)
                reported = text
            time.sleep(GLANCE)
        raise DemoError(f"the app is still busy: {state}; see host.log")

    def ticks(self) -> NoReturn:
        """Print a line a tick, as long as the host runs: also where nothing came, or work goes on."""
        while True:
            time.sleep((next_tick(datetime.now(UTC)) - datetime.now(UTC)).total_seconds())
            try:
                self.host.wait_idle(STILL_BUSY)
                busy = ""
            except TimeoutError:
                busy = "; still busy, see host.log"
            print(tick_line(datetime.now(UTC), self.get("health"), self.get("sensors")["items"]) + busy, flush=True)

    # --- in the end

    def result(self) -> bool:
        """Print what was ingested and found, truth beside estimate; return whether a leak was found and estimated."""
        self._samples()
        truth = requests.get(self.omnia.partition("/plant/")[0] + "/truth", timeout=30).json().get("leak")
        found = [
            incident
            for platform in self.get("platforms")["items"]
            for template in platform["templates"]
            for incident in self.get(f"templates/{template}/incidents")["items"]
        ]
        print(f"incidents: {len(found)}")
        answers = {one["id"]: self._estimation(one["id"]) for one in found}
        for incident in sorted(found, key=lambda one: one["onset"]):
            _print_incident(incident, answers[incident["id"]])
        if truth is not None:
            return _compare(truth, found, answers)
        return any(answers.values())

    def _estimation(self, incident: str) -> Mapping[str, Any] | None:
        answer = requests.get(f"{self.host.url}/api/incidents/{incident}/estimation", timeout=60)
        if answer.status_code == requests.codes.not_found:
            return None
        answer.raise_for_status()
        body: Mapping[str, Any] = answer.json()
        return body

    def _samples(self) -> None:
        samples, levels = 0, Counter[Level]()
        first, last, sensors, bad = date.max, date.min, 0, 0
        for record in self.app.registry.platforms():
            for sensor in (sensor for template in record.platform.templates for sensor in template.sensors):
                rows = self.app.deviations.summaries(sensor.id, date.min, date.max)
                sensors += bool(rows)
                for row in rows:
                    samples, levels = samples + row.samples, levels + Counter(row.counts)
                    first, last = min(first, row.day), max(last, row.day)
                    bad += sum(int(part.split()[0]) for part in row.bad.split(", ") if part)
        print(
            f"\ningested: {samples:,} samples of {sensors} sensors from {first} to {last}, "
            f"{bad} buckets with bad values"
        )
        listed = ", ".join(
            f"{levels[one]:,} {one.word}" for one in (Level.OK, Level.WARNING, Level.CRITICAL, Level.UNDEFINED)
        )
        print(f"scored:   {listed} (Undefined: while learning, or data missing)")


def next_tick(now: datetime) -> datetime:
    """Return when the next tick has begun: ingest runs 20 s after each ten minutes."""
    return floor_to_bucket(now - TICK_AFTER) + BUCKET + TICK_AFTER


def tick_line(now: datetime, health: Mapping[str, Any], sensors: Sequence[Mapping[str, Any]]) -> str:
    """Return how all is after a tick: up to when was read, how many sensors are watched, and at which levels."""
    read = [one["ingestedUntil"] for one in health["templates"] if one["ingestedUntil"]]
    watched = sum(one["unwatched"] is None for one in sensors)
    levels = Counter(one["latest"]["level"] if one["latest"] else Level.UNDEFINED.word for one in sensors)
    listed = ", ".join(f"{levels[one.word]} {one.word}" for one in sorted(Level, reverse=True) if levels[one.word])
    until = f"read up to {max(read)}" if read else "nothing was read yet"
    return f"{iso(now)}: {until}, {watched} of {len(sensors)} sensors watched: {listed or 'none'}"


def _print_incident(incident: Mapping[str, Any], answer: Mapping[str, Any] | None) -> None:
    state = "open" if incident["open"] else "closed"
    print(
        f"  {incident['template']:<11} Critical since {incident['onset']} ({state}), score {incident['maxScore']:.1f}"
    )
    if answer is None:
        return
    print(f"  {'':<11} {answer['verdict']}: probability of a leak here {answer['probability']:.2f}")
    rate, place, onset = answer["dissolvedRateKgS"], answer["place"], answer["onset"]
    for warning in answer["warnings"]:
        print(f"  {'':<11} mind: {warning}")
    if answer["probability"] < LIKELY or not (rate and place and onset):
        return
    near = answer["nearestLeakPoint"]
    print(
        f"  {'':<11} at x {place['x']:.1f} y {place['y']:.1f} z {place['z']:.1f} m, "
        f"within {answer['locationErrorM']:.1f} m"
        + (f"; known point {near['name']} with {near['probability']:.2f}" if near else "")
    )
    print(f"  {'':<11} dissolved {_span(rate)} kg/s, total {_span(answer['totalRateKgS'])} kg/s")
    print(f"  {'':<11} began {onset['median']} ({onset['low90']} to {onset['high90']})")


def _compare(
    truth: Mapping[str, Any], found: Sequence[Mapping[str, Any]], answers: Mapping[str, Mapping[str, Any] | None]
) -> bool:
    """Print truth beside estimate; return whether the true leak was found, confirmed and estimated."""
    began = datetime.fromisoformat(truth["onset"])
    ours = [one for one in found if one["template"] == truth["template"] and _time(one["lastCritical"]) >= began]
    answer = answers[ours[0]["id"]] if ours else None
    print(f"\n{'':<22}{'truth':<28}estimate")
    if answer is None or answer["onset"] is None or answer["place"] is None:
        print("the leak was NOT found")
        return False
    delay = _time(ours[0]["onset"]) - began
    onset = answer["onset"]
    print(f"{'began':<22}{truth['onset']:<28}{onset['median']} (90 %: {onset['low90']} to {onset['high90']})")
    print(f"{'found (Critical)':<22}{'':<28}{ours[0]['onset']}, {delay / timedelta(hours=1):.1f} h after it began")
    place, there = answer["place"], [truth[axis] for axis in "xyz"]
    print(
        f"{'place x, y, z [m]':<22}{_point(there):<28}{_point([place[axis] for axis in 'xyz'])}"
        f", {math.dist(there, [place[axis] for axis in 'xyz']):.1f} m off"
    )
    rate = answer["dissolvedRateKgS"]
    factor = rate["median"] / truth["rate_kg_s"]
    print(f"{'dissolved rate [kg/s]':<22}{truth['rate_kg_s']:<28.2g}{_span(rate)}, x{factor:.2f}")
    print(f"{'verdict':<22}{'a leak':<28}{answer['verdict']}, probability {answer['probability']:.3f}")
    return bool(answer["verdict"] == "CONFIRMED")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _point(place: Sequence[float]) -> str:
    return ", ".join(f"{one:.1f}" for one in place)


def _span(interval: Mapping[str, float]) -> str:
    return f"{interval['median']:.2g} (90 %: {interval['low90']:.2g} to {interval['high90']:.2g})"
