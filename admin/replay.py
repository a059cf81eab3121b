"""Rebuilds from the lake and people's marks what the tables say."""

from collections.abc import Sequence
from datetime import date

from shared.bootstrap import Bootstrap
from shared.domain.ingest_state import IngestState, SeriesState
from shared.domain.template import Template
from shared.domain.tsd import runs_of, start_of
from shared.errors import LeakDetectionError, NotFound
from shared.ports import Registration
from shared.retry import after_conflicts
from shared.usecases.baselines.rescoring import AT_ONCE


def replay(app: Bootstrap) -> None:
    """Rebuild watermarks, baselines, deviations and incidents; raises LeakDetectionError."""
    known = app.registry.platforms()
    for name, why in known.unreadable.items():
        raise LeakDetectionError(f"platform {name} cannot be read: {why}") from why
    if not known:
        raise NotFound("no platform is registered: seed first")
    for record in known:
        for template in record.platform.templates:
            if days := app.lake.days(template):
                _recover_watermarks(app, template, days)
        for error in app.build_baselines.run_platform(record.platform.id).values():
            raise error
        for template in record.platform.templates:
            for first, last in runs_of(
                app.kept.scored_among(app.lake.days(template), app.clock.now()), at_most=AT_ONCE
            ):
                app.detect.run(record.platform.id, template.id, first, last)


def _recover_watermarks(app: Bootstrap, template: Template, days: Sequence[date]) -> None:
    def attempt(_: bool) -> None:
        record = app.registry.record(template.id)
        stored = record.ingested.get(template.id, IngestState())
        series = dict(stored.series)
        for key, held in _in_the_lake(app, record, template, days).items():
            known = series.get(key, held)
            if known.tag in ("", held.tag) and known.until and held.until:
                until = max(known.until, held.until)
                series[key] = known.model_copy(update={"until": until, "tag": held.tag, "newest": held.newest})
            else:
                series[key] = held
        state = stored.model_copy(update={"series": series})
        app.registry.set_ingested(template, state, record.ingest_etags.get(template.id))

    after_conflicts(attempt, template.id)


def _in_the_lake(
    app: Bootstrap, record: Registration, template: Template, days: Sequence[date]
) -> dict[str, SeriesState]:
    """Return from when to when the lake holds each series that is registered."""
    tags = {sensor.id: sensor.tag for sensor in template.sensors}
    tags |= {quantity: series.tag for quantity, series in record.platform.environment.items()}
    held: dict[str, SeriesState] = {}
    for day in days:
        document = app.lake.read(template, day).document
        for key, series in ({**document.sensors, **document.environment} if document else {}).items():
            if tags.get(key) == series.tag:
                before = held.get(key, SeriesState(tag=series.tag, begin=start_of(day)))
                until = max(series.until, before.until or series.until)
                newest = series.last_sample(day) or before.newest
                held[key] = before.model_copy(update={"until": until, "newest": newest})
    return held
