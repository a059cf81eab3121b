"""Records an example of everything that this release stores, as the bytes that storage holds.

    python -m tests.support.record_formats tests/data/formats/today

Before a schema changes, ``today`` becomes the folder of the schemas that are left (docs/formats.md).
"""

import base64
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from local.azurite import Azurite
from shared.adapters.tables.registry_rows import INDEX, own_partition
from shared.bootstrap import Bootstrap
from shared.detection import build_baseline, engine_id
from shared.domain.baseline_history import BaselineHistory, Change, DayRange, Recipe
from shared.domain.ingest_request import IngestRequest
from shared.domain.leak import Leak
from shared.domain.mark import Span, Undo
from shared.domain.notice import NotificationMessage
from shared.domain.performance import Statement, Statements
from shared.domain.proof_test import Play, ProofTest, ProofTests
from shared.domain.suppression import Suppression, SuppressionKind, suppression_id
from shared.domain.tsd import grid, start_of
from shared.ports import StoredSuppression
from shared.settings import StorageSettings
from shared.usecases.lookup import look_up_sensor
from tests.conftest import bootstrap, environment
from tests.support.filled import FIRST, NOW, SENSOR, TEMPLATE, fill

PREFIX = "rec"
FEW = {  # rows of tables that hold more than one of a kind
    "registry": {"platform", "head", "template|w", "sensor|w|001", "sensor|w|002", "ingest", "latest", "snorre"},
    "deviations": {"2026-03-02"},
}


def stored_rows(app: Bootstrap) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each table's name and its rows, as JSON has them: bytes are told apart."""
    for table in app.clients.tables():
        name = table.table_name.removeprefix(PREFIX)
        rows = [row for row in table.list_entities() if row["RowKey"] in FEW.get(name, {row["RowKey"]})]
        if name in FEW:
            rows = [row for row in rows if row["PartitionKey"] in ("snorre", INDEX, own_partition(TEMPLATE), SENSOR)]
        yield name, [{key: _as_json(value) for key, value in row.items()} for row in rows]


def _as_json(value: object) -> object:
    return {"binary": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def fill_with_history(app: Bootstrap) -> None:
    """Fill the storage with a leak that is found, decisions of all kinds, and a baseline that was renewed."""
    incident = fill(app)
    app.alarms.acknowledge(incident.id, "A. Person", "seen on the pages", lambda _: None)
    for one in suppressions():
        app.suppressions_table.put(StoredSuppression(one, 1, None))
    leak = Span(start_of(FIRST) + timedelta(hours=5), start_of(FIRST) + timedelta(hours=6))
    quiet = Span(start_of(FIRST), start_of(FIRST) + timedelta(hours=2))
    undo = Undo(sensor=SENSOR, valid_from=FIRST, undone=True, made=datetime(2026, 3, 3, 12, tzinfo=UTC))
    app.marks.add(app.marks.of(SENSOR).next(undo, FIRST))
    withdrawn = app.feedback.mark(SENSOR, leak, "leak", "B. Person", "")
    app.feedback.undo_mark(SENSOR, withdrawn.id)
    known_platform, template, sensor = look_up_sensor(app.registry, SENSOR)
    built = Recipe(source=SENSOR, days=(DayRange(date(2026, 1, 1), date(2026, 2, 20)),))
    marked = built.model_copy(update={"included": (quiet,), "excluded": (leak,)})
    version = known_platform.history(SENSOR).version_of(FIRST)
    history = BaselineHistory(
        changes=(
            Change(valid_from=FIRST, reason="built", recipe=built, version=version),
            Change(valid_from=FIRST + timedelta(days=1), reason="feedback", recipe=marked, version="0123456789abcdef"),
        ),
        engine=engine_id(),
        last_attempt=date(2026, 3, 3),
        decisions=f"{SENSOR}:0123",
    )
    app.registry.set_history(template, sensor, history, known_platform.stored[SENSOR].etag)


def suppressions() -> Iterator[Suppression]:
    """Yield one of each kind, the operation called off."""
    said = {"platform": "snorre", "start": NOW, "reason": "as\nagreed", "by": "A. Person", "said": NOW}
    kinds: list[tuple[SuppressionKind, str, dict[str, Any]]] = [
        ("shelved", TEMPLATE, {"template": TEMPLATE}),
        ("out_of_service", SENSOR, {"template": TEMPLATE, "sensor": SENSOR}),
        ("planned", "snorre", {"operation": "rov", "ended": {"by": "B. Person", "at": NOW}}),
    ]
    for kind, subject, more in kinds:
        end, name = NOW + timedelta(days=1), suppression_id(kind, subject)
        yield Suppression.model_validate({**said, **more, "id": name, "kind": kind, "end": end})


def state(app: Bootstrap) -> None:
    """Keep two statements of the template, the newest with all that one can say, and ask for another one."""
    unknown = app.performance.run(TEMPLATE).newest
    said = Statement.model_validate(
        {
            **unknown.model_dump(exclude={"unknown", "inputs"}),
            "inputs": {**unknown.inputs.model_dump(), "geometry": "0a1b2c3d"},
            "map": {"x": [-1.0, 1.0], "y": [0.0], "z": [2.0], "rates_kg_s": [[[1e-6, None]]]},
            "points": [{"name": "W1", "rate_kg_s": 2e-6}],
            "promises": [{"level": "Critical", "within_hours": 24, "median_kg_s": 1e-6, "most_kg_s": None}],
            "accuracy": [
                {
                    "rate_kg_s": 1e-6,
                    "distance_median_m": 3.5,
                    "distance_most_m": 5.0,
                    "factor_median": 2.5,
                    "factor_most": 4.0,
                }
            ],
            "variants": [
                {"kind": "lost", "sensor": SENSOR, "times": 1.5, "median_kg_s": 1.5e-6, "most_kg_s": None},
                {"kind": "added", "place": [0.0, 0.0, 4.5], "times": 0.5, "median_kg_s": 5e-7, "most_kg_s": 1e-5},
            ],
        }
    )
    stored = app.statements_table.get(TEMPLATE)
    assert stored is not None
    app.statements_table.put(TEMPLATE, Statements.after(stored.statements, said), stored.etag)
    app.performance.ask(TEMPLATE)


def proofs() -> ProofTests:
    """Return a test that is over and says all that one can say, and one that is asked for."""
    asked, ended = NOW - timedelta(days=7), NOW - timedelta(days=7) + timedelta(minutes=20)
    over = ProofTest(
        template=TEMPLATE,
        asked=asked,
        by="A. Person",
        state="late",
        why="found in time is within 24 h",
        ended=ended,
        play=Play(
            started=asked,
            leak=Leak(x=1.0, y=0.0, z=2.0, rate_kg_s=6e-6, onset=asked - timedelta(days=2)),
            promised_kg_s=2e-6,
            until=asked,
            copied_to="proof-20260302t000000",
        ),
        found_after_h=30.0,
        sensor=SENSOR,
        verdict="CONFIRMED",
        place_off_m=1.25,
        rate_held=True,
    )
    return ProofTests(template=TEMPLATE, now=ProofTest(template=TEMPLATE, asked=NOW), over=(over,))


def record(app: Bootstrap) -> Mapping[str, bytes]:
    """Return the examples by file name, from storage that is empty."""
    fill_with_history(app)
    state(app)
    app.proof_tests_table.put(proofs(), None)
    found = {f"{name}.json": json.dumps(rows, indent=1).encode() + b"\n" for name, rows in stored_rows(app)}
    names = app.settings.storage
    days = app.clients.container(names.lake_container)
    found["day.json"] = days.download_blob(sorted(days.list_blob_names())[1]).readall()
    ppmv = 10 + np.random.default_rng(1).normal(0, 1, 4 * 144)
    found["baseline.bin"] = build_baseline(grid(date(2026, 2, 1), ppmv.size), ppmv).to_bytes()
    moment = datetime(2026, 3, 4, tzinfo=UTC)
    share = {"platform": "snorre", "templates": [TEMPLATE], "generation": "0" * 32, "asked": moment, "until": moment}
    app.messages.ingest(IngestRequest.model_validate(share), timedelta(0), timedelta(hours=1))
    app.messages.notify(NotificationMessage(incident="snorre-w-20260302T0600Z", number=0, kind="raised"))
    for name in ("critical", "baselines", "notifications", "statements", "ingest"):
        queue = getattr(names, f"{name}_queue")
        message = next(iter(app.clients.queue(queue).peek_messages(1)))
        called = StorageSettings.model_fields[f"{name}_queue"].default
        found[f"{called}.json"] = base64.b64decode(message.content) + b"\n"
    return found


def main(folder: Path) -> None:
    """Write the examples into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with Azurite() as azurite:
        app = bootstrap(environment(azurite.connection_string, PREFIX))
        app.clients.ensure_storage()
        for name, content in record(app).items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
