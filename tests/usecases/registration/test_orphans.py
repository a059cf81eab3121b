"""What is deleted while work for it is under way: the work is done with it, and nothing of it stays."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from shared.domain.deviation import DeviationDay
from shared.domain.event import (
    Event,
    bad_values,
    corrupt_baseline,
    fault_changed,
    not_watched,
    note,
    series_left_out,
    unknown_series,
)
from shared.domain.tsd import ONE_DAY, start_of
from shared.errors import HasData, LeakDetectionError, NotFound
from shared.ports import ETag
from shared.usecases.lookup import unless_gone
from shared.usecases.registration.orphans import RemoveOrphans
from shared.usecases.registration.registrations import Registrations
from shared.usecases.registration.stored_data import StoredData
from shared.usecases.telling import half_told
from tests.support.examples import DAY, NOW, document, history, noise, platform, quiet_baseline, statements, template
from tests.support.fakes import Crash, FakeDeviations, World

A, B = template(slug="a"), template(slug="ab")
ONE, TWO = (one.id for one in A.sensors)


def world() -> World:
    """Return a world with two templates whose ids begin alike, and a day with a leak at the first one's sensors."""
    new = World()
    new.registry.add(platform(A, B))
    risen = noise(1)
    risen[100:] += 60
    for one in (A, B):
        for sensor in one.sensors:
            new.baselines.put(sensor.id, quiet_baseline())
            new.registry.histories.set(sensor.id, history(sensor.id, quiet_baseline().version, DAY))
        new.lake.cells.set((one.id, DAY), document(one, DAY, s1=risen if one is A else noise(2), s2=noise(3)))
    return new


def registrations(target: World) -> Registrations:
    """Return the use case on the world."""
    contents = StoredData(
        lake=target.lake,
        baselines=target.baselines,
        deviations=target.deviations,
        marks=target.marks,
        incidents=target.incidents,
        estimations=target.estimations,
        statements=target.statements,
        proof_tests=target.proof_tests,
        events=target.events,
    )
    return Registrations(registry=target.registry, contents=contents)


def clean(target: World) -> None:
    """Do what the daily run does."""
    RemoveOrphans(
        registry=target.registry,
        deviations=target.deviations,
        of_sensors=(target.deviations, target.baselines),
        of_templates=(target.estimations, target.incidents, target.statements, target.proof_tests),
        events=target.events,
    ).run()


def scored(target: World, one: str = A.id) -> None:
    """Score the day as the trigger does."""
    with unless_gone(target.registry, "troll", one):
        target.detect.run("troll", one, DAY)


class DeletedMeanwhile(FakeDeviations):
    """Deviations to which a run writes after what it writes of was deleted."""

    delete: Callable[[], None] | None = None

    def put(self, row: DeviationDay, etag: ETag) -> str:
        delete, self.delete = self.delete, None
        if delete is not None:
            delete()
        return super().put(row, etag)


def under_way(delete: Callable[[Registrations], None]) -> World:
    """Return a world in which something was deleted while a run was about to write its first row."""
    target = world()
    target.deviations = rows = DeletedMeanwhile(target.writes)
    rows.delete = lambda: delete(registrations(target))
    scored(target)
    return target


def subjects(target: World) -> set[str]:
    """Return all that anything derived is stored of."""
    tables = (target.deviations, target.baselines, target.incidents, target.estimations, target.events)
    return {one for table in tables for one in table.subjects("troll-")}


def test_a_sensor_that_is_deleted_under_a_run_leaves_nothing() -> None:
    """Its row was written after it had gone; the daily run takes it, and nothing of its neighbour."""
    target = under_way(lambda do: do.delete_sensor(ONE, force=True))
    assert ONE in subjects(target)
    clean(target)
    assert not any(ONE in key for key in target.deviations.cells.rows)
    assert {TWO, *(one.id for one in B.sensors)} <= subjects(target)
    assert ONE not in subjects(target)


def test_a_template_s_statement_goes_with_it_and_so_does_one_that_is_made_too_late() -> None:
    """The deletion takes it; of a run that ends after it, the daily run."""
    target = world()
    for one in (A, B):
        target.statements.put(one.id, statements(one.id), None)
    registrations(target).delete_template(A.id, force=True)
    assert target.statements.subjects("troll-") == [B.id]
    target.statements.put(A.id, statements(A.id), None)
    clean(target)
    assert target.statements.subjects("troll-") == [B.id]


def test_what_a_run_tells_of_a_sensor_that_is_deleted_meanwhile_is_taken_back() -> None:
    """Its row, by which the event would be found, is gone: who told it takes it back."""
    target = world()
    scored(target)
    day = target.lake.read(A, DAY).document
    assert day is not None
    target.lake.cells.set((A.id, DAY), day.model_copy(update={"sensors": {TWO: day.sensors[TWO]}}))
    tell = target.events.put

    def told_late(event: Event) -> None:
        target.events.put = tell  # type: ignore[method-assign]
        registrations(target).delete_sensor(ONE, force=True)
        tell(event)

    target.events.put = told_late  # type: ignore[method-assign]
    scored(target)
    assert "troll-a-1" not in {one.about for one in target.events.list(A.id)}


def test_a_sensor_that_never_had_a_series_goes_unasked_with_what_was_told_of_it() -> None:
    """A tag that was mistyped: its rows are empty, and nothing that anybody would miss."""
    target = world()
    day = target.lake.read(A, DAY).document
    assert day is not None
    target.lake.cells.set((A.id, DAY), day.model_copy(update={"sensors": {TWO: day.sensors[TWO]}}))
    target.baselines.remove_all(ONE)
    target.registry.histories.remove(ONE)
    scored(target)
    assert ONE in {one.about for one in target.events.list(A.id)}
    registrations(target).delete_sensor(ONE)
    assert ONE not in subjects(target)
    assert ONE not in {one.about for one in target.events.list(A.id)}


@pytest.mark.parametrize(
    "late",
    [
        fault_changed(A.id, TWO, NOW, "stale"),
        fault_changed(A.id, TWO, NOW, None),
        bad_values(A.id, TWO, DAY, "3 out of range"),
        unknown_series(A.id, A.sensors[1], DAY, "omnia"),
        unknown_series(A.id, A.sensors[0], DAY - ONE_DAY, "omnia"),
    ],
    ids=lambda one: f"{one.kind} on {one.at:%d}",
)
def test_what_a_run_told_after_another_had_written_its_row_goes(late: Event) -> None:
    """It wrote its row, waited while another run wrote and told it otherwise, told, and ended: no row names that."""
    target = world()
    day = target.lake.read(A, DAY).document
    assert day is not None
    target.lake.cells.set((A.id, DAY), day.model_copy(update={"sensors": {TWO: day.sensors[TWO]}}))
    scored(target)
    told = {one.id for one in target.events.list(A.id)}
    assert unknown_series(A.id, A.sensors[0], DAY, "").id in told
    target.events.put(late)
    clean(target)
    assert {one.id for one in target.events.list(A.id)} == told


def test_what_a_run_is_about_to_tell_stays() -> None:
    """Its row names it, and that it is being told."""
    target = world()
    scored(target)
    late = fault_changed(A.id, TWO, start_of(DAY), "stale")
    row, etag, _ = target.deviations.get(TWO, DAY)
    assert row is not None
    target.deviations.put(replace(row, told=half_told(row.told or (), [late])), etag)
    target.events.put(late)
    clean(target)
    assert late in target.events.list(A.id)


def test_a_template_that_is_deleted_under_a_run_is_done(caplog: pytest.LogCaptureFixture) -> None:
    """The run does not fail, nor does its repetition; the daily run takes what it wrote, and leaves people's notes."""
    with caplog.at_level(logging.WARNING):
        target = under_way(lambda do: do.delete_template(A.id, force=True))
        scored(target)
    assert "work dropped template=troll-a" in caplog.text
    assert subjects(target) & {ONE, TWO}
    target.events.put(note(A.id, NOW, "A. Person", "seen by ROV"))
    clean(target)
    assert subjects(target) == {A.id, *(one.id for one in B.sensors)}
    assert [one.kind for one in target.events.list(A.id)] == ["note"]


@pytest.mark.parametrize("name", ["troll-a-1", "troll-a", "troll"])
def test_a_deletion_that_was_cut_short_is_finished_by_the_daily_run(name: str) -> None:
    """At whichever write it died, the end is that of one that did not; and nothing else goes."""

    def begun() -> World:
        target = world()
        scored(target)
        target.drain()
        return target

    def delete(target: World) -> None:
        do = registrations(target)
        {ONE: do.delete_sensor, A.id: do.delete_template, "troll": do.delete_platform}[name](name, force=True)

    reference = begun()
    before = reference.writes.count
    delete(reference)
    after = reference.writes.count
    for crash_at in range(before + 1, after + 1):
        target = begun()
        target.writes.crash_at = crash_at
        with suppress(Crash):
            delete(target)
        target.restart()
        assert registrations(target).finish_deletions() == {}
        if crash_at == before + 1:  # nothing had begun
            assert target.registry.known == begun().registry.known
        else:
            assert target.state() == reference.state(), f"crash at write {crash_at}"
            assert target.registry.known == reference.registry.known
            assert not target.registry.deletions


def test_a_deletion_that_cannot_be_finished_is_named_and_tried_again() -> None:
    """The others are finished, and nothing is forgotten."""
    target = world()
    record = target.registry.platform("troll")
    target.registry.begin_deletion(record, ONE)
    target.registry.begin_deletion(target.registry.platform("troll"), TWO)
    remove, refuse = target.marks.remove_all, refusing(ONE)
    target.marks.remove_all = refuse  # type: ignore[method-assign, assignment]
    assert registrations(target).finish_deletions() == {ONE: "LeakDetectionError: not now"}
    assert [one.id for one in target.registry.known["troll"].templates[0].sensors] == [ONE]
    target.marks.remove_all = remove  # type: ignore[method-assign]
    assert registrations(target).finish_deletions() == {}
    assert not target.registry.known["troll"].templates[0].sensors


def refusing(name: str) -> Callable[[str], None]:
    """Return what raises for one name."""

    def remove_all(one: str) -> None:
        if one == name:
            raise LeakDetectionError("not now")

    return remove_all


def test_what_is_told_of_the_state_of_a_sensor_that_is_gone_goes_with_the_daily_run() -> None:
    """A run that ended after its deletion told it; what was, and what is told of others, stays."""
    target = world()
    gone = A.sensors[0]
    stays = [
        series_left_out(A.id, TWO, NOW, "it is refused"),
        not_watched(A.id, "current_speed", NOW, "it is left out"),
        corrupt_baseline(A.id, ONE, DAY, "it is not stored"),
    ]
    for event in (*stays, series_left_out(A.id, ONE, NOW, "it is refused"), unknown_series(A.id, gone, DAY, "OMNIA")):
        target.events.put(event)
    registrations(target).delete_sensor(ONE, force=True)
    target.events.put(series_left_out(A.id, ONE, NOW, "it is refused"))
    clean(target)
    assert sorted(one.id for one in target.events.list(A.id)) == sorted(one.id for one in stays)


def test_what_fails_for_a_template_that_is_there_fails() -> None:
    """Only what is gone is done."""
    target = world()
    with pytest.raises(NotFound, match="a baseline"), unless_gone(target.registry, "troll", A.id):
        raise NotFound("a baseline")
    with unless_gone(target.registry, "oseberg", "oseberg-a"):
        target.detect.run("oseberg", "oseberg-a", DAY)


def test_a_platform_that_cannot_be_read_keeps_all_that_it_has() -> None:
    """So does one that is not registered at all: a registry that was lost takes nothing with it."""
    target = world()
    scored(target)
    before = subjects(target)
    target.registry.unreadable = {"troll": ValueError("depth")}
    clean(target)
    target.registry.unreadable = {}
    target.registry.known.clear()
    clean(target)
    assert subjects(target) == before


@pytest.mark.parametrize("is_over", [False, True])
def test_the_refusal_names_incidents(*, is_over: bool) -> None:
    """Those at the sensor, with their estimations: nobody ends an alarm, or loses an old one, unawares."""
    target = world()
    scored(target)
    target.drain()
    (stored,) = target.incidents.list(A.id)
    if is_over:
        closed = stored.incident.model_copy(update={"closed": NOW})
        target.incidents.put(closed, stored.notified, stored.etag, stored.told)
    with pytest.raises(HasData) as refused:
        registrations(target).delete_sensor(ONE)
    assert refused.value.contents == {"scoredDays": 1, "baselineVersions": 1, "incidents": 1, "estimations": 1}
    with pytest.raises(HasData) as refused:
        registrations(target).delete_sensor(TWO)
    assert "incidents" not in refused.value.contents
    with pytest.raises(HasData) as refused:
        registrations(target).delete_template(A.id)
    assert (refused.value.contents["incidents"], refused.value.contents["estimations"]) == (1, 1)
