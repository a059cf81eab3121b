"""One moment of a series explained, and one choice of detection made otherwise."""

from pathlib import Path

import numpy as np
import pytest

from bench.detection.__main__ import main
from bench.detection.explain import Explained, explained, words
from bench.detection.rules import RULES
from bench.detection.variants import EVERY, VARIANTS, Variant, half_own, rule_of
from shared.arrays import BUCKET_STEP, Floats, Scores, Times
from shared.detection import Channel, build_baseline, detect
from shared.detection.channels import SCALES
from shared.domain.environment import Environment

DAY = 144
START = np.datetime64("2026-01-01T00:00:00", "s")
LEAK = 22 * DAY


def readings() -> tuple[Times, Floats]:
    """Return 24 days of noise with a tide, and a leak in the last two."""
    index = np.arange(24 * DAY)
    ppmv = 20 + 5 * np.sin(index * 2 * np.pi / 74.5) + np.random.default_rng(1).normal(0, 1, index.size)
    ppmv[LEAK:] += 60 * (1 - np.exp(-np.arange(2 * DAY) / 12))
    return np.asarray(START + index * BUCKET_STEP), ppmv


def write(path: Path) -> Path:
    """Write the series."""
    times, ppmv = readings()
    rows = [f"{time}Z,{value:.4f}" for time, value in zip(times, ppmv, strict=True)]
    path.write_text("\n".join(["time,ppmv", *rows]) + "\n")
    return path


def currents(path: Path) -> Path:
    """Write currents of the last week."""
    rows = [f"{time}Z,{(7 * k) % 360},12" for k, time in enumerate(readings()[0][-7 * DAY :])]
    path.write_text("\n".join(["time,direction_deg,speed_cm_s", *rows]) + "\n")
    return path


def moment(hours: float) -> np.datetime64:
    """Return so many hours after the leak's onset."""
    return np.datetime64(START + (LEAK + int(6 * hours)) * BUCKET_STEP)


def spoken(found: Explained) -> list[str]:
    """Return the lines of the channels that spoke."""
    return [line.split()[0] for line in words(found).splitlines() if line.endswith("spoke")]


def test_a_moment_is_scored_as_the_app_would_after_the_days_before(tmp_path: Path) -> None:
    """The baseline ends 3 days before; the channel that is marked is the one that is stored."""
    found = explained(write(tmp_path / "a.csv"), moment(3))
    times, ppmv = readings()
    baseline = build_baseline(times[: LEAK + 18 - 3 * DAY], np.round(ppmv[: LEAK + 18 - 3 * DAY], 4))
    assert baseline.version == found.baseline.version
    at = int(np.searchsorted(found.found.times, moment(3)))
    assert found.found.score[at] >= 1
    spoke = Channel(int(found.found.raw.channel[at]))
    assert spoken(found) == [spoke.word]
    assert "Critical, score" in words(found)
    assert f"above Critical ({baseline.thresholds[spoke].critical:.2f})" in words(found)
    assert "current      nan  says nothing" in words(found)


def test_a_quiet_moment_says_how_far_below_its_warning_each_channel_is(tmp_path: Path) -> None:
    """With currents the sixth channel speaks, too."""
    found = explained(write(tmp_path / "a.csv"), moment(-5), currents(tmp_path / "currents.csv"))
    lines = words(found).splitlines()
    assert "Ok, score" in lines[0]
    assert [line.split()[0] for line in lines[2:]] == [channel.word for channel in EVERY]
    assert all("below Warning" in line for line in lines[2:])


def test_figures_and_score_are_those_of_the_same_buckets(tmp_path: Path) -> None:
    """From 3 days before the moment on."""
    found = explained(write(tmp_path / "a.csv"), moment(3))
    assert found.figures.level.size == found.found.times.size
    assert found.found.times[0] == moment(3) - np.timedelta64(3, "D")


@pytest.mark.parametrize("told", [False, True])
def test_it_is_printed_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str], told: bool) -> None:
    """A panel for the currents only where there are some."""
    picture = tmp_path / "picture.png"
    arguments = ["--explain", str(write(tmp_path / "a.csv")), "--at", "2026-01-23T04:00:00+01:00"]
    sea = ["--currents", str(currents(tmp_path / "currents.csv"))] if told else []
    assert main([*arguments, "--plot", str(picture), *sea]) == 0
    assert capsys.readouterr().out.startswith("a at 2026-01-23T03:00:00: ")
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("at", "why"), [("2026-01-05", "too little before"), ("2026-03-01", "ends before it"), ("2025-01-01", "too little")]
)
def test_a_moment_that_nothing_is_known_of_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], at: str, why: str
) -> None:
    """With words on why, and no picture."""
    assert main(["--explain", str(write(tmp_path / "a.csv")), "--at", at]) == 2
    assert why in capsys.readouterr().err


def test_the_files_are_not_to_be_mixed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Readings as currents, or the other way round; a moment that is none, or not given."""
    series, sea = str(write(tmp_path / "a.csv")), str(currents(tmp_path / "b.csv"))
    assert main(["--explain", sea, "--at", "2026-01-23"]) == 2
    assert main(["--explain", series, "--at", "2026-01-23", "--currents", series]) == 2
    assert main(["--explain", str(tmp_path / "none.csv"), "--at", "2026-01-23"]) == 2
    for wrong in (
        ["--explain", series],
        ["--explain", series, "--at", "noon"],
        ["--data", series, "--at", "2026-01-23"],
        [],
    ):
        with pytest.raises(SystemExit):
            main(wrong)
    assert "noon is no moment" in capsys.readouterr().err


def score_by(variant: Variant, sea: Environment | None = None) -> Scores:
    """Return a variant's scores of the last two days and the three before them."""
    times, ppmv = readings()
    scorer = rule_of("any", variant).learn(times[: 17 * DAY], ppmv[: 17 * DAY])
    return scorer(times[16 * DAY :], ppmv[16 * DAY :], times[19 * DAY], sea)


def test_variants_are_this_systems_rule_with_one_choice_made_otherwise() -> None:
    """What is called as it is scores as the entry point does; the others are what they are called."""
    times, ppmv = readings()
    baseline = build_baseline(times[: 17 * DAY], ppmv[: 17 * DAY])
    whole = detect(baseline, times[16 * DAY :], ppmv[16 * DAY :], since=times[19 * DAY])
    np.testing.assert_array_equal(score_by(VARIANTS["as it is"]), whole.score)
    np.testing.assert_array_equal(score_by(VARIANTS["without the latch"]), whole.raw.score)
    first = int(np.argmax(whole.raw.score >= 1))
    spoke = Channel(int(whole.raw.channel[first]))
    alone, missing = (score_by(VARIANTS[f"{how}{spoke.word}{end}"]) for how, end in (("", " alone"), ("without ", "")))
    assert alone[first] == whole.raw.score[first]
    assert not missing[first] >= whole.raw.score[first]


def test_a_channel_without_anything_to_go_by_says_nothing_alone() -> None:
    """Of currents that nobody told."""
    assert not (score_by(VARIANTS["current alone"]) > 0.01).any()
    assert (score_by(VARIANTS["level alone"])[3 * DAY + 30 :] >= 1).all()


def test_what_variants_share_is_worked_out_anew_for_other_readings() -> None:
    """They are asked one after the other with the same, then with the next."""
    times, ppmv = readings()
    learnt = [rule_of(name, VARIANTS[name]).learn(times[: 17 * DAY], ppmv[: 17 * DAY]) for name in VARIANTS]
    quiet = times[16 * DAY : LEAK], ppmv[16 * DAY : LEAK], times[19 * DAY]
    leaking = times[19 * DAY :], ppmv[19 * DAY :], times[LEAK]
    for given in (quiet, leaking, quiet):
        found = [scorer(*given) for scorer in learnt]
        np.testing.assert_array_equal(found[0], RULES[0].learn(times[: 17 * DAY], ppmv[: 17 * DAY])(*given))


def test_half_of_a_scale_is_the_sensors_own() -> None:
    """By one factor for the figure and its growth; what the baseline cannot say stays."""
    times, ppmv = readings()
    scales = half_own(build_baseline(times[: 20 * DAY], ppmv[: 20 * DAY]))
    for channel, pooled in SCALES.items():
        factor = scales[channel].monthly / pooled.monthly
        assert scales[channel].growth / pooled.growth == pytest.approx(factor)
        assert (factor == 1) == (channel == Channel.CURRENT)
    assert half_own(build_baseline(times[: 3 * DAY], ppmv[: 3 * DAY])) == SCALES
