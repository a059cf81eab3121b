"""Telemetry: what runs say of themselves is found by its words, its fields and its operation."""

import logging
import re
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest

from functions.invocation import invocation
from shared.domain.baseline_request import BaselineRequest
from shared.domain.incident import CriticalMessage
from shared.domain.tsd import PlausibleRange, Reading, SeriesDay
from shared.domain.validation import parse
from shared.errors import InvalidInput, SourceError
from shared.telemetry import in_context, log_event, operation, operation_id, told_apart
from tests.support.examples import NOW, at
from tests.support.fakes import World
from tests.support.http_calls import Context
from tests.usecases.detection.test_detect import lake_days, put, run, world
from tests.usecases.ingestion.test_ingest import ingest, source

FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^\s"]+)')
ONE, OTHER = "1" * 32, "2" * 32
SENSORS = ("troll-a-1", "troll-a-2")


def lines(caplog: pytest.LogCaptureFixture, what: str) -> list[Mapping[str, str]]:
    """Return the fields of all lines that begin with these words."""
    return [dict(FIELD.findall(one)) for one in caplog.messages if one.startswith(what + " ")]


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_a_line_is_words_fields_and_operation(caplog: pytest.LogCaptureFixture) -> None:
    """A field with blanks stands in quotes, a number is as short as it can be."""
    with operation(ONE):
        log_event(logging.getLogger("x"), "something happened", sensor="troll-a-1", why='a "b" c', seconds=1.23456789)
    expected = f'something happened sensor=troll-a-1 why="a \\"b\\" c" seconds=1.23457 operation={ONE}'
    assert caplog.messages == [expected]


def test_the_first_id_that_is_one_counts() -> None:
    """What a blob's metadata say is not believed blindly; outside of an operation there is none."""
    with operation(None, "", "not an id", ONE, OTHER):
        assert operation_id() == ONE
        with operation(OTHER):
            assert operation_id() == OTHER
        with operation(""):
            assert operation_id() == ONE
    assert operation_id() == ""
    with operation("not an id"):
        assert re.fullmatch("[0-9a-f]{32}", operation_id())


def test_an_operation_is_its_threads_own() -> None:
    """Two invocations in one worker do not mix."""
    seen: dict[str, str] = {}

    def work(name: str) -> None:
        with operation(name):
            ready.wait()
            seen[name] = operation_id()

    ready = threading.Barrier(2)
    threads = [threading.Thread(target=work, args=(name,)) for name in (ONE, OTHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {ONE: ONE, OTHER: OTHER}


def test_a_thread_that_work_is_carried_to_says_which_invocation_it_is_part_of() -> None:
    """The platform throws away what other threads log; the worker looks into a variable of the thread."""
    context = Context()
    context.thread_local_storage = threading.local()  # type: ignore[assignment]
    context.trace_context = SimpleNamespace(trace_parent=f"00-{ONE}-{'3' * 16}-01")  # type: ignore[assignment]

    def seen() -> tuple[str, str]:
        return operation_id(), getattr(context.thread_local_storage, "invocation_id", "")

    with ThreadPoolExecutor(1) as pool:
        with invocation(context), operation(""):
            assert pool.submit(in_context(seen)).result() == (ONE, "an-id")
            assert pool.submit(in_context(seen)).result() == (ONE, "an-id")
        assert pool.submit(operation_id).result() == ""


def test_a_run_of_ingest_says_what_came_how_late_and_how_bad_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """The second run's overlap is not counted again; threads of the run keep its operation."""
    omnia = source()
    for moment in sorted(omnia.readings["TAG-a-1"])[-3:]:
        omnia.readings["TAG-a-1"][moment] = Reading(moment, 99_999.0, 1)
    target = World()
    with operation(ONE):
        ingest(target, omnia).run()
        ingest(target, omnia).run()
    first, second = lines(caplog, "template ingested")
    assert (first["template"], first["bad"], first["lag_s"], first["operation"]) == ("troll-a", "3", "0", ONE)
    assert int(first["samples"]) == sum(len(one) for one in omnia.readings.values())
    assert (second["samples"], second["bad"], second["blobs_written"]) == ("0", "0", "0")


def test_an_error_of_omnia_is_told_by_name(caplog: pytest.LogCaptureFixture) -> None:
    """The line says which template, and what OMNIA said."""
    omnia = source()
    omnia.failure = SourceError("OMNIA POST /query for troll-a: status 500")
    with pytest.raises(SourceError):
        ingest(World(), omnia).run()
    (failed,) = lines(caplog, "OMNIA failed")
    assert failed["template"] == "troll-a"
    assert failed["why"] == '"OMNIA POST /query for troll-a: status 500"'


def test_a_scored_day_is_told_by_level_and_a_new_level_by_sensor(caplog: pytest.LogCaptureFixture) -> None:
    """Counts add up to the samples; what was scored before is not counted again."""
    target = world()
    put(target, lake_days())
    days = [one.day for one in lake_days()]
    run(target, *days)
    logged = lines(caplog, "day scored")
    counted = {level: sum(int(one[level]) for one in logged) for level in ("undefined", "ok", "warning", "critical")}
    rows = target.deviations.cells.values().values()
    assert sum(counted.values()) == sum(row.level.size for row in rows)
    assert counted["critical"] > 0
    assert {one["sensor"]: one["level"] for one in lines(caplog, "level changed")} == dict.fromkeys(SENSORS, "Ok")
    (opened,) = lines(caplog, "incident opened")
    assert opened["template"] == "troll-a"
    caplog.clear()
    run(target, *days)
    assert all(one["rows"] == "0" for one in lines(caplog, "day scored"))
    assert not lines(caplog, "incident opened")
    assert not lines(caplog, "level changed")


def test_messages_carry_only_ids_of_operations() -> None:
    """A message of an older version has none; one that is no id is refused."""
    text = '{"schema": 1, "platform": "troll", "template": "troll-a"%s}'
    assert parse(BaselineRequest, text % "", "message").operation == ""
    assert parse(BaselineRequest, text % f', "operation": "{ONE}"', "message").operation == ONE
    with pytest.raises(InvalidInput, match="operation"):
        parse(BaselineRequest, text % ', "operation": "x y"', "message")
    assert CriticalMessage.model_fields["operation"].default == ""


def test_only_what_is_new_in_a_day_is_counted() -> None:
    """A value that was there, and a bad bucket that was known, are no news."""
    plausible, day = PlausibleRange(0, 100), at(NOW.date())
    empty = SeriesDay(tag="T", unit="ppmv", until=day)
    readings = [Reading(day + n * timedelta(minutes=10), value, 1) for n, value in enumerate([1.0, 2.0, 500.0])]
    held = empty.merged(readings[:2], day, plausible)
    full = held.merged(readings, day, plausible)
    assert held.news(None) == held.news(empty) == (2, 0)
    assert full.news(held) == (1, 1)
    assert full.news(full) == (0, 0)


def test_lines_of_a_proof_test_are_no_lines_of_what_is_real(caplog: pytest.LogCaptureFixture) -> None:
    """Also in the threads that its work is carried to, and only as long as it lasts."""
    logger = logging.getLogger("shared.test")
    with told_apart("proof test"), ThreadPoolExecutor(1) as pool:
        log_event(logger, "incident opened", template="proof-a")
        pool.submit(in_context(lambda: log_event(logger, "incident opened", template="proof-b"))).result()
    log_event(logger, "incident opened", template="troll-a")
    assert [one["template"] for one in lines(caplog, "incident opened")] == ["troll-a"]
    assert [one["template"] for one in lines(caplog, "proof test: incident opened")] == ["proof-a", "proof-b"]
