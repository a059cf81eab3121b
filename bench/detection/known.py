"""Rises that operators know: they are looked for, and never counted as false alarms."""

from dataclasses import dataclass

import numpy as np

from shared.arrays import Flags, Times

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Known:
    """A known rise: the sensor's number in its name, the days on which to look for it, the last day it is felt."""

    sensor: str
    first: np.datetime64
    last: np.datetime64
    felt_until: np.datetime64


def _day(text: str) -> np.datetime64:
    return np.datetime64(text, "D")


KNOWN = (
    Known("5472", _day("2021-04-06"), _day("2021-04-07"), _day("2021-04-11")),
    Known("5472", _day("2021-04-28"), _day("2021-04-30"), _day("2021-05-07")),
    Known("6472", _day("2020-12-13"), _day("2020-12-14"), _day("2020-12-19")),
    Known("6172", _day("2021-01-05"), _day("2021-01-06"), _day("2021-01-08")),
)


def in_known_rise(sensor: str, times: Times) -> Flags:
    """Return which of the times [n] lie in a known rise of that sensor."""
    inside = np.zeros(times.shape, dtype=bool)
    for one in KNOWN:
        if one.sensor in sensor:
            inside |= (times >= one.first) & (times < one.felt_until + DAY)
    return inside
