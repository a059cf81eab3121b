"""What was checked of a template, in the registry's table: apart from what a tick reads, and gone with its series."""

from datetime import timedelta

import pytest

from shared.adapters.tables import AzureRegistryTable
from shared.domain.checked_days import CheckedDays
from shared.errors import Conflict
from tests.conftest import bootstrap, environment
from tests.support.examples import DAY, platform, template
from tests.support.memory_storage import MemoryClients

ONE = template(sensors=2)
YEARS = CheckedDays(DAY, "abcd" * 4000)  # more than one property holds


@pytest.fixture
def clients() -> MemoryClients:
    """Storage in memory, with a platform of one template."""
    found = MemoryClients(bootstrap(environment("UseDevelopmentStorage=true", "checked")).settings)
    registry(found).change(None, platform(ONE))
    return found


def registry(clients: MemoryClients) -> AzureRegistryTable:
    """Return the registry in a process that has read nothing yet."""
    return AzureRegistryTable(clients.table("checkedregistry"))


def test_what_was_checked_is_read_as_it_was_written(clients: MemoryClients) -> None:
    """Ten years of it; the loser of a race is told."""
    registry(clients).set_checked(ONE, YEARS, None)
    found = registry(clients).checked(ONE)
    assert found.days == YEARS
    registry(clients).set_checked(ONE, YEARS.before(DAY + timedelta(days=1)), found.etag)
    assert registry(clients).checked(ONE).days == CheckedDays(DAY, "abcd")
    for behind in (found.etag, None):
        with pytest.raises(Conflict):
            registry(clients).set_checked(ONE, YEARS, behind)


def test_a_tick_and_a_poll_do_not_read_it(clients: MemoryClients) -> None:
    """It is longer than everything that they read."""
    reader = registry(clients)
    reader.records()
    registry(clients).set_checked(ONE, YEARS, None)
    clients.counted.clear()
    reader.record(ONE.id)
    reader.records()
    registry(clients).records(changed=True)
    assert clients.counted.bytes["table"] < 6000


@pytest.mark.parametrize("sensors", [1, 3])
def test_it_goes_where_the_sensors_are_others(clients: MemoryClients, sensors: int) -> None:
    """One more, or one less; a change of anything else keeps it."""
    table = registry(clients)
    table.set_checked(ONE, YEARS, None)
    before = table.platform("troll")
    table.change(before, platform(ONE.model_copy(update={"depth": 299.0})))
    assert table.checked(ONE).days == YEARS
    table.change(table.platform("troll"), platform(template(sensors=sensors)))
    assert table.checked(ONE).days is None
