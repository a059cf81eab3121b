"""The sea over time: the current, waves and temperature that an estimation at a template rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from shared.arrays import Floats
from shared.domain.environment import Environment
from shared.domain.series_bodies import SeaBucketsBody
from shared.domain.tsd import BUCKET, floor_to_bucket
from shared.errors import InvalidInput
from shared.ports import DayStore, RegistryTable
from shared.usecases.incidents.estimation_inputs import sea_between
from shared.usecases.lookup import look_up_template
from shared.usecases.queries.series import BucketGrid, Resolution, TimeRange, numbers_of, texts_of


@dataclass(frozen=True, kw_only=True)
class SeaQueries:
    """Returns the sea at a template as columns."""

    lake: DayStore
    registry: RegistryTable
    longest: timedelta  # a day is a blob to be read

    def run(self, template: str, span: TimeRange, points: int) -> SeaBucketsBody:
        """Return the means of so many buckets at most; raises NotFound, or InvalidInput for too long a range."""
        record, known = look_up_template(self.registry, template)
        if span.end - span.start > self.longest:
            raise InvalidInput(f"from: the sea is told of at most {self.longest.days} days at once")
        grid = BucketGrid.over(span, Resolution(points=points))
        end = floor_to_bucket(span.end - timedelta(microseconds=1)) + BUCKET
        sea = sea_between(record.platform, known, lambda day: self.lake.read(known, day).document, grid.start, end)
        columns: dict[str, Any] = {name: numbers_of(values.round(4)) for name, values in _means(sea, grid).items()}
        return SeaBucketsBody.model_construct(
            template=known.id,
            bucket_seconds=int(grid.width.total_seconds()),
            times=texts_of(grid.times),
            **columns,
        )


def _means(sea: Environment, grid: BucketGrid) -> Mapping[str, Floats]:
    """Return each quantity's mean per bucket [size]; the direction is that of the mean of the currents as vectors."""
    bucket = grid.of(sea.times)

    def mean(values: Floats) -> Floats:
        return grid.spread(bucket, values)[1]

    radians = np.radians(sea.current_direction)
    east, north = mean(sea.current_speed * np.sin(radians)), mean(sea.current_speed * np.cos(radians))
    return {
        "current_speed_m_s": mean(sea.current_speed),
        "current_direction_deg": np.degrees(np.arctan2(east, north)) % 360,
        "wave_height_m": mean(sea.wave_height),
        "wave_period_s": mean(sea.wave_period),
        "temperature_c": mean(sea.temperature),
    }
