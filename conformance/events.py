"""Holds the way of the lake's events against the app and its storage: whom they call, of what, and where they end."""

import re
from collections.abc import Iterator
from pathlib import Path

from conformance.check_result import CheckResult
from conformance.snapshots import (
    ENVIRONMENTS,
    VARIANTS,
    Resource,
    Snapshot,
    faults_of_each,
    short_name,
    snapshot_of,
    values_at,
)
from conformance.source import triggers_by_function
from shared.settings import StorageSettings

SUBSCRIPTIONS = "Microsoft.EventGrid/systemTopics/eventSubscriptions"
CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
HANDLER = re.compile(r"\bHost\.Functions\.(\w+)")


def check(root: Path) -> CheckResult:
    """Name a function that takes no blob events, a container that is not the lake, and a place that nobody makes."""
    by_blobs = {name for name, trigger in triggers_by_function(root / "functions") if trigger == "blob_trigger"}

    def judge(snapshot: Snapshot) -> Iterator[str]:
        subscriptions = snapshot.of(SUBSCRIPTIONS)
        if not subscriptions:
            yield "no blob events reach the app"
        for one in subscriptions:
            yield from _wrong(one, by_blobs)
            for environment in ENVIRONMENTS:
                yield from _not_made(one, snapshot_of(root, environment))

    summary = f"blob events of the lake call {', '.join(sorted(by_blobs))}, and have a place where they are given up"
    return CheckResult.of(summary, faults_of_each(root, judge, ["events"]))


def called(subscription: Resource) -> str:
    """Return the function that a subscription's webhook names, or nothing."""
    found = [HANDLER.search(url) for url in values_at(subscription, "properties.destination.properties.endpointUrl")]
    return "".join(one[1] for one in found if one)


def _wrong(subscription: Resource, by_blobs: set[str]) -> Iterator[str]:
    name, lake = called(subscription), StorageSettings().lake_container
    if name not in by_blobs:
        yield f"the webhook calls {name or 'no function'}, which has no blob trigger; {', '.join(sorted(by_blobs))} has"
    begins = values_at(subscription, "properties.filter.subjectBeginsWith")
    if begins != [f"/blobServices/default/containers/{lake}/"]:
        yield f"events are of {begins}, not of the lake's container {lake}"


def _not_made(subscription: Resource, environment: Snapshot) -> Iterator[str]:
    dead = "properties.deadLetterWithResourceIdentity.deadLetterDestination.properties.blobContainerName"
    made = {short_name(one) for one in environment.of(CONTAINERS)}
    for name in values_at(subscription, dead) or [None]:
        if name not in made:
            yield f"events that are given up go to the container {name}, which {environment.variant} does not make"
    missing = VARIANTS["events"].variables.keys() - environment.outputs.keys()
    yield from (f"{environment.variant} does not give {one}, which events.bicepparam reads" for one in sorted(missing))
