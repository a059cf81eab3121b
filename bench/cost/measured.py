"""What the way of the data takes, measured on Azurite and the emulator: transactions, seconds, memory, bytes."""

import json
import logging
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.cost.backup import DaysBackup, days_backup
from bench.cost.proof import play_proof_test
from bench.estimation.machine import peak_mb
from bench.estimation.size import full_size
from bench.storage import Ticking, counted, snorre, ticking
from local.azurite import Azurite
from shared.telemetry import operation

TURNS = 6  # an hour: what is well is told of once


@dataclass(frozen=True)
class Measured:
    """Per run of the timer (``run``) and per template and tick (``tick``); a template has four sensors."""

    sensors: int  # of a template
    run_transactions: Mapping[str, float]  # by kind: "blob read", "table write", ...
    tick_transactions: Mapping[str, float]
    ingest_transactions: float  # of a tick, those that ingest waits for
    omnia_requests: float  # of a tick
    ingest_s: float  # processor's time and Azurite's, of a tick
    detect_s: float
    log_lines: float  # of a tick
    log_bytes: float
    lake_bytes: float  # of a sensor and day, with its share of the environment
    row_bytes: float
    proof_transactions: Mapping[str, float]  # of a proof test, by kind, but for its estimation
    proof_s: float
    estimate_s: float
    build_s: float  # one sensor's daily look after its baseline, which scores nothing anew
    build_transactions: float
    keep_run_transactions: Mapping[str, float]  # of an hour's run of keep that finds the day's backup made, by kind
    keep_transactions: Mapping[str, float]  # a template's in it
    keep_s: float  # of a template
    backup: DaysBackup
    memory_mb: float  # of a worker that has done all of this
    estimate_mb: float  # of a fresh one that estimates


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.bytes: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.bytes.append(len(record.getMessage()))


def measured() -> Measured:
    """Measure everything once; takes about a minute."""
    with Azurite() as azurite:
        one = _Fleet(azurite.connection_string, "W")
    with Azurite() as azurite:
        all_six = _Fleet(azurite.connection_string)
    more = all_six.templates - one.templates
    per_run, per_tick = _parted(one.counts, all_six.counts, more)
    keep_run, keep = _parted(one.keep_counts, all_six.keep_counts, more)
    size = full_size()
    return Measured(
        sensors=4,
        run_transactions=per_run,
        tick_transactions=per_tick,
        ingest_transactions=(all_six.ingest_count - one.ingest_count) / more,
        omnia_requests=(all_six.omnia - one.omnia) / more,
        ingest_s=max(all_six.ingest_s - one.ingest_s, 0.0) / more,
        detect_s=all_six.detect_s,
        log_lines=(all_six.lines - one.lines) / more,
        log_bytes=(all_six.log_bytes - one.log_bytes) / more,
        lake_bytes=all_six.lake_bytes,
        row_bytes=all_six.row_bytes,
        proof_transactions=all_six.proof_counts,
        proof_s=all_six.proof_s,
        estimate_s=size["seconds"],
        build_s=all_six.build_s,
        build_transactions=all_six.build_count,
        keep_run_transactions=keep_run,
        keep_transactions=keep,
        keep_s=max(all_six.keep_s - one.keep_s, 0.0) / more,
        memory_mb=peak_mb(),
        estimate_mb=size["process_mb"],
        backup=days_backup(),
    )


def _parted(
    one: Mapping[str, float], several: Mapping[str, float], more: int
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Return what a run takes however many templates there are, and what each takes, of one and of ``more`` more."""
    kinds = sorted({*one, *several})
    each = {kind: (several.get(kind, 0.0) - one.get(kind, 0.0)) / more for kind in kinds}
    return {kind: max(one.get(kind, 0.0) - each[kind], 0.0) for kind in kinds}, each


class _Fleet:
    """Medians over some ticks of a platform with these templates."""

    def __init__(self, connection: str, *names: str) -> None:
        platform = snorre(*names)
        self.templates = len(platform.templates)
        sensors = sum(len(template.sensors) for template in platform.templates)
        lines = _Lines()
        logger = logging.getLogger("shared")
        logger.setLevel(logging.INFO)
        logger.addHandler(lines)
        with ticking(connection, platform) as world, operation("0" * 32):
            world.tick()
            lines.bytes.clear()
            world.emulator.requests.clear()
            counts: Counter[str] = Counter()
            ingests, detects, self.ingest_count = [], [], 0.0
            for _ in range(TURNS):
                world.move_on()
                with counted() as of_ingest:
                    world.tell_health()
                    world.ask()
                    ingests.append(_seconds(world.ingest))
                with counted() as of_rest:
                    world.take_up_poison()
                    world.prove()
                    detects += [_seconds(lambda one=one: world.detect(one.id)) for one in platform.templates]  # type: ignore[misc]
                counts.update(_kinds(of_ingest + of_rest))
                self.ingest_count += of_ingest.total() / TURNS
            self.counts = {kind: count / TURNS for kind, count in counts.items()}
            self.omnia = len(world.emulator.requests) / TURNS
            self.ingest_s, self.detect_s = statistics.median(ingests), statistics.median(detects)
            self.lines, self.log_bytes = len(lines.bytes) / TURNS, sum(lines.bytes) / TURNS
            self.lake_bytes, self.row_bytes = _sizes(world, sensors)
            world.present.moment = datetime(2026, 3, 5, 3, 20, tzinfo=UTC)
            world.tick()
            with counted() as building:
                self.build_s = _seconds(world.app.build_baselines.run) / sensors
            self.build_count = building.total() / sensors
            world.app.backup.run()
            with counted() as keeping:
                self.keep_s = _seconds(lambda: (world.app.backup.run(), world.app.remove_old.run()))
            self.keep_counts = _kinds(keeping)
            self.proof_counts, self.proof_s = _proven(world)
        logger.removeHandler(lines)


def _proven(world: Ticking) -> tuple[Counter[str], float]:
    """Return what a proof test takes of a template without an incident; raises RuntimeError where it finds nothing."""
    world.tick()
    troubled = {one.incident.template for one in world.app.incidents.open_ones()}
    calm = [one.id for one in world.platform.templates if one.id not in troubled]
    if not calm:
        return Counter(), 0.0
    with counted() as proving:
        begun = time.perf_counter()
        proven = play_proof_test(world, calm[0])
        seconds = time.perf_counter() - begun
    if proven.found_after_h is None:
        raise RuntimeError(f"the proof test proved nothing: {proven.why}")
    return _kinds(proving), seconds


def _seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def _kinds(counts: Counter[str]) -> Counter[str]:
    """Return the requests by what they are billed as."""
    found: Counter[str] = Counter()
    for what, count in counts.items():
        method, name = what.split(" ")
        place = (
            "blob"
            if name.removeprefix("proof-") in ("tsd", "baselines", "corrupt", "backup")
            else "queue"
            if "-" in name
            else "table"
        )
        found[f"{place} {'read' if method in ('GET', 'HEAD') else 'write'}"] += count
    return found


def _sizes(world: Ticking, sensors: int) -> tuple[float, float]:
    """Return the bytes of a sensor's whole day in the lake, and of its row."""
    yesterday = (world.present.moment - timedelta(days=1)).date().isoformat()
    blobs = world.app.clients.container("tsd").list_blobs()
    lake = sum(int(one.size) for one in blobs if yesterday in one.name)
    deviations = next(one for one in world.app.clients.tables() if one.table_name == "deviations")
    rows = [
        sum(len(value) if isinstance(value, bytes) else len(json.dumps(value, default=str)) for value in row.values())
        for row in deviations.list_entities()
        if row["RowKey"] == yesterday
    ]
    return lake / sensors, statistics.mean(rows)
