"""The example: one recorded rise, from its files to words and a picture."""

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

import bench.example.rise
from bench.detection.leaks import seeds
from bench.example.__main__ import main
from bench.example.posterior import cell_size, columns_of, outline, region
from bench.example.rise import CRITICAL, CURRENTS, READINGS, SEEDS, TAG, TEMPLATE, Rise, read_rise
from shared.domain.environment import Environment
from shared.domain.estimation import PlaceProbability
from shared.domain.leak import Leak
from shared.errors import InvalidInput
from shared.simulation import simulate

TIMES = np.datetime64("2021-04-26T12:00:00", "s") + np.arange(4 * 144) * np.timedelta64(600, "s")


def write(folder: Path) -> None:
    """Write a made-up rise: a leak near the sensor in a turning current, noise, and a sentinel."""
    hours = np.arange(TIMES.size) / 6
    speed, towards = 0.12 + 0.05 * np.cos(hours / 2), 29 * hours % 360
    template = next(one for one in seeds(SEEDS) if one.id == TEMPLATE)
    row = next(index for index, one in enumerate(template.sensors) if one.tag == TAG)
    sensor = template.sensors[row]
    leak = Leak(x=sensor.x - 2, y=sensor.y + 1, z=3.5, rate_kg_s=3e-5, onset=CRITICAL)
    sea = Environment.of(TIMES, current_speed=speed, current_direction=towards)
    ppmv = 10 + np.random.default_rng(1).normal(0, 1, TIMES.size) + simulate(template, sea, leak, TIMES)[row]
    ppmv[20] = 1e14
    (folder / READINGS).write_text(
        "time,ppmv\n" + "".join(f"{time}Z,{value:.4f}\n" for time, value in zip(TIMES, ppmv, strict=True))
    )
    rows = zip(TIMES, towards, 100 * speed, strict=True)
    (folder / CURRENTS).write_text(
        "time,direction_deg,speed_cm_s\n" + "".join(f"{time}Z,{way:.2f},{fast:.3f}\n" for time, way, fast in rows)
    )


def test_a_made_up_rise_is_told_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In words with the units, and as a PNG."""
    write(tmp_path)
    picture = tmp_path / "picture.png"
    assert main(["--data", str(tmp_path), "--out", str(picture)]) == 0
    output = capsys.readouterr().out
    assert "probability of a leak here" in output
    assert "kg/s" in output
    assert "began 2021-04-2" in output
    assert "90 %: 2021-04-28" in output
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 50_000


def inputs(folder: Path) -> Rise:
    """Return the folder's rise with nothing estimated of it."""
    with patch.object(bench.example.rise, "estimate"):
        return read_rise(folder)


def test_the_estimation_gets_what_the_app_would_hold(tmp_path: Path) -> None:
    """88 hours on the grid, sentinels and sensors without data missing, currents in m/s."""
    write(tmp_path)
    rise = inputs(tmp_path)
    ppmv = rise.observations.ppmv
    assert ppmv.shape == (4, 88 * 6 + 1)
    assert np.isnan(np.delete(ppmv, rise.row, axis=0)).all()
    first = int((rise.observations.times[0] - TIMES[0]) / np.timedelta64(600, "s"))
    assert first == 45  # the sentinel lies before it
    assert np.isfinite(ppmv[rise.row]).all()
    assert rise.environment.current_speed.max() == pytest.approx(0.17, abs=0.001)


def test_a_sentinel_is_missing(tmp_path: Path) -> None:
    """And the series around it is used."""
    write(tmp_path)
    path = tmp_path / READINGS
    lines = path.read_text().splitlines()
    lines[101] = lines[101].split(",")[0] + ",100000000000000.0"
    path.write_text("\n".join(lines) + "\n")
    rise = inputs(tmp_path)
    assert np.isnan(rise.observations.ppmv[rise.row]).nonzero()[0].tolist() == [100 - 45]


@pytest.mark.parametrize("missing", [READINGS, CURRENTS])
def test_a_folder_without_a_file_is_refused(tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With its name, and no picture."""
    write(tmp_path)
    (tmp_path / missing).unlink()
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "picture.png")]) == 2
    output = capsys.readouterr()
    assert missing in output.err
    assert output.out == ""
    assert not (tmp_path / "picture.png").exists()


def test_files_that_hold_another_time_are_refused(tmp_path: Path) -> None:
    """With what was looked for."""
    write(tmp_path)
    (tmp_path / READINGS).write_text("time,ppmv\n2021-01-01T00:00:00Z,3\n")
    with pytest.raises(InvalidInput, match="too little"):
        read_rise(tmp_path)


def test_the_map_adds_the_heights_and_outlines_the_most_likely_columns() -> None:
    """Two neighbours share no edge between them."""
    places = [(1.0, 2.0, 1.0, 0.3), (1.0, 2.0, 3.0, 0.3), (2.0, 2.0, 1.0, 0.2), (9.0, 2.0, 1.0, 0.1)]
    cells = tuple(PlaceProbability(x=x, y=y, z=z, probability=p) for x, y, z, p in places)
    columns = columns_of(cells)
    assert columns[1.0, 2.0] == pytest.approx(0.6)
    assert region(columns, 0.5) == [(1.0, 2.0)]
    assert region(columns, 0.7) == [(1.0, 2.0), (2.0, 2.0)]
    assert cell_size((*cells, PlaceProbability(name="W1", x=1.2, y=2.0, z=1.0, probability=0.1))) == 1.0
    edges = outline(region(columns, 0.7), 1.0)
    assert len(edges) == 6
    assert ((1.5, 1.5), (1.5, 2.5)) not in edges
    assert {x for xs, _ in edges for x in xs} == {0.5, 1.5, 2.5}


@pytest.mark.statistical
def test_the_real_rise_is_found_after_it_began(
    real_series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The onset is on the day of the rise, a leak is far more likely than nothing, the picture is drawn."""
    picture = tmp_path / "picture.png"
    assert main(["--data", str(real_series), "--out", str(picture)]) == 0
    assert "began 2021-04-28" in capsys.readouterr().out
    answer = read_rise(real_series).answer
    assert answer.log_bayes_factor > 10
    assert picture.read_bytes().startswith(b"\x89PNG")
