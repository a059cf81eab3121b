"""A small world with something of everything: three days at Snorre W, and a leak in the second, found and estimated.

It goes the app's own way from the lake on, so that what HTTP shows is what the app writes.
"""

from datetime import UTC, date, datetime, timedelta

import numpy as np

from admin.manage import seed, seed_platforms
from shared.bootstrap import Bootstrap
from shared.domain.environment import Environment
from shared.domain.incident import CriticalMessage, Incident
from shared.domain.leak import Leak
from shared.domain.mark import Span
from shared.domain.platform import Platform
from shared.domain.suppression import Suppression
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, SLOTS, SeriesDay, TemplateDay, grid, start_of
from shared.simulation import simulate
from tests.support.bodies import BODIES
from tests.support.examples import history, quiet_baseline, series, set_read_until

FIRST = date(2026, 3, 1)
DAYS = [FIRST + timedelta(days=offset) for offset in range(3)]
NOW = datetime(2026, 3, 4, tzinfo=UTC)
TEMPLATE, SENSOR = "snorre-w", "snorre-w-2"
BEGAN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


# What the API puts on the queues stays there: tests look at what it answers, and this world's lake is too short for
# baselines.
QUIET = {
    f"AzureWebJobs.{name}.Disabled": "true"
    for name in ("detect", "estimate", "baselines_after_backfill", "performance")
}


def fill(app: Bootstrap) -> Incident:
    """Fill the app's storage, and return the incident that it found in it."""
    begin(app)
    advance(app, NOW)
    incident = estimate(app)
    quiet = Span(start_of(FIRST), start_of(FIRST) + timedelta(hours=2))
    app.feedback.mark(SENSOR, quiet, "no_leak", "A. Person", "trawler")
    return incident


def plan(app: Bootstrap) -> Suppression:
    """Plan the operation of the good bodies, once, and return it."""
    begun, ended = (datetime.fromisoformat(BODIES["plan_operation"][name]) for name in ("from", "to"))
    return app.suppressions.plan(TEMPLATE, "rov", begun, ended, "dive", "A. Person")


def begin(app: Bootstrap) -> None:
    """Register the platforms, and give the template's sensors a baseline."""
    seed(app, seed_platforms())
    platform = app.registry.platform("snorre")
    template = next(one for one in platform.platform.templates if one.id == TEMPLATE)
    for sensor in template.sensors:
        app.baselines.put(sensor.id, quiet_baseline())
        tag = app.registry.platform("snorre").stored[sensor.id].etag
        app.registry.set_history(template, sensor, history(sensor.id, quiet_baseline().version, FIRST), tag)


def advance(app: Bootstrap, until: datetime) -> None:
    """Let everything that was measured before a moment come in, and score it."""
    platform = app.registry.platform("snorre").platform
    template = next(one for one in platform.templates if one.id == TEMPLATE)
    for document in _documents(platform, template, until):
        app.lake.write(template, document, app.lake.read(template, document.day).etag)
    set_read_until(app.registry, template, until)
    app.detect.run("snorre", TEMPLATE, DAYS[0], DAYS[-1])


def estimate(app: Bootstrap) -> Incident:
    """Estimate the template's incident as its message asks for it, and return it."""
    (stored,) = app.incidents.list(TEMPLATE)
    incident, notified = stored.incident, stored.notified
    assert notified is not None
    message = {"platform": "snorre", "template": TEMPLATE, "incident": incident.id, "onset": incident.onset}
    app.estimate.run(CriticalMessage.model_validate(message | {"at": notified.at, "sensors": incident.sensors}))
    return incident


def _documents(platform: Platform, template: Template, until: datetime) -> list[TemplateDay]:
    """Return the days' documents up to a moment: noise, a tidal current, and a leak near the second sensor."""
    times = grid(FIRST, len(DAYS) * SLOTS)
    hours = np.arange(times.size) / 6
    sea = {"current_speed": 10 + 6 * np.sin(hours / 2), "current_direction": (hours * 29) % 360}
    environment = Environment.of(
        times, current_speed=sea["current_speed"] / 100, current_direction=sea["current_direction"]
    )
    sensor = next(one for one in template.sensors if one.id == SENSOR)
    leak = Leak(
        x=sensor.x + 1, y=sensor.y, z=max(sensor.z - 1, 0), rate_kg_s=2e-5, onset=BEGAN, end=BEGAN + timedelta(hours=6)
    )
    noise = np.random.default_rng(1).normal(10, 1, (len(template.sensors), times.size))
    ppmv = noise + simulate(template, environment, leak, times)
    known = int((until - start_of(FIRST)) / BUCKET)
    documents = []
    for number, day in enumerate(DAYS):
        part = slice(number * SLOTS, min(known, (number + 1) * SLOTS))
        size = part.stop - part.start
        if size <= 0:
            break
        sensors = {one.id: series(day, row[part], one.tag) for one, row in zip(template.sensors, ppmv, strict=True)}
        measured = {
            name: SeriesDay(
                tag=platform.environment[name].tag,  # type: ignore[index]
                unit=platform.environment[name].unit,  # type: ignore[index]
                until=start_of(day) + size * BUCKET,
                values=(*values[part].round(3).tolist(), *(None,) * (SLOTS - size)),
                counts=(1,) * size + (0,) * (SLOTS - size),
            )
            for name, values in sea.items()
        }
        documents.append(
            TemplateDay(platform="snorre", template=template.id, day=day, sensors=sensors, environment=measured)
        )
    return documents
