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
from shared.bootstrap import Bootstrap
from shared.detection import build_baseline, engine_id
from shared.domain.baseline_history import BaselineHistory, Change, DayRange, Recipe
from shared.domain.mark import Span, Undo
from shared.domain.tsd import grid, start_of
from shared.usecases.lookup import look_up_sensor
from tests.conftest import bootstrap, environment
from tests.support.filled import FIRST, SENSOR, fill

PREFIX = "rec"
FEW = {  # rows of tables that hold more than one of a kind
    "registry": {"platform", "head", "template|w", "ingest|w", "latest|w", "sensor|w|001", "sensor|w|002"},
    "deviations": {"2026-03-02"},
}


def stored_rows(app: Bootstrap) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each table's name and its rows, as JSON has them: bytes are told apart."""
    for table in app.clients.tables():
        name = table.table_name.removeprefix(PREFIX)
        rows = [row for row in table.list_entities() if row["RowKey"] in FEW.get(name, {row["RowKey"]})]
        if name in FEW:
            rows = [row for row in rows if row["PartitionKey"] in ("snorre", SENSOR)]
        yield name, [{key: _as_json(value) for key, value in row.items()} for row in rows]


def _as_json(value: object) -> object:
    return {"binary": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def fill_with_history(app: Bootstrap) -> None:
    """Fill the storage with a leak that is found, decisions of all kinds, and a baseline that was renewed."""
    fill(app)
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


def record(app: Bootstrap) -> Mapping[str, bytes]:
    """Return the examples by file name, from storage that is empty."""
    fill_with_history(app)
    found = {f"{name}.json": json.dumps(rows, indent=1).encode() + b"\n" for name, rows in stored_rows(app)}
    names = app.settings.storage
    days = app.clients.container(names.lake_container)
    found["day.json"] = days.download_blob(sorted(days.list_blob_names())[1]).readall()
    ppmv = 10 + np.random.default_rng(1).normal(0, 1, 4 * 144)
    found["baseline.bin"] = build_baseline(grid(date(2026, 2, 1), ppmv.size), ppmv).to_bytes()
    for queue, name in ((names.critical_queue, "critical-deviations"), (names.baselines_queue, "build-baselines")):
        message = next(iter(app.clients.queue(queue).peek_messages(1)))
        found[f"{name}.json"] = base64.b64decode(message.content) + b"\n"
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
