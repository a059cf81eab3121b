"""The emulator's data: the synthetic sea with its leak, and recorded series from files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omnia_emulator.files import recorded
from omnia_emulator.noise import red, white
from omnia_emulator.series import Samples, Series, Store, fixed, instant, platforms
from omnia_emulator.server import running
from omnia_emulator.synthetic import beginning, placed, synthetic

from shared.adapters.omnia import OmniaSource, StaticCredential
from shared.domain.leak import Leak
from shared.ports import Window
from tests.support.paths import RECORDED_SERIES

NOW = datetime(2026, 3, 1, 12, 3, tzinfo=UTC)
REAL = RECORDED_SERIES
GRID = np.timedelta64(600, "s")


def sea(now: datetime = NOW, days: int = 40, seed: int = 1, leak: Any = None) -> Store:
    """Return Snorre and Troll in a synthetic sea."""
    chosen = platforms(["snorre", "troll"])
    return synthetic(chosen, seed=seed, begin=beginning(now, days), clock=fixed(now), leak=leak)


def named(store: Store, name: str) -> Series:
    """Return the series of that tag."""
    return next(series for series in store.series.values() if series.name == name)


def everything(store: Store, name: str) -> Samples:
    """Return all samples of a tag up to now."""
    return named(store, name).record.samples(np.datetime64(0, "us"), store.now())


def test_every_series_has_forty_days() -> None:
    """All sensors and environment series of two platforms."""
    store = sea()
    sizes = [everything(store, series.name).times.size for series in store.series.values()]
    assert len(sizes) == 28 + 10
    assert min(sizes) > 40 * 144


def test_the_sea_is_like_the_real_one() -> None:
    """Levels, steps, currents and temperature stay in the ranges of the real series."""
    store = sea()
    for series in store.series.values():
        values = everything(store, series.name).values
        assert np.isfinite(values).all()
        match series.unit:
            case "ppmv":
                assert values.min() > 2.5
                assert values.max() < 66
                assert np.median(np.abs(np.diff(values)) / values[1:]) < 0.03
                assert np.std(np.log(values)) > 0.1
            case "cm/s":
                assert values.min() >= 2
                assert 4 < np.median(values) < values.max() <= 25
            case "degC":
                assert values.min() >= 6
                assert values.max() <= 7


def test_the_current_veers_with_the_tide() -> None:
    """The current's direction goes through all quarters within days, at no more than a smooth pace."""
    directions = everything(sea(days=10), "TRO-340M-CURRENT-DIRECTION").values
    assert set(np.floor(directions / 90)) == {0, 1, 2, 3}
    turns = np.abs((np.diff(directions) + 180) % 360 - 180)
    assert np.median(turns) < 10


def test_a_value_depends_on_seed_series_and_time_only() -> None:
    """Another beginning, another now and another order of questions give the same values at the same times."""
    early, late = sea(NOW, 40), sea(NOW + timedelta(days=45), 60)
    window = instant(NOW - timedelta(days=9)), instant(NOW - timedelta(days=1))
    for name in ("19H-QI___5272", "SNA-317M-CURRENT-SPEED"):
        everything(late, name)
        one, other = (named(store, name).record.samples(*window) for store in (early, late))
        assert np.array_equal(one.times, other.times)
        assert np.array_equal(one.values, other.values)
        assert not np.array_equal(one.values, named(sea(seed=2), name).record.samples(*window).values)


def test_noise_has_the_asked_deviation_and_memory() -> None:
    """Autoregressive noise of unit deviation keeps exp(-lag / memory) of itself, across blocks too."""
    long = np.concatenate([red(5, "x", block, 3.0) for block in range(700, 712)])
    assert np.std(long) == pytest.approx(1, abs=0.06)
    assert np.mean(long[36:] * long[:-36]) == pytest.approx(np.exp(-1), abs=0.08)
    joint = red(5, "x", 701, 24.0)[0] - red(5, "x", 700, 24.0)[-1]
    assert abs(joint) < 0.5
    assert np.std(white(5, "x", 700)) == pytest.approx(1, abs=0.05)
    with pytest.raises(ValueError, match="memory_h"):
        red(5, "x", 700, 500.0)


def test_a_leak_is_added_from_its_onset_on() -> None:
    """The leak's template reads more after the onset, nothing else changes, and the truth names the leak."""
    chosen = platforms(["snorre"])
    onset = NOW - timedelta(hours=12)
    leaking = sea(leak=placed(chosen, "snorre-w", "W2", 2e-5, onset))
    calm = sea()
    tags = [f"19H-QI___5{n}72" for n in range(1, 5)]
    rises = np.array([everything(leaking, tag).values - everything(calm, tag).values for tag in tags])
    after = everything(calm, tags[0]).times > instant(onset)
    assert np.all(rises[:, ~after] == 0)
    assert rises.min() > -0.002
    assert rises[:, after].max() > 20
    for tag in ("19H-QI___6172", "31AI010A", "SNA-317M-CURRENT-SPEED"):
        assert np.array_equal(everything(leaking, tag).values, everything(calm, tag).values)
    assert leaking.truth["leak"]["point"] == "W2"
    assert leaking.truth["leak"]["template"] == "snorre-w"


def test_the_leak_is_the_simulations(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulation gets the template, the leak and the sea's own currents in metres per second."""
    asked: list[Any] = []

    def stand_in(template: Any, environment: Any, leak: Leak, times: Any) -> Any:
        asked.append((template.id, environment, leak))
        return np.full((len(template.sensors), times.size), 100.0) * (times >= np.datetime64("2026-03-01", "s"))

    monkeypatch.setattr("shared.simulation.simulate", stand_in)
    onset = datetime(2026, 3, 1, tzinfo=UTC)
    leaking, calm = sea(leak=placed(platforms(["snorre"]), "snorre-w", "", 1e-5, onset)), sea()
    difference = everything(leaking, "19H-QI___5172").values - everything(calm, "19H-QI___5172").values
    assert np.allclose(np.unique(np.round(difference, 3)), [0, 100])
    template, environment, leak = asked[0]
    assert (template, leak.rate_kg_s) == ("snorre-w", 1e-5)
    speeds = everything(calm, "SNA-317M-CURRENT-SPEED")
    _, simulated, served = np.intersect1d(environment.times, speeds.times, return_indices=True)
    assert simulated.size > 1000
    assert np.allclose(environment.current_speed[simulated] * 100, speeds.values[served], atol=1e-3)


def test_the_client_reads_the_synthetic_sea() -> None:
    """Through HTTP a 10-minute bucket holds two samples of a sensor and one of the environment."""
    store = sea()
    with running(store) as emulator, OmniaSource(StaticCredential(), emulator.base_url) as source:
        known = source.resolve("SNA", ["19H-QI___5172", "SNA-317M-WAVE-HEIGHT"])
        ids = {tag: one.id for tag, one in known.items()}
        found = source.read([Window(one, NOW - timedelta(days=3), NOW) for one in ids.values()])
    assert [{one.count for one in readings} for readings in found.values()] == [{2}, {1}]
    assert [len(readings) for readings in found.values()] == [431, 431]


def write(path: Path, header: str, rows: list[tuple[str, str]]) -> None:
    """Write a CSV file of times and the rest of the row."""
    path.write_text("\n".join([header, *(f"{moment},{rest}" for moment, rest in rows)]) + "\n")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Give a directory with a sensor that overlaps the currents, one that does not, and strangers."""
    sensor = [("2021-01-01T00:00:00Z", "1e14"), ("2021-05-01T00:00:00Z", "5.0"), ("2021-05-01T02:00:00Z", "-inf")]
    current = [("2021-05-01T00:00:00Z", "90,10"), ("2021-05-01T00:10:00Z", "180,20")]
    write(tmp_path / "snorre_19H-QI___5472_10min.csv", "time,ppmv", sensor)
    write(tmp_path / "snorre_19H-QI___5472_raw.csv", "time,ppmv", [("2021-05-01T00:00:00Z", "77")])
    write(tmp_path / "snorre_19H-QI___6172_raw.csv", "time,ppmv", [("2020-12-01T00:00:30Z", "7.0")])
    write(tmp_path / "snorre_currents_2021.csv", "time,direction_deg,speed_cm_s", current)
    write(tmp_path / "waves.csv", "height_m", [("1.5", "")])
    return tmp_path


def test_files_that_belong_together_move_together(directory: Path) -> None:
    """Sensor and currents that overlap move by one shift, to end now; another file moves by its own."""
    store = recorded(directory, platforms(["snorre"]), fixed(NOW), end=NOW)
    sensor, speed = everything(store, "19H-QI___5472"), everything(store, "SNA-317M-CURRENT-SPEED")
    assert sensor.times[-1] == np.datetime64("2026-03-01T12:00")
    assert speed.times[0] == sensor.times[1]
    assert speed.values.tolist() == [10, 20]
    assert everything(store, "19H-QI___6172").times[-1] == np.datetime64("2026-03-01T12:00:30")
    assert len(store.series) == 4
    assert "waves.csv" not in store.truth["files"]


def test_as_of_moves_nothing_and_hides_what_follows(directory: Path) -> None:
    """As of a moment of the past, times are the file's own and later samples are not there yet."""
    moment = datetime(2021, 5, 1, 0, 5, tzinfo=UTC)
    store = recorded(directory, platforms(["snorre"]), fixed(moment), end=None)
    ids = {series.name: series.id for series in store.series.values()}
    with running(store) as emulator, OmniaSource(StaticCredential(), emulator.base_url) as source:
        windows = [Window(ids[tag], datetime(2021, 5, 1, tzinfo=UTC), NOW) for tag in ids]
        found = source.read([window for window in windows if window.series == ids["19H-QI___5472"]])
    assert [one.value for one in found[ids["19H-QI___5472"]]] == [5.0]


def test_bad_values_are_served_as_recorded(directory: Path) -> None:
    """Sentinels and infinities arrive with good status, as the real exports have them."""
    store = recorded(directory, platforms(["snorre"]), fixed(NOW), end=NOW)
    tag = named(store, "19H-QI___5472").id
    with running(store) as emulator, OmniaSource(StaticCredential(), emulator.base_url) as source:
        readings = source.read([Window(tag, datetime(2025, 1, 1, tzinfo=UTC), NOW + timedelta(minutes=10))])[tag]
    assert [one.value for one in readings] == [1e14, 5.0, -np.inf]
    assert {one.bad_count for one in readings} == {0}


@pytest.mark.parametrize("row", [("2021-05-01T00:00:00Z", "high"), ("yesterday", "1"), ("2021-05-01T00:00:00Z", "")])
def test_an_unreadable_file_is_named(tmp_path: Path, row: tuple[str, str]) -> None:
    """A bad row is refused with its file."""
    write(tmp_path / "snorre_19H-QI___5472_10min.csv", "time,ppmv", [row])
    with pytest.raises(ValueError, match="snorre_19H-QI___5472_10min"):
        recorded(tmp_path, platforms(["snorre"]), fixed(NOW), end=NOW)


def test_what_is_missing_in_a_file_is_not_served(directory: Path) -> None:
    """Empty cells and fill values are no samples: a current of -9999 cm/s was never measured."""
    rows = [
        ("2021-05-01T00:20:00Z", "90,-9999"),
        ("2021-05-01T00:30:00Z", "9.96921e36,30"),
        ("2021-05-01T00:40:00Z", ","),
    ]
    write(directory / "snorre_currents_2021-06.csv", "time,direction_deg,speed_cm_s", rows)
    store = recorded(directory, platforms(["snorre"]), fixed(NOW), end=NOW)
    assert everything(store, "SNA-317M-CURRENT-SPEED").values.tolist() == [10, 20, 30]
    assert everything(store, "SNA-317M-CURRENT-DIRECTION").values.tolist() == [90, 180, 90]


@pytest.mark.statistical
def test_the_real_series_keep_their_relation_to_the_currents() -> None:
    """The real sensor and the currents of the same weeks end together now; other sensors end now too."""
    if not (REAL / "snorre_currents_2021-04.csv").is_file():
        pytest.skip("the real series are not beside this checkout")
    store = recorded(REAL, platforms(), fixed(NOW), end=NOW)
    together = [everything(store, name) for name in ("19H-QI___5472", "SNA-317M-CURRENT-DIRECTION")]
    moved = instant(NOW) - np.datetime64("2021-05-07T15:00:00")
    assert [one.times[-1] for one in together] == [np.datetime64("2026-03-01T12:00")] * 2
    assert together[1].times[0] == np.datetime64("2021-04-05T14:00:00") + moved // GRID * GRID
    assert together[0].values[0] == 1e14
    for series in store.series.values():
        assert store.now() - everything(store, series.name).times[-1] < GRID
