"""Use cases that read, on a world."""

from shared.domain.alarm import Cause
from shared.usecases.queries.alarms import AlarmQueries
from tests.support.fakes import World


def alarm_queries(world: World) -> AlarmQueries:
    """Return the alarms of a world, and what to do about each cause."""
    return AlarmQueries(
        registry=world.registry,
        table=world.alarms_table,
        journal=world.journal_table,
        suppressions=world.suppressions_table,
        responses={one: f"respond to {one.value}" for one in Cause},
    )
