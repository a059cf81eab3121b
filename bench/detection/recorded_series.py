"""The recorded series of a folder, on the 10-minute grid, and the currents if there are any."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from shared.detection.regular import Regular, regularise
from shared.domain.environment import Environment

SERIES = ("time", "ppmv")
CURRENTS = ("time", "direction_deg", "speed_cm_s")


@dataclass(frozen=True, eq=False)
class Recorded:
    """One sensor's recorded series on the 10-minute grid."""

    sensor: str
    series: Regular


@dataclass(eq=False)
class Folder:
    """What a folder holds; ``passed_over`` says why of each file that is not used."""

    series: list[Recorded] = field(default_factory=list)
    currents: Environment | None = None
    passed_over: dict[str, str] = field(default_factory=dict)


def read_folder(folder: Path) -> Folder:
    """Return the series of every file with the header ``time,ppmv``, and the first file of currents.

    A ``*_raw.csv`` is passed over where the same name with ``_10min`` is there. Raises FileNotFoundError.
    """
    found = Folder()
    names = {path.name for path in folder.iterdir()}
    for path in sorted(folder.iterdir()):
        twin = path.name.replace("_raw.csv", "_10min.csv")
        if path.suffix != ".csv":
            found.passed_over[path.name] = "not a CSV file"
        elif twin != path.name and twin in names:
            found.passed_over[path.name] = f"the same sensor as {twin}"
        else:
            try:
                add_file(found, path)
            except (ValueError, OSError, csv.Error) as error:
                found.passed_over[path.name] = str(error)
    return found


def add_file(found: Folder, path: Path) -> None:
    """Add what a CSV file holds; raises ValueError, OSError or csv.Error for one that is neither."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        header = tuple(name.strip() for name in next(rows, []))
        if header == SERIES:
            times, (ppmv,) = _columns(rows, _number)
            if times.size == 0:
                raise ValueError("it holds no samples")
            sensor = path.stem.removesuffix("_10min").removesuffix("_raw")
            found.series.append(Recorded(sensor, regularise(times, ppmv)))
        elif header == CURRENTS and found.currents is None:
            times, (direction, speed) = _columns(rows, _number, _number)
            times, first = np.unique(times, return_index=True)
            found.currents = Environment.of(times, current_direction=direction[first], current_speed=speed[first] / 100)
        else:
            raise ValueError(f"its header is {','.join(header)}")


def _columns(rows: Iterator[list[str]], *parse: Callable[[str], float]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the times [n] and the columns after them, each [n]; raises ValueError."""
    times: list[datetime] = []
    values: list[list[float]] = []
    for row in rows:
        if len(row) != 1 + len(parse):
            raise ValueError(f"line {rows.line_num} has {len(row)} columns")  # type: ignore[attr-defined]
        times.append(_time(row[0]))
        values.append([read(text) for read, text in zip(parse, row[1:], strict=True)])
    columns = np.array(values, dtype=np.float64).reshape(len(values), len(parse)).T
    return np.array(times, dtype="datetime64[s]"), list(columns)


def _time(text: str) -> datetime:
    """Return a moment in UTC without its zone, as numpy takes it; one without a zone is taken as UTC."""
    moment = datetime.fromisoformat(text.strip())
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _number(text: str) -> float:
    """Return a number; what is none is missing."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
