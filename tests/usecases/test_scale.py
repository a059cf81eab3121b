"""What a tick of one template costs, counted on storage in memory: the same on a platform of one as of a hundred."""

import pytest

from tests.support.examples import DAY, history, template
from tests.support.fleet import BEGIN, A, Fleet, share_of, ticks


@pytest.mark.parametrize("templates", [1, 100])
def test_a_tick_costs_the_same_however_many_templates_there_are(templates: int) -> None:
    """A warm worker sends at most 12 requests for it, four sensors, and reads and writes as many rows."""
    fleet = Fleet(templates)
    app = fleet.worker()
    ticks(fleet, app, 3)
    for requests, rows in ticks(fleet, app):
        assert sum(requests.values()) <= 12
        assert sum(rows.values()) <= 12


@pytest.mark.parametrize("templates", [1, 100])
def test_a_worker_that_has_read_nothing_yet_scores_a_tick_with_seventeen_requests(templates: int) -> None:
    """It reads what is registered of the one template, each sensor's rows at once, and the baselines."""
    fleet = Fleet(templates)
    app = fleet.worker()
    ticks(fleet, app, 2)
    fleet.move_on()
    app.ingest.run_share(share_of(app))
    requests, rows = fleet.counted(lambda: fleet.worker().detect.run("troll", A.id, DAY))
    assert sum(requests.values()) <= 17
    assert sum(rows.values()) <= 26


@pytest.mark.parametrize("templates", [1, 100])
def test_a_worker_that_has_read_nothing_yet_ingests_a_template_with_five_requests(templates: int) -> None:
    """It looks no series up, and reads what is registered of the one template."""
    fleet = Fleet(templates)
    app = fleet.worker()
    ticks(fleet, app, 2)
    fleet.move_on()
    share = share_of(app)
    requests, rows = fleet.counted(lambda: fleet.worker().ingest.run_share(share))
    assert sum(requests.values()) <= 5
    assert sum(rows.values()) <= 12


def test_a_tick_of_a_hundred_templates_asks_for_five_shares_with_one_read() -> None:
    """What the timer does grows with the messages that it puts."""
    fleet = Fleet(100)
    app = fleet.worker()
    app.ingest.ask()
    fleet.move_on()
    requests, _ = fleet.counted(app.ingest.ask)
    assert requests == {"table read scaleregistry": 1, "queue write scale-ingest": 5}


def test_an_unchanged_poll_reads_keys_once_and_one_after_a_change_reads_the_rows() -> None:
    """With what is known of a hundred templates, whatever else has changed."""
    fleet = Fleet(100)
    app = fleet.worker()
    app.registry.records()
    requests, _ = fleet.counted(app.registry.records)
    assert sum(requests.values()) == 1
    app.registrations.change_template(A.id, {"depth": 299.0})
    seen = fleet.worker().registry
    assert seen.records()[0].platform.templates[0].depth == 299
    assert app.registry.records()[0].platform.templates[0].depth == 299


def test_what_one_template_learns_does_not_make_the_others_ticks_dearer() -> None:
    """The head changes, and the one template is read again: six rows of five hundred."""
    fleet = Fleet(100)
    app = fleet.worker()
    ticks(fleet, app, 2)
    other = template(slug="t42", sensors=4)
    etag = app.registry.platform("troll").stored["troll-t42-1"].etag
    app.registry.set_history(other, other.sensors[0], history("troll-t42-1", "v", BEGIN), etag)
    fleet.move_on()
    worker = fleet.worker()
    app.ingest.run_share(share_of(app))
    _, rows = fleet.counted(lambda: worker.detect.run("troll", A.id, DAY))
    assert rows["read scaleregistry"] <= 10
