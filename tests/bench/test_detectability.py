"""The bench of what templates can see: figures with known answers, sensors elsewhere, and the command."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import bench.detectability.__main__ as command
from bench.detectability import views
from bench.detectability.__main__ import main
from bench.detectability.check import Located, Noticed, figures, spearman
from bench.detectability.views import columns, drawn, sensitivities_of, variants
from bench.estimation import sites
from shared.detection.sensitivity import Sensitivity
from shared.errors import InvalidInput


def test_rank_correlation_has_known_values() -> None:
    """1 for what rises together, -1 for what does not, nothing of two."""
    first = np.array([1.0, 5.0, 2.0, 9.0])
    assert spearman(first, np.exp(first)) == pytest.approx(1)
    assert spearman(first, -first) == pytest.approx(-1)
    assert np.isnan(spearman(first[:2], first[:2]))


def test_figures_are_those_of_their_leaks() -> None:
    """Of two leaks one is noticed at the rate foretold for half of them; one is located twice as far off."""
    noticed = [Noticed((1e-7, 1e-6, 1e-5), 5e-7), Noticed((1e-7, 1e-6, 1e-5), 2e-6)]
    found = figures(noticed, [Located(1.0, 2.0), Located(1.0, None)])
    assert [one["value"] for one in found["noticed"]] == [0.0, 0.5, 1.0]
    assert found["rate_bias_ln"] == pytest.approx(0.0, abs=1e-9)
    assert (found["located"], found["reported"], found["actual_median_m"]) == (2, 1, 2.0)


def test_sensors_are_moved_or_added_and_nothing_else() -> None:
    """Every variant is a template of the same place with as many sensors or one more, at two heights but one."""
    template = sites.drawn("open", np.random.default_rng(1))
    found = variants(template)
    assert found["as it is"] is template
    for one in found.values():
        ids = [sensor.id for sensor in one.sensors]
        assert len(set(ids)) == len(ids)
        assert len(ids) - len(template.sensors) in (0, 1)
    assert sum(len({sensor.z for sensor in one.sensors}) == 2 for one in found.values()) == len(found) - 2


def test_a_column_of_cells_is_its_median() -> None:
    """Heights come together, and where there is no cell there is nothing."""
    at = np.array([[0.0, 0, 1], [0, 0, 2], [0, 0, 3], [1, 5, 1]])
    x, y, table = columns(at, np.array([1.0, 7.0, 2.0, 4.0]))
    assert (x.tolist(), y.tolist()) == ([0, 1], [0, 5])
    np.testing.assert_array_equal(table, [[2.0, np.nan], [np.nan, 4.0]])


def test_sensors_are_as_sensitive_as_those_recorded(tmp_path: Path) -> None:
    """A folder of baselines says how sensitive; one without any is refused."""
    with pytest.raises(InvalidInput, match="no series"):
        sensitivities_of(tmp_path)
    rng = np.random.default_rng(4)
    at = np.datetime64("2021-04-01T00:00:00") + np.arange(20 * 144) * np.timedelta64(600, "s")
    rows = [f"{one}Z,{50 + rng.normal():.3f}" for one in at]
    (tmp_path / "field_tag_10min.csv").write_text("\n".join(["time,ppmv", *rows]) + "\n")
    (only,) = sensitivities_of(tmp_path)
    assert only.spread_ppmv == pytest.approx(1.0, rel=0.1)
    assert drawn((only,), 3, rng) == (only,) * 3
    assert drawn((), 1, rng) == (Sensitivity(6.0, 1.2),)


@pytest.mark.slow
def test_the_command_prints_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures of the template as it is and otherwise, how well they hold, and a picture; of few draws."""
    monkeypatch.setattr(views, "DRAWS", 1)
    monkeypatch.setattr(command, "variants", lambda template: dict(islice(variants(template).items(), 2)))
    monkeypatch.setattr(command, "LOCATED_PER_TASK", 1)
    assert main(["--leaks", "1", "--plot", str(tmp_path / "seen.png")]) == 0
    printed = capsys.readouterr().out
    assert "one sensor lowered to" in printed
    assert "truly noticed" in printed
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")


def test_files_that_cannot_be_used_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there ends with an error, not a trace."""
    assert main(["--readings", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
