"""Would it be found: by the sensors' own baselines in the newest currents; what is not known is not found."""

from datetime import timedelta

import numpy as np
import pytest

from shared.detection import detect
from shared.domain.deviation import Level
from shared.domain.leak import Leak, Release
from shared.domain.tsd import SLOTS, to_datetime
from shared.errors import InvalidInput, NotFound
from shared.simulation import simulate
from shared.usecases.queries.leak_detection import LeakDetection, LeakDetections
from tests.support.examples import DAY, at, history, noise, quiet_baseline
from tests.support.fakes import FakeClock, World
from tests.support.tidal_world import DAYS, NOW, TEMPLATE, world

RELEASE = Release(x=0.0, y=1.0, z=2.0, rate_kg_s=1e-4)


def use_case(one: World) -> LeakDetections:
    """Return the use case half an hour after the last day."""
    return LeakDetections(
        lake=one.lake,
        registry=one.registry,
        baselines=one.baselines,
        clock=FakeClock(NOW),
        period=timedelta(days=DAYS),
    )


def told(release: Release = RELEASE, baselines: int = 2, measured_days: int = DAYS) -> LeakDetection:
    """Return what is told of a release."""
    return use_case(world(baselines, measured_days)).run("troll-a", release)


def chance(found: LeakDetection, level: Level, hours: int) -> float:
    """Return the probability of a level within hours."""
    (one,) = [one for one in found.chances if (one.level, one.within) == (level, timedelta(hours=hours))]
    return one.probability


def test_a_strong_leak_is_found_soon_and_a_tiny_one_is_not() -> None:
    """Nearly always within the day, and never; a Warning no rarer than a Critical, a longer wait no worse."""
    strong, tiny = told(), told(RELEASE.model_copy(update={"rate_kg_s": 1e-12}))
    assert chance(strong, Level.CRITICAL, 24) > 0.9
    assert strong.chances[0].median_delay is not None
    assert strong.chances[0].median_delay < timedelta(hours=12)
    assert {one.probability for one in tiny.chances} == {0.0}
    assert {one.median_delay for one in tiny.chances} == {None}
    middling = told(RELEASE.model_copy(update={"rate_kg_s": 3e-7}))
    for hours in (6, 24, 72):
        assert chance(middling, Level.WARNING, hours) >= chance(middling, Level.CRITICAL, hours)
    assert (
        chance(middling, Level.WARNING, 6) < chance(middling, Level.WARNING, 24) < chance(middling, Level.WARNING, 72)
    )


@pytest.mark.parametrize(("rate", "lowest", "highest"), [(2e-5, 0.9, 1.0), (1e-9, 0.0, 0.1)])
def test_the_detector_agrees(rate: float, lowest: float, highest: float) -> None:
    """Leaks put into readings like the baseline's become Critical within a day as often as was told, nearly."""
    here = use_case(world())
    foretold = chance(here.run("troll-a", RELEASE.model_copy(update={"rate_kg_s": rate})), Level.CRITICAL, 24)
    record = here.registry.platform("troll")
    sea = here._sea(record, TEMPLATE, at(DAY), at(DAY, 24 * DAYS))
    found = []
    for number, start in enumerate(range(2 * SLOTS, 4 * SLOTS, 36)):
        stamps = sea.times[start - 2 * SLOTS : start + SLOTS]
        leak = Leak(x=0.0, y=1.0, z=2.0, rate_kg_s=rate, onset=to_datetime(sea.times[start]))
        added = simulate(TEMPLATE, sea, leak, stamps)
        levels = [
            detect(quiet_baseline(), stamps, noise(10 * number + row, stamps.size) + added[row]).level[2 * SLOTS :]
            for row in range(2)
        ]
        found.append(bool((np.array(levels) == Level.CRITICAL).any()))
    for share in (foretold, float(np.mean(found))):
        assert lowest <= share <= highest


def test_a_sensor_without_a_baseline_finds_nothing_and_is_named() -> None:
    """The other one alone finds less."""
    both, one = told(), told(baselines=1)
    assert both.blind == ()
    assert one.blind == ("troll-a-2",)
    assert chance(one, Level.WARNING, 24) <= chance(both, Level.WARNING, 24)


@pytest.mark.parametrize(
    ("baselines", "measured_days", "words"),
    [
        (0, DAYS, "no sensor of troll-a has a baseline"),
        (2, 2, "the current was not measured for 72 h on end in the last 6 days"),
    ],
)
def test_what_is_not_known_is_said_in_words(baselines: int, measured_days: int, words: str) -> None:
    """Without baselines or currents there is no chance at all, and no leak counts as found."""
    found = told(baselines=baselines, measured_days=measured_days)
    assert found.unknown.startswith(words)
    assert (found.chances, found.moments) == ((), 0)


def test_the_hours_currents_are_read_once() -> None:
    """A second leak at the same template reads nothing of the lake, and is answered the same as by a new process."""
    one = world()
    here = use_case(one)
    here.run("troll-a", RELEASE)
    one.lake.read = None  # type: ignore[assignment, method-assign]
    other = RELEASE.model_copy(update={"x": 2.0})
    assert here.run("troll-a", other) == use_case(world()).run("troll-a", other)


def test_a_new_baseline_counts_at_once() -> None:
    """What is remembered of a sensor is of the version in use."""
    one = world(baselines=0)
    here = use_case(one)
    assert here.run("troll-a", RELEASE).unknown
    sensor = TEMPLATE.sensors[0]
    one.baselines.put(sensor.id, quiet_baseline())
    etag = one.registry.set_history(TEMPLATE, sensor, history(sensor.id, quiet_baseline().version, DAY), None)
    quiet = here.run("troll-a", RELEASE.model_copy(update={"rate_kg_s": 1e-6}))
    louder = quiet_baseline(seed=3, days=12)
    one.baselines.put(sensor.id, louder)
    one.registry.set_history(TEMPLATE, sensor, history(sensor.id, louder.version, DAY), etag)
    assert here.run("troll-a", RELEASE.model_copy(update={"rate_kg_s": 1e-6})) != quiet


def test_what_cannot_be_is_refused() -> None:
    """A place outside, and a template that is not there."""
    with pytest.raises(InvalidInput, match="outside"):
        told(RELEASE.model_copy(update={"x": 90.0}))
    with pytest.raises(NotFound):
        use_case(world()).run("troll-b", RELEASE)
