"""A world of one template in currents that turn with the tide, whose sensors have a baseline."""

from datetime import timedelta

import numpy as np

from shared.domain.tsd import SLOTS, SeriesDay, start_of
from tests.support.examples import DAY, at, document, history, noise, platform, quiet_baseline, template
from tests.support.fakes import World

TEMPLATE = template()
DAYS = 6
NOW = at(DAY + timedelta(days=DAYS), 0.5)


def world(baselines: int = 2, measured_days: int = DAYS) -> World:
    """Return days of currents that turn with the tide, and so many sensors with a baseline."""
    one = World()
    one.registry.add(platform(TEMPLATE))
    hours = np.arange(DAYS * SLOTS) / 6
    speed, direction = 15 + 5 * np.sin(hours), (hours * 360 / 12.42) % 360
    for number in range(measured_days):
        day, slots = DAY + timedelta(days=number), slice(number * SLOTS, (number + 1) * SLOTS)
        values = {"current_speed": ("SPEED", "cm/s", speed), "current_direction": ("DIRECTION", "deg", direction)}
        sea = {
            name: SeriesDay(
                tag=tag,
                unit=unit,
                until=start_of(day) + timedelta(days=1),
                values=tuple(numbers[slots].tolist()),
                counts=(1,) * SLOTS,
            )
            for name, (tag, unit, numbers) in values.items()
        }
        one.lake.cells.set(
            (TEMPLATE.id, day),
            document(TEMPLATE, day, s1=noise(1), s2=noise(2)).model_copy(update={"environment": sea}),
        )
    for sensor in TEMPLATE.sensors[:baselines]:
        one.baselines.put(sensor.id, quiet_baseline())
        one.registry.set_history(TEMPLATE, sensor, history(sensor.id, quiet_baseline().version, DAY), None)
    return one
