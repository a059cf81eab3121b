"""The data that an incident's estimation rests on: read from the lake, with a digest that names exactly them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from shared.arrays import BUCKET_STEP, Floats, Times
from shared.domain.environment import Environment
from shared.domain.estimation import Observations
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import (
    BUCKET,
    TemplateDay,
    days_between,
    floor_to_bucket,
    slot_of,
    to_datetime64,
    values_of,
)
from shared.usecases.sea import sea_of

Documents = Callable[[date], TemplateDay | None]


@dataclass(frozen=True, kw_only=True)
class InputWindow:
    """How much before and after an incident's onset an estimation looks at.

    Up to ``longest`` after it for the place, the onset and all else, and up to ``followed`` for the rate over time.
    """

    lead: timedelta
    longest: timedelta
    followed: timedelta


# What of a sensor is there for people, and changes no estimation.
FOR_PEOPLE = {"name", "pinned", "interactive_feedback"}


@dataclass(frozen=True, eq=False)
class EstimationInputs:
    """Readings and environment of a template around an incident, and the digest of both and of the template."""

    observations: Observations
    environment: Environment
    digest: str


def load_inputs(
    platform: Platform, template: Template, documents: Documents, onset: datetime, at: datetime, rules: InputWindow
) -> EstimationInputs:
    """Return what the lake holds from ``onset - lead`` to the bucket ``at`` (included)."""
    start, end = floor_to_bucket(onset - rules.lead), at + BUCKET
    days = _days(platform, template, documents, start, end)
    sensors = [_span([values_of(day.series_of(one)) for day in days], start, end) for one in template.sensors]
    sea = _sea(platform, days, start, end)
    times = buckets_between(start, end)
    size = times.size
    digest = hashlib.sha256(times.tobytes())
    for values in [*sensors, *sea.values()]:
        digest.update(values.tobytes())
    ppmv = np.stack(sensors) if sensors else np.empty((0, size))
    return EstimationInputs(
        Observations(times, ppmv), Environment.of(times, **sea), digest_of(template) + digest.hexdigest()[:24]
    )


def digest_of(template: Template) -> str:
    """Return what names all of a template that an estimation rests on: its data's digest begins with it."""
    registered = template.model_dump_json(exclude={"name": True, "sensors": {"__all__": FOR_PEOPLE}})
    return hashlib.sha256(registered.encode()).hexdigest()[:8]


def sea_between(
    platform: Platform, template: Template, documents: Documents, start: datetime, end: datetime
) -> Environment:
    """Return the environment that the lake holds of the buckets in [start, end)."""
    days = _days(platform, template, documents, start, end)
    return Environment.of(buckets_between(start, end), **_sea(platform, days, start, end))


def buckets_between(start: datetime, end: datetime) -> Times:
    """Return the starts of the buckets in [start, end), where ``start`` is one."""
    size = int((end - start) / BUCKET)
    return np.asarray(to_datetime64(start) + np.arange(size) * BUCKET_STEP)


def _days(
    platform: Platform, template: Template, documents: Documents, start: datetime, end: datetime
) -> list[TemplateDay]:
    return [
        documents(day) or TemplateDay(platform=platform.id, template=template.id, day=day)
        for day in days_between(start, end)
    ]


def _sea(platform: Platform, days: list[TemplateDay], start: datetime, end: datetime) -> dict[str, Floats]:
    """Return the quantities of the environment in the project's units, by name, in a fixed order."""
    found = [sea_of(platform, day) for day in days]
    return {quantity: _span([one[quantity] for one in found], start, end) for quantity in found[0]} if found else {}


def _span(days: list[Floats], start: datetime, end: datetime) -> Floats:
    """Return the buckets of [start, end) from whole days, the first of which holds ``start``."""
    first = slot_of(start)
    size = int((end - start) / BUCKET)
    return np.concatenate(days)[first : first + size]
