"""The demo's parts: what a later live run serves, who may use a storage, and the line that a tick prints."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local import demo
from local.demo_report import DemoError, DemoReport, next_tick, tick_line
from shared.domain.tsd import iso

NOW = datetime(2026, 3, 5, 12, 3, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The demo's clock; ``clock.now`` is what it reads."""

    class Clock(datetime):
        moment = NOW

        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return cls.moment.astimezone(tz)

    monkeypatch.setattr(demo, "datetime", Clock)
    return Clock


def given(scenario: demo.Scenario) -> dict[str, str]:
    """Return what the emulator is told, by option."""
    return dict(zip(scenario.emulator[::2], scenario.emulator[1::2], strict=True))


def test_a_later_live_run_serves_the_sea_that_the_first_one_began(clock: Any, tmp_path: Path) -> None:
    """The leak begins when it did, and the readings reach back to the same day, however much later."""
    options = argparse.Namespace(data=None)
    first = given(demo.live(options, tmp_path))
    clock.moment = NOW + timedelta(days=60)
    later = given(demo.live(options, tmp_path))
    assert first["--leak-onset"] == later["--leak-onset"] == iso(NOW - timedelta(hours=40))
    assert (int(first["--days"]), int(later["--days"])) == (40, 100)


def test_recorded_series_stay_where_the_first_live_run_moved_them(clock: Any, tmp_path: Path) -> None:
    """They would tell otherwise of the same moments."""
    options = argparse.Namespace(data=tmp_path)
    first = given(demo.live(options, tmp_path))
    clock.moment = NOW + timedelta(days=2)
    assert given(demo.live(options, tmp_path)) == first
    assert first["--moved-to"] == iso(NOW)


def test_a_live_storage_of_another_story_is_refused(clock: Any, tmp_path: Path) -> None:
    """Also one of which nothing says what it holds; nothing is deleted unasked."""
    demo.live(argparse.Namespace(data=None), tmp_path)
    with pytest.raises(DemoError, match="holds another demo; run it with FRESH=1"):
        demo.live(argparse.Namespace(data=tmp_path), tmp_path)
    (tmp_path / "story.json").unlink()
    (tmp_path / "storage").mkdir()
    with pytest.raises(DemoError, match=r"nobody knows what .* holds; run it with FRESH=1"):
        demo.live(argparse.Namespace(data=None), tmp_path)


def test_a_storage_is_of_one_run_at_a_time(tmp_path: Path) -> None:
    """Also where the second one would begin anew; afterwards it is free again."""
    with (
        demo._alone(tmp_path / "live"),
        pytest.raises(DemoError, match="another run uses"),
        demo._alone(tmp_path / "live"),
    ):
        pass
    with demo._alone(tmp_path / "live"):
        pass


@pytest.mark.parametrize(
    ("now", "tick"),
    [("12:00:00", "12:00:25"), ("12:00:25", "12:10:25"), ("12:03:00", "12:10:25"), ("23:59:00", "00:00:25")],
)
def test_a_tick_follows_each_ten_minutes(now: str, tick: str) -> None:
    """Once ingest has begun."""
    found = next_tick(datetime.fromisoformat(f"2026-03-05T{now}Z"))
    assert f"{found:%H:%M:%S}" == tick


def test_the_line_of_a_tick_says_how_all_is() -> None:
    """Up to when was read, how many sensors are watched, and their levels, the worst first; also of none."""
    health = {"templates": [{"ingestedUntil": None}, {"ingestedUntil": "2026-03-05T12:00:00Z"}]}
    sensors = [
        {"unwatched": None, "latest": {"level": "Ok"}},
        {"unwatched": None, "latest": {"level": "Critical"}},
        {"unwatched": {"why": "never read"}, "latest": None},
    ]
    assert tick_line(NOW, health, sensors) == (
        "2026-03-05T12:03:00Z: read up to 2026-03-05T12:00:00Z, 2 of 3 sensors watched: 1 Critical, 1 Ok, 1 Undefined"
    )
    assert (
        tick_line(NOW, {"templates": []}, [])
        == "2026-03-05T12:03:00Z: nothing was read yet, 0 of 0 sensors watched: none"
    )


class Answers(DemoReport):
    """A report on a host that has read nothing."""

    def get(self, path: str) -> Any:
        """Return what the API says of it."""
        return {"templates": []} if path == "health" else {"items": []}


class Ended(Exception):
    """The test's way out of a report that never ends."""


def test_each_tick_prints_a_line_also_where_work_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the tick's work, or what of it is not done by the next one; nothing is silent."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        if len(waits) == 2:
            raise Ended
        waits.append(seconds)

    class Host:
        def wait_idle(self, patience: float) -> None:
            assert patience < 600
            if len(waits) == 2:
                raise TimeoutError

    monkeypatch.setattr("local.demo_report.time.sleep", sleep)
    report: Any = Answers(Host(), None, "", 0.0)  # type: ignore[arg-type]
    with pytest.raises(Ended):
        report.ticks()
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("0 of 0 sensors watched: none")
    assert second.endswith("none; still busy, see host.log")
    assert all(0 < seconds <= 600 for seconds in waits)


def test_the_story_of_a_storage_says_when_it_was_begun(clock: Any, tmp_path: Path) -> None:
    """In the folder, beside what is stored."""
    demo.live(argparse.Namespace(data=None), tmp_path)
    assert json.loads((tmp_path / "story.json").read_text())["present"] == iso(NOW)
