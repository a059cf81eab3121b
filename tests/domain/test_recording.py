"""Recorded series as people export them: read as they were meant, or refused with file, line and reason."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.arrays import Floats
from shared.domain.recording import joined, read_recording
from shared.errors import InvalidInput

NAN = float("nan")


def read(tmp_path: Path, content: str | bytes) -> Floats:
    """Return the values of a file with that content."""
    path = tmp_path / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_recording(path, ["ppmv"]).columns["ppmv"]


@pytest.mark.parametrize(
    "content",
    [
        "time,ppmv\n2026-01-01T00:00:00Z,1.5\n2026-01-01T00:10:00Z,2.5\n",
        "\ufefftime,ppmv\r\n2026-01-01T00:00:00Z,1.5\r\n2026-01-01T00:10:00Z,2.5\r\n",
        '"time","ppmv"\n"2026-01-01T00:00:00Z","1.5"\n"2026-01-01T00:10:00Z","2.5"',
        "time, ppmv\n2026-01-01T00:00:00Z, 1.5\n\n2026-01-01T00:10:00Z, 2.5\n,\n",
        "ppmv,note,time\n2.5,x,2026-01-01T00:10:00Z\n1.5,,2026-01-01T00:00:00Z\n",
        "time,ppmv\n2026-01-01 02:00:00+02:00,1.5\n2026-01-01 00:10,2.5\n",
    ],
)
def test_the_same_series_in_other_clothes(tmp_path: Path, content: str) -> None:
    """Byte order mark, line ends of Windows, quotes, spaces, empty lines, other columns and order, zones."""
    assert read(tmp_path, content).tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    "cell",
    ["", " ", "Bad", "No Data", "nan", "-9999", "-9999.0", '"-9999"', "1e35", "9.96921e36", "9.9692099683868690e+36"],
)
def test_what_is_missing_is_nan(tmp_path: Path, cell: str) -> None:
    """Empty cells, words, and what programs write where nothing was measured."""
    found = read(tmp_path, f"time,ppmv\n2026-01-01T00:00:00Z,{cell}\n2026-01-01T00:10:00Z,3\n")
    np.testing.assert_array_equal(found, [NAN, 3])


@pytest.mark.parametrize("cell", ["1e14", "-inf", "inf", "0", "-999", "99990"])
def test_what_a_sensor_says_stays(tmp_path: Path, cell: str) -> None:
    """Its own sentinels and infinities are for who judges readings."""
    assert read(tmp_path, f"time,ppmv\n2026-01-01T00:00:00Z,{cell}\n").tolist() == [float(cell)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            'time,ppmv\n2026-01-01T00:00:00Z,1\n2026-01-01T00:10:00Z,"1,5"\n',
            r"a.csv, line 3: .*decimal comma; write 1.5",
        ),
        ("time,ppmv\n2026-01-01T00:00:00Z,1,5\n", r"a.csv, line 2: has 3 columns, not 2 \(a decimal comma"),
        ("time;ppmv\n2026-01-01T00:00:00Z;1,5\n", "a.csv, line 1: .*separated by commas"),
        ("time,ppmv\n44287.5,1\n", "a.csv, line 2: time is '44287.5', a day of Excel"),
        ("time,ppmv\n44287,1\n", "a.csv, line 2: .*a day of Excel"),
        ('time,ppmv\n"44287,5",1\n', "a.csv, line 2: .*a day of Excel"),
        ("time,ppmv\n01.04.2021 12:00,1\n", "a.csv, line 2: time is '01.04.2021 12:00'; write it as"),
        ("time,ppmv\n,1\n", "a.csv, line 2: time is ''"),
        ("time,ppmv\n2026-01-01T00:00:00Z,1.5 ppm\n", "a.csv, line 2: ppmv is '1.5 ppm', which is no number"),
        ("time,ppmv\n2026-01-01T00:00:00Z\n", "a.csv, line 2: has 1 columns, not 2"),
        ("time,ppmv\n", "a.csv: has no rows"),
        ("time,value\n", "a.csv, line 1: has no column ppmv"),
        ("", "a.csv: is empty"),
        ("time,ppmv\n".encode("utf-16"), "a.csv: is not UTF-8"),
        (b"time,ppmv\n2026-01-01T00:00:00Z,1\xff\n", "a.csv: is not UTF-8"),
        ("time,ppmv\n2026-01-01T00:00:00Z," + "1" * 200_000 + "\n", "a.csv: is not CSV"),
    ],
)
def test_what_may_be_meant_otherwise_is_refused(tmp_path: Path, content: str | bytes, why: str) -> None:
    """With the file, the line where there is one, and what to write instead."""
    with pytest.raises(InvalidInput, match=why):
        read(tmp_path, content)


@given(st.binary(max_size=200))
def test_no_file_ends_in_another_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever is in it."""
    with suppress(InvalidInput):
        read(tmp_path_factory.mktemp("any"), b"time,ppmv\n" + content)


def test_files_are_joined_in_order_of_time(tmp_path: Path) -> None:
    """Of a moment that both have, the first one's value counts."""
    parts = []
    for name, rows in (
        ("b", "2026-01-01T00:10:00Z,3\n2026-01-01T00:20:00Z,4\n"),
        ("a", "2026-01-01T00:10:00Z,9\n2026-01-01,1\n"),
    ):
        path = tmp_path / f"{name}.csv"
        path.write_text("time,ppmv\n" + rows)
        parts.append(read_recording(path, ["ppmv"]))
    assert joined(parts).columns["ppmv"].tolist() == [1, 3, 4]
