"""The recorded series of a folder, on the 10-minute grid, and the currents if there are any."""

from dataclasses import dataclass, field
from pathlib import Path

from shared.detection.regular import Regular, regularise
from shared.domain.environment import Environment
from shared.domain.recording import TIME, Recording, header_of, joined, read_recording
from shared.errors import InvalidInput

DIRECTION, SPEED = "direction_deg", "speed_cm_s"
SERIES = (TIME, "ppmv")
CURRENTS = (TIME, DIRECTION, SPEED)


@dataclass(frozen=True, eq=False)
class Recorded:
    """One sensor's recorded series on the 10-minute grid."""

    sensor: str
    series: Regular


@dataclass(eq=False)
class Folder:
    """What a folder holds; ``passed_over`` says why of each file that is not used."""

    series: list[Recorded] = field(default_factory=list)
    measured: list[Recording] = field(default_factory=list)  # currents, a file each
    passed_over: dict[str, str] = field(default_factory=dict)

    @property
    def currents(self) -> Environment | None:
        """The currents of all files together; None where there is none."""
        if not self.measured:
            return None
        sea = joined(self.measured)
        return Environment.of(
            sea.times.astype("datetime64[s]"),
            current_direction=sea.columns[DIRECTION],
            current_speed=sea.columns[SPEED] / 100,
        )


def read_folder(folder: Path) -> Folder:
    """Return the series of every file with the header ``time,ppmv``, and the currents.

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
            except (InvalidInput, OSError) as error:
                found.passed_over[path.name] = str(error)
    return found


def add_file(found: Folder, path: Path) -> None:
    """Add what a CSV file holds; raises InvalidInput, with file and line, or OSError."""
    header = header_of(path)
    if header == SERIES:
        read = read_recording(path, SERIES[1:])
        sensor = path.stem.removesuffix("_10min").removesuffix("_raw")
        found.series.append(Recorded(sensor, regularise(read.times.astype("datetime64[s]"), read.columns["ppmv"])))
    elif header == CURRENTS:
        found.measured.append(read_recording(path, CURRENTS[1:]))
    else:
        raise InvalidInput(f"{path.name}, line 1: the columns are {','.join(header)[:200]}")
