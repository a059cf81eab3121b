"""Restores the tables from a backup, and then, by a replay of the lake, what derives from them."""

from collections.abc import Iterator
from datetime import date

from admin.replay import replay
from shared.bootstrap import Bootstrap


def restore(app: Bootstrap, day: date | None, *, replace: bool = False, then_replay: bool = True) -> Iterator[str]:
    """Restore the backup of a day (None: the newest); yield what was done, in words; raises LeakDetectionError."""
    manifest = app.restore.chosen(day)
    yield f"the backup of {manifest.day}, made at {manifest.ended:%H:%M:%S} UTC by {manifest.version}: checking"
    for one in app.restore.run(manifest, replace=replace):
        yield f"{one.table}: {one.rows:,} rows" + (f", {one.others:,} others stay" if one.others else "")
    for what, names in app.restore.mend().items():
        if names:
            yield f"{what}: {', '.join(names)}"
    if then_replay:
        yield "replaying the lake: baselines, scored days, incidents"
        replay(app)
        yield "replayed"
    else:
        yield "what derives is not there yet: python -m admin.manage replay"
