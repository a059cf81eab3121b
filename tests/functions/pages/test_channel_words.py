"""What a sensor's level rests on, as its page says it: by the numbers that were scored."""

import re
from dataclasses import fields
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.pages.channel_words import QUESTIONS, channel_rows, rests_on
from shared.detection import Baseline, Fault
from shared.detection.channels import Channel, Threshold, score_of
from shared.domain.deviation import Latest, Level
from shared.domain.tsd import BUCKET
from shared.ports import PlatformRecord, StoredHistory
from shared.usecases.queries.channels import channel_of, channel_word, channel_words, figure_of
from shared.usecases.queries.template_status import SensorStatus, status_of
from tests.support.examples import (
    DAY,
    NOW,
    document,
    history,
    noise,
    platform,
    quiet_baseline,
    read_until,
    template,
)
from tests.support.fakes import World

TEMPLATE = template()
SENSOR = TEMPLATE.sensors[0]
COURSE = r"\(course: 1\.83, where Warning is 6\.10 and Critical 7\.50\)"
OVER = r"It is over when the hourly mean has stayed low for more than 8 h; hours in which .* do not count\."


class RoundBaseline(Baseline):
    """A baseline with round thresholds: words do not change with what is measured."""

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Of some channels."""
        return (
            Threshold(Channel.COURSE, 6.1, 7.5),
            Threshold(Channel.SUDDEN, 15.0, 21.0),
            Threshold(Channel.RELEASE, 6.9, 8.1),
        )


def baseline() -> Baseline:
    """Return the baseline of a sensor that reads about 10 ppmv, and 13.1 ppmv at most."""
    known = quiet_baseline()
    return RoundBaseline(**{one.name: getattr(known, one.name) for one in fields(known)})


def status(level: Level, *, minutes: int = 10, **said: Any) -> SensorStatus:
    """Return the first sensor's status, whose newest sample said this so many minutes ago."""
    latest = Latest(at=NOW - timedelta(minutes=minutes), since=NOW - timedelta(hours=2), level=level, **said)
    stored = {one.id: StoredHistory(history(one.id, "v", DAY), "t") for one in TEMPLATE.sensors}
    record = PlatformRecord(
        platform(TEMPLATE),
        ingested={TEMPLATE.id: read_until(TEMPLATE, NOW)},
        stored=stored,
        latest={SENSOR.id: latest},
    )
    return status_of(record, TEMPLATE, NOW, None, None).sensors[0]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            status(Level.WARNING, score=1.5, raw=1.5, channel=Channel.COURSE),
            r"Rests on course: 6\.80, where Warning is 6\.10 and Critical 7\.50\.",
        ),
        (
            status(Level.OK, score=0.5, raw=0.5, channel=Channel.RELEASE),
            r"Nearest to an alarm is release: 3\.45, where Warning is 6\.90 and Critical 8\.10\.",
        ),
        (
            status(Level.CRITICAL, score=4.0, raw=4.0, channel=Channel.SUDDEN),
            r"Rests on sudden: 33\.0, where Warning is 15\.0 and Critical 21\.0\.",
        ),
    ],
)
def test_a_level_rests_on_its_channels_figure(found: SensorStatus, words: str) -> None:
    """The figure is told on the channel's own scale, below Warning, between the two, and above."""
    assert re.fullmatch(words, rests_on(found, baseline()))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            status(Level.CRITICAL, score=2.0, raw=0.3, channel=Channel.COURSE),
            rf"Held at Critical: nothing raises it any more {COURSE}\. {OVER}",
        ),
        (
            status(Level.WARNING, score=1.0, raw=0.3, channel=Channel.COURSE),
            rf"Held at Warning: nothing raises it any more {COURSE}\. {OVER}",
        ),
        (
            status(Level.CRITICAL, score=2.0, raw=1.5, channel=Channel.COURSE),
            rf"Held at Critical: what speaks now is a Warning \(course: 6\.80, .*\)\. {OVER}",
        ),
        (status(Level.CRITICAL, score=2.0), rf"Held at Critical: nothing raises it any more\. {OVER}"),
    ],
)
def test_a_level_that_is_held_is_said_to_be(found: SensorStatus, words: str) -> None:
    """What the channels say by now stands beside it, where they say anything."""
    assert re.fullmatch(words, rests_on(found, baseline()))


def test_an_ok_after_an_alarm_says_why_it_is_one() -> None:
    """The channels still see the alarm; the figure above Warning would contradict the level."""
    found = status(Level.OK, score=0.99, raw=5.0, channel=Channel.RELEASE)
    assert re.fullmatch(
        r"Detection still sees an alarm that has ended \(release: 11\.7, where Warning is 6\.90 and Critical 8\.10\)\. "
        r"For 40 h that counts only where the readings are high again, or rise\.",
        rests_on(found, baseline()),
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            status(Level.CRITICAL, score=7.9, raw=7.9, ppmv=42.0, channel=Channel.LEVEL),
            "The reading is beyond everything in its history (42.0 ppmv; history up to 13.1 ppmv).",
        ),
        (
            status(Level.CRITICAL, score=7.9, raw=7.9, channel=Channel.LEVEL),  # the reading before, held
            "The reading is beyond everything in its history (history up to 13.1 ppmv).",
        ),
        (
            status(Level.OK, score=0.3, raw=0.3, ppmv=11.0, channel=Channel.LEVEL),
            "Nearest to an alarm is level: 11.0 ppmv, where its history reaches 13.1 ppmv.",
        ),
        (
            status(Level.OK, score=0.3, raw=0.3, channel=Channel.LEVEL),
            "Nearest to an alarm is level: its last reading, where its history reaches 13.1 ppmv.",
        ),
        (
            status(Level.UNDEFINED, raw=0.8, ppmv=16.0, channel=Channel.COURSE),
            "The reading is beyond everything in its history (16.0 ppmv; history up to 13.1 ppmv).",
        ),
    ],
)
def test_a_reading_is_held_against_its_history(found: SensorStatus, words: str) -> None:
    """In ppmv; also where that is why nobody can say that it is Ok."""
    assert rests_on(found, baseline()) == words


@pytest.mark.parametrize(
    "found",
    [
        status(Level.OK, score=0.5),  # an older release wrote it
        status(Level.WARNING, score=1.3, raw=1.3),  # another engine scored it
        status(Level.OK, score=0.5, raw=0.5, channel=99),  # a newer one
        status(Level.UNDEFINED, ppmv=11.0),
        status(Level.UNDEFINED, ppmv=99.0, fault=int(Fault.NOISY)),  # the fault is why
        status(Level.OK, minutes=60, score=0.5, raw=0.5, channel=Channel.COURSE),  # nobody watches: it is no Ok
    ],
)
def test_nothing_is_said_where_nothing_is_known(found: SensorStatus) -> None:
    """Rather than something that may be wrong."""
    assert rests_on(found, baseline()) == ""


def test_without_a_baseline_there_are_no_figures() -> None:
    """Which channel spoke is known all the same."""
    found = status(Level.WARNING, score=1.5, raw=1.5, channel=Channel.COURSE)
    assert rests_on(found, None) == "Rests on course."
    assert rests_on(status(Level.UNDEFINED, ppmv=99.0), None) == ""


def test_a_scored_leak_is_told_by_its_own_numbers() -> None:
    """From the readings on: the figure of the sentence, scored again, is the stored score."""
    world = World()
    world.registry.add(platform(TEMPLATE))
    for one in TEMPLATE.sensors:
        world.baselines.put(one.id, quiet_baseline())
        world.registry.histories.set(one.id, history(one.id, quiet_baseline().version, DAY))
    ppmv = noise(1)
    ppmv[100:] += 6
    world.lake.cells.set((TEMPLATE.id, DAY), document(TEMPLATE, DAY, s1=ppmv, s2=noise(2)))
    world.detect.run("troll", TEMPLATE.id, DAY)
    record = world.registry.record(TEMPLATE.id)
    latest = record.latest[SENSOR.id]
    found = status_of(record, TEMPLATE, latest.at + BUCKET, None, None).sensors[0]
    told = re.fullmatch(
        r"Rests on (\w+): ([\d.]+), where Warning is ([\d.]+) and Critical ([\d.]+)\.",
        rests_on(found, quiet_baseline()),
    )
    assert told is not None
    figure, warning, critical = map(float, told.groups()[1:])
    assert latest.level is Level.CRITICAL
    assert told[1] == channel_word(latest.channel)
    assert 1 + (figure - warning) / (critical - warning) == pytest.approx(latest.raw, rel=0.05)


@given(st.sampled_from(baseline().thresholds), st.floats(0, 100))
def test_a_figure_is_computed_back_from_its_score(threshold: Any, figure: float) -> None:
    """As the channels scored it, below Warning and above."""
    scores, _ = score_of([np.array([figure])], [threshold])
    assert figure_of(float(scores[0]), threshold) == pytest.approx(figure, rel=1e-5, abs=1e-6)


def test_every_channel_says_what_it_asks() -> None:
    """In the table of a sensor's page, with the figures from which on it raises an alarm."""
    assert QUESTIONS.keys() == set(Channel) - {Channel.NONE}
    rows = {one.word: one for one in channel_rows(baseline())}
    assert [*rows] == ["course", "sudden", "release", "level"]
    assert {one.word for one in channel_rows(quiet_baseline())} == {one.word for one in QUESTIONS}
    assert rows["course"][1:] == ("Do the last 40 h look like a steady, growing or tidal release?", "6.10", "7.50")
    known = baseline().range
    scores = known.scores(
        np.array([float(rows["level"][n].removesuffix("\N{NO-BREAK SPACE}ppmv")) for n in (2, 3)]), np.array([True])
    )
    assert scores == pytest.approx([1.0, 2.0], abs=0.02)


def test_numbers_are_channels_by_word() -> None:
    """A number that only another release knows is none, alone as in a column."""
    assert channel_words(np.array([-1, 1, 5, 6, 127, -2, 0], np.int8)) == [
        *(None, "course", "level", None, None, None, "profile")
    ]
    assert channel_words(np.zeros(0, np.int8)) == []
    assert [channel_of(number) for number in (2, -1, 77)] == [Channel.SUDDEN, Channel.NONE, Channel.NONE]
