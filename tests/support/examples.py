"""Small examples that several tests build on."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np

from shared.detection import Baseline, build_baseline, engine_id
from shared.domain.baseline_history import BaselineHistory, Change, DayRange, Recipe
from shared.domain.deviation import Carry, DeviationDay
from shared.domain.incident import Incident
from shared.domain.ingest_state import IngestState, SeriesState
from shared.domain.performance import Reliability, Statement, StatementInputs, Statements
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, PlausibleRange, Reading, SeriesDay, TemplateDay, grid, start_of
from shared.errors import NotFound
from shared.ports import RegistryTable

DAY = date(2026, 3, 1)
PPMV = PlausibleRange(0, 50_000)


def at(day: date, hour: float = 0) -> datetime:
    """Return a moment of a UTC day."""
    return start_of(day) + timedelta(hours=hour)


def template(platform: str = "troll", slug: str = "a", sensors: int = 2) -> Template:
    """Return an open template with sensors in a row."""
    walls = {"fore": 1.0, "aft": 1.0, "port": 1.0, "starboard": 1.0}
    return Template.model_validate(
        {
            "id": f"{platform}-{slug}",
            "platform": platform,
            "name": slug.upper(),
            "angle_from_north": 0.0,
            "height": 5.0,
            "length": 10.0,
            "width": 12.0,
            "depth": 300.0,
            "porosity": walls,
            "wall_area": dict.fromkeys(walls, 50.0),
            "inclination": dict.fromkeys(walls, 0.0),
            "internal_volume": 0.0,
            "leak_points": [{"name": "P1", "x": 3.0, "y": 0.0, "z": 2.0}],
            "sensors": [
                {
                    "id": f"{platform}-{slug}-{number}",
                    "tag": f"TAG-{slug}-{number}",
                    "number": number,
                    "x": -4.0 + 3.0 * number,
                    "y": 1.0,
                    "z": 3.0,
                }
                for number in range(1, sensors + 1)
            ],
        }
    )


def platform(*templates: Template) -> Platform:
    """Return a platform with these templates and measured currents."""
    return Platform.model_validate(
        {
            "id": "troll",
            "name": "Troll",
            "facility": "TRA",
            "environment": {
                "current_speed": {"tag": "SPEED", "unit": "cm/s", "scale": 0.01},
                "current_direction": {"tag": "DIRECTION", "unit": "deg"},
            },
            "templates": [one.model_dump() for one in templates or (template(),)],
        }
    )


def series(day: date, values: np.ndarray | list[float], tag: str = "TAG", start: int = 0) -> SeriesDay:
    """Return a series' day that is known from its start to the last of the values put in from slot ``start``."""
    readings = [
        Reading(
            start_of(day) + (start + index) * BUCKET, None if np.isnan(value) else float(value), int(np.isfinite(value))
        )
        for index, value in enumerate(values)
    ]
    empty = SeriesDay(tag=tag, unit="ppmv", until=start_of(day))
    return empty.merged(readings, start_of(day) + (start + len(readings)) * BUCKET, PPMV)


def document(one: Template, day: date, **sensors: np.ndarray | list[float]) -> TemplateDay:
    """Return a day document; sensors are named ``s1``, ``s2``, ..."""
    found = {
        f"{one.id}-{name[1:]}": series(day, values, f"TAG-{one.slug}-{name[1:]}") for name, values in sensors.items()
    }
    return TemplateDay(platform=one.platform, template=one.id, day=day, sensors=found)


@cache
def quiet_baseline(seed: int = 0, days: int = 10) -> Baseline:
    """Return the baseline of noise around 10 ppmv."""
    ppmv = 10 + np.random.default_rng(seed).normal(0, 1, days * 144)
    return build_baseline(grid(date(2026, 2, 1), ppmv.size), ppmv)


def history(sensor: str, version: str, valid_from: date) -> BaselineHistory:
    """Return a history of one version of the sensor's own."""
    days = DayRange(valid_from - timedelta(days=20), valid_from - timedelta(days=4))
    recipe = Recipe(source=sensor, days=(days,))
    change = Change(valid_from=valid_from, reason="built", recipe=recipe, version=version)
    return BaselineHistory(changes=(change,), engine=engine_id())


def noise(seed: int, size: int = 144, level: float = 10.0) -> np.ndarray:
    """Return readings like the quiet baseline's."""
    return level + np.random.default_rng(seed).normal(0, 1, size)


NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


def watermarked(registry: RegistryTable, one: Template, moments: Mapping[str, datetime]) -> None:
    """Record up to when the template's series were asked for, as storage of old has it: without their tags."""
    try:
        etag = registry.record(one.id).ingest_etags.get(one.id)
    except NotFound:
        etag = None
    state = IngestState(series={key: SeriesState(until=moment) for key, moment in moments.items()})
    registry.set_ingested(one, state, etag)


def read_until(
    one: Template, moment: datetime, sea: Iterable[str] = ("current_speed", "current_direction")
) -> IngestState:
    """Return the state of a template all of whose series have been read up to a moment, with samples up to it."""
    state = SeriesState(until=moment, begin=start_of(DAY), newest=moment - BUCKET)
    return IngestState(series=dict.fromkeys((*(sensor.id for sensor in one.sensors), *sea), state))


def set_read_until(registry: RegistryTable, one: Template, moment: datetime) -> None:
    """Record that all of the template's series have been read up to a moment."""
    record = registry.record(one.id)
    state = read_until(one, moment, record.platform.environment)
    registry.set_ingested(one, state, record.ingest_etags.get(one.id))


def scored_day(seed: int = 1, size: int = 144, sensor: str = "troll-a-1") -> DeviationDay:
    """Return a scored day with every kind of value."""
    ppmv = noise(seed, size)
    ppmv[3] = np.nan
    score = np.linspace(0, 3, size).astype(np.float32)
    score[3] = np.nan
    ppmv[4] = np.inf
    return DeviationDay(
        sensor,
        DAY,
        engine_id(),
        "v1",
        ppmv,
        score,
        level=np.resize([0, 1, 2, -1], size).astype(np.int8),
        raw=score[::-1].copy(),
        channel=np.resize([0, 1, -1], size).astype(np.int8),
        away=np.resize([0, 0, 1], size).astype(np.int8),
        currents=np.resize([0.125 + 0.5j, complex(np.nan, np.nan)], size),
        fault=np.resize([0, 2], size).astype(np.int8),
        before=None if seed % 2 else Carry((2.0, 10.25, 17.5, 3.0), 2, "v1"),
        carry=Carry((0.0, np.nan, np.nan, 194.0), 0, "v1"),
        bad="1 bad_status",
    )


def incident_at(hour: int, template: str = "troll-a") -> Incident:
    """Return a template's incident that begins at that hour."""
    onset = at(DAY, hour)
    return Incident(
        id=f"{template}-{onset:%Y%m%dT%H%M}Z",
        platform="troll",
        template=template,
        onset=onset,
        last_critical=onset + timedelta(hours=1),
        closed=None,
        sensors=(f"{template}-1", f"{template}-2"),
        max_score=2.5,
    )


def statements(template: str) -> Statements:
    """Return the first statement of a template, that could say nothing."""
    inputs = StatementInputs(engine=engine_id(), baselines={}, false_alarms={}, geometry="0123abcd", settings={})
    nothing = Reliability(
        since=NOW,
        alarms=0,
        by_verdict={},
        by_state={},
        by_disposition={},
        history=0,
        unacknowledged=0,
        median_hours_to_acknowledgement=None,
    )
    made = Statement(
        template=template,
        made=NOW,
        version="9.9",
        inputs=inputs,
        start=NOW,
        end=NOW,
        currents_known=0.0,
        unknown=("nothing is known",),
        reliability=nothing,
    )
    return Statements(newest=made)
