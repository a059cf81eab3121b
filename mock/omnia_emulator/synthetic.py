"""The default data: the seeds' platforms in a synthetic sea, one of whose templates may leak."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from omnia_emulator.noise import BLOCK, Floats, block_of, times_of
from omnia_emulator.sea import ENVIRONMENT_STRIDE, Sea
from omnia_emulator.series import Samples, Series, Store, instant
from shared.domain.leak import Leak
from shared.domain.platform import Platform, Quantity
from shared.domain.template import Template
from shared.domain.tsd import iso


@dataclass(frozen=True)
class LeakAt:
    """A leak of one template, and the name of the place."""

    template: str
    point: str
    leak: Leak


class Blocks:
    """A record made block by block when it is asked for, and kept."""

    def __init__(self, begin: np.datetime64, make: Callable[[int], Floats], stride: int = 1) -> None:
        self._begin, self._make, self._stride = begin, make, stride
        self._made: dict[int, Samples] = {}
        self._lock = threading.Lock()

    def samples(self, start: np.datetime64, end: np.datetime64) -> Samples:
        """Return the samples in [start, end) from the record's beginning on."""
        start = max(start, self._begin)
        if start >= end:
            return Samples.of([], [])
        with self._lock:
            parts = [self._block(block) for block in range(block_of(start), block_of(end) + 1)]
        joined = Samples(
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.statuses for part in parts]),
        )
        return joined.between(start, end)

    def _block(self, block: int) -> Samples:
        if block not in self._made:
            chosen = slice(None, None, self._stride)
            self._made[block] = Samples.of(times_of(block)[chosen], self._make(block)[chosen])
        return self._made[block]


class Plume:
    """What a leak adds at each sensor of its template, simulated block by block with the sea's own currents."""

    def __init__(self, sea: Sea, template: Template, leak: Leak) -> None:
        self._sea, self._template, self._leak = sea, template, leak
        self._made: dict[int, Floats] = {}
        self._lock = threading.Lock()

    def rise(self, sensor: int, block: int) -> Floats:
        """Return what the leak adds [ppmv] at the template's n-th sensor in a block."""
        with self._lock:
            if block not in self._made:
                self._made[block] = self._simulated(block)
            return np.asarray(self._made[block][sensor])

    def _simulated(self, block: int) -> Floats:
        from shared.simulation import simulate  # noqa: PLC0415 (an emulator without a leak needs none of it)

        stamps = times_of(block).astype("datetime64[s]")
        if block < block_of(instant(self._leak.onset)):
            return np.zeros((len(self._template.sensors), BLOCK))
        surroundings = self._sea.environment(range(block - 1, block + 2))
        return np.asarray(simulate(self._template, surroundings, self._leak, stamps), dtype=np.float64)


def synthetic(
    platforms: Sequence[Platform],
    *,
    seed: int,
    begin: datetime,
    clock: Callable[[], datetime],
    leak: LeakAt | None = None,
) -> Store:
    """Return a store of all series of the platforms, from ``begin`` on, for as long as the clock runs."""
    series: list[Series] = []
    for platform in platforms:
        sea = Sea(seed, platform)
        series += _environment(platform, sea, instant(begin))
        for template in platform.templates:
            leaking = leak is not None and leak.template == template.id
            plume = Plume(sea, template, leak.leak) if leak is not None and leaking else None
            series += _sensors(platform, template, sea, plume, instant(begin))
    return Store.of(series, clock, seed=seed, begin=iso(begin), leak=_truth(leak))


def placed(platforms: Sequence[Platform], template: str, point: str, rate_kg_s: float, onset: datetime) -> LeakAt:
    """Return a leak at a named leak point, the first one where the name is empty; raises ValueError."""
    found = [one for platform in platforms for one in platform.templates if one.id == template]
    if not found:
        raise ValueError(f"no template {template!r} on the platforms {[platform.id for platform in platforms]}")
    points = {place.name: place for place in found[0].leak_points}
    if (point and point not in points) or not points:
        raise ValueError(f"no leak point {point!r} at {template}; there are {list(points)}")
    place = points[point] if point else next(iter(points.values()))
    leak = Leak(x=place.x, y=place.y, z=place.z, rate_kg_s=rate_kg_s, onset=onset)
    return LeakAt(template, place.name, leak)


def beginning(now: datetime, days: int) -> datetime:
    """Return the midnight from which on there are data, ``days`` before now."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)


def _sensors(
    platform: Platform, template: Template, sea: Sea, plume: Plume | None, begin: np.datetime64
) -> list[Series]:
    def reading(index: int, tag: str) -> Callable[[int], Floats]:
        def make(block: int) -> Floats:
            background = sea.methane(tag, block)
            return background if plume is None else np.round(background + plume.rise(index, block), 3)

        return make

    return [
        Series(sensor.tag, platform.facility, "ppmv", Blocks(begin, reading(index, sensor.tag)), sensor.id)
        for index, sensor in enumerate(template.sensors)
    ]


def _environment(platform: Platform, sea: Sea, begin: np.datetime64) -> list[Series]:
    def value(quantity: Quantity, scale: float) -> Callable[[int], Floats]:
        return lambda block: np.round(sea.quantities(block)[quantity] / scale, 3)

    return [
        Series(
            one.tag,
            platform.facility,
            one.unit,
            Blocks(begin, value(quantity, one.scale), ENVIRONMENT_STRIDE),
            f"{platform.id} {quantity}",
        )
        for quantity, one in platform.environment.items()
    ]


def _truth(leak: LeakAt | None) -> dict[str, Any] | None:
    if leak is None:
        return None
    truth = leak.leak.model_dump(mode="json", exclude_none=True)
    return {"template": leak.template, "point": leak.point} | truth
