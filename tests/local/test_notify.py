"""A step of an alarm goes its way, by queue and function to the receiver; what that does not take is told, and kept."""

import json
from pathlib import Path

import pytest
import requests

from admin.retry import retry
from local.azurite import Azurite
from local.process import HostProcess
from local.receiver import receiving, status
from tests.conftest import bootstrap, environment
from tests.support.examples import DAY, at, incident_at

pytestmark = [pytest.mark.azurite, pytest.mark.slow]

INCIDENT = incident_at(3)


def test_a_step_is_sent_once_and_a_receiver_that_fails_is_told(azurite: Azurite, unique: str, tmp_path: Path) -> None:
    """Five tries, then health says so; once the receiver is back, the same step goes out under the same key."""
    with receiving(status(202)) as receiver:
        values = environment(azurite.connection_string, unique, AS_OF=at(DAY, 12).isoformat())
        values |= {
            "NOTIFY__WEBHOOK_URL": receiver.url,
            "NOTIFY__SECRET": "a-secret-of-the-test",
            "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00",
        }
        app = bootstrap({name: value for name, value in values.items() if not name.startswith("AzureFunctions")})
        app.clients.ensure_storage()
        queue = app.settings.storage.notifications_queue
        with HostProcess(values, "--lease", "1", log=tmp_path / "host.log") as host:
            app.alarms.follow(INCIDENT)
            host.wait_idle()
            assert [json.loads(one.body)["kind"] for one in receiver.arrived] == ["raised"]
            (told,) = app.journal_table.topics("troll", f"notice:{INCIDENT.id}:")
            assert (told.kind, told.message) == ("notified", "sent: raised")
            receiver.answer = status(503)
            app.alarms.withdraw(INCIDENT, "late data")
            host.wait_idle()
            assert len(receiver.arrived) == 1 + 5
            assert app.messages.lengths()[f"{queue}-poison"] == 1
            health = requests.get(f"{host.url}/api/health", timeout=30).json()
            assert (health["status"], health["notifications"]) == ("degraded", "on")
            receiver.answer = status(200)
            retry(app)
            host.wait_idle()
        *_, failed, sent = receiver.arrived
        assert json.loads(sent.body)["kind"] == "withdrawn"
        assert sent.headers["Idempotency-Key"] == failed.headers["Idempotency-Key"]
        assert len(receiver.arrived) == 1 + 5 + 1


def test_what_fails_for_good_is_an_event_that_names_the_incident(azurite: Azurite, unique: str) -> None:
    """The app gives it back four times, then a person is asked; what is no message at once."""
    app = bootstrap(environment(azurite.connection_string, unique))
    app.clients.ensure_storage()
    queue = app.settings.storage.notifications_queue
    poison = app.clients.queue(f"{queue}-poison")
    poison.create_queue()
    asked = {"schema": 1, "incident": INCIDENT.id, "number": 0, "kind": "raised"}
    for body in ({**asked, "returned": 4}, {**asked, "number": "none"}, asked):
        poison.send_message(json.dumps(body))
    app.take_up_poison.run()
    told = [one.message for one in app.events.list("system") if one.about.startswith(queue)]
    assert len(told) == 2
    assert all(INCIDENT.id in one and f"kept in {queue}-given-up" in one for one in told)
    assert app.messages.lengths()[f"{queue}-given-up"] == 2
    assert app.messages.lengths()[queue] == 1
