"""Holds the way of the lake's events against the app and its storage: from where, to which queue, and their end."""

from collections.abc import Iterator
from pathlib import Path

from conformance.check_result import CheckResult
from conformance.snapshots import Resource, Snapshot, faults_of_each, short_name, values_at
from shared.settings import StorageSettings

SUBSCRIPTIONS = "Microsoft.EventGrid/systemTopics/eventSubscriptions"
CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"


def check(root: Path) -> CheckResult:
    """Name events that are not of the lake, a queue that nobody takes from, and a place that nobody makes."""
    names = StorageSettings()
    summary = f"blob events of {names.lake_container} come to {names.lake_events_queue}, or to a place that is made"
    return CheckResult.of(summary, faults_of_each(root, _judge))


def _judge(snapshot: Snapshot) -> Iterator[str]:
    subscriptions = snapshot.of(SUBSCRIPTIONS)
    if not subscriptions:
        yield "no blob events reach the app"
    for one in subscriptions:
        yield from _wrong(one)
        yield from _not_made(one, snapshot)


def _wrong(subscription: Resource) -> Iterator[str]:
    names = StorageSettings()
    queues = values_at(subscription, "properties.deliveryWithResourceIdentity.destination.properties.queueName")
    if queues != [names.lake_events_queue]:
        yield f"events go to {queues}, and detect takes from {names.lake_events_queue}"
    begins = values_at(subscription, "properties.filter.subjectBeginsWith")
    if begins != [f"/blobServices/default/containers/{names.lake_container}/"]:
        yield f"events are of {begins}, not of the lake's container {names.lake_container}"


def _not_made(subscription: Resource, snapshot: Snapshot) -> Iterator[str]:
    dead = "properties.deadLetterWithResourceIdentity.deadLetterDestination.properties.blobContainerName"
    made = {short_name(one) for one in snapshot.of(CONTAINERS)}
    for name in values_at(subscription, dead) or [None]:
        if name not in made:
            yield f"events that are given up go to the container {name}, which is not made"
