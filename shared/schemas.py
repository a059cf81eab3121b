"""The schema of everything that is stored: its number, and the step from what the release before wrote to today's.

A number stands in everything that is stored (``schema``); what was written before there were numbers has 1. Writers
write today's number. Readers take today's and the one before, by the steps here, and what a newer release wrote: they
ignore what they do not know. What a newer release wrote and they cannot read is neither corrupt nor theirs to replace
(``NewerSchema``). ``docs/formats.md`` says how to change a schema.
"""

import zlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from math import nan
from struct import pack
from typing import Any, TypeVar

from shared.errors import NewerSchema

SCHEMA = "schema"  # the property that holds the number

Properties = Mapping[str, Any]
T = TypeVar("T")


class Stored(StrEnum):
    """What is stored, by kind; each has a schema of its own."""

    DAY = "day blob"
    BASELINE = "baseline"
    REGISTRY = "registry row"
    DEVIATIONS = "deviations row"
    INCIDENT = "incident row"
    ESTIMATION = "estimation row"
    EVENT = "event row"
    MARK = "mark row"
    JOURNAL = "journal row"
    ALARM = "alarm row"
    SUPPRESSION = "suppression row"
    STATEMENT = "statement row"
    PROOF_TEST = "proof test row"
    CRITICAL_MESSAGE = "critical-deviations message"
    BASELINES_MESSAGE = "build-baselines message"
    NOTIFICATION_MESSAGE = "notifications message"
    STATEMENT_MESSAGE = "performance-statements message"
    INGEST_MESSAGE = "ingest-templates message"


CURRENT: Mapping[Stored, int] = {
    Stored.DAY: 1,
    Stored.BASELINE: 2,
    Stored.REGISTRY: 2,
    Stored.DEVIATIONS: 3,
    Stored.INCIDENT: 2,
    Stored.ESTIMATION: 1,
    Stored.EVENT: 1,
    Stored.MARK: 2,
    Stored.JOURNAL: 1,
    Stored.ALARM: 1,
    Stored.SUPPRESSION: 1,
    Stored.STATEMENT: 1,
    Stored.PROOF_TEST: 1,
    Stored.CRITICAL_MESSAGE: 1,
    Stored.BASELINES_MESSAGE: 1,
    Stored.NOTIFICATION_MESSAGE: 1,
    Stored.STATEMENT_MESSAGE: 1,
    Stored.INGEST_MESSAGE: 1,
}

# The detection engine of all releases that recorded none (shared/detection/engine.py).
FIRST_ENGINE = "1-ae6f0e11"


def _registry_2(row: Properties) -> Properties:
    """Name the engine of a sensor's baseline versions: there was only one."""
    return {"engine": FIRST_ENGINE, **row} if row.get("baselines") else row


def _deviations_2(row: Properties) -> Properties:
    """Name the engine that scored the day, there was only one; nobody recorded what it rests on, and what was told."""
    return {"engine": FIRST_ENGINE, "fingerprint": "", "context": " ", "told": "?", **row}


def _deviations_3(row: Properties) -> Properties:
    """Say that no channel is named and no current known: another engine scored the day."""
    slots = row.get("buckets", 0)  # not asked for: then neither are the arrays
    return {"channel": b"\xff" * slots, "away": bytes(slots), "currents": pack("<2f", nan, nan) * slots, **row}


def _incident_2(row: Properties) -> Properties:
    """Call what people were notified of by its name; nobody recorded the names of the events."""
    return {"notified_closed": row["told_closed"], "notified_sensors": row["told_sensors"], "told": "?", **row}


def _mark_2(row: Properties) -> Properties:
    """Say what was decided: the key alone said so. Nobody numbered decisions."""
    return {"kind": row["RowKey"].partition("|")[0], "number": 0, **row}


# From a kind's schema to the next one.
STEPS: Mapping[tuple[Stored, int], Callable[[Properties], Properties]] = {
    (Stored.REGISTRY, 1): _registry_2,
    (Stored.DEVIATIONS, 1): _deviations_2,
    (Stored.DEVIATIONS, 2): _deviations_3,
    (Stored.INCIDENT, 1): _incident_2,
    (Stored.MARK, 1): _mark_2,
}


def numbered(kind: Stored, properties: Properties) -> dict[str, Any]:
    """Return the properties with the number of today's schema, as a writer stores them."""
    return {**properties, SCHEMA: CURRENT[kind]}


def schema_of(stored: Properties) -> int:
    """Return the number of what is stored; 1 where there is none; raises ValueError for what is none."""
    number = stored.get(SCHEMA, 1)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{SCHEMA} must be a whole number from 1 on, not {number!r}")
    return number


def upgraded(kind: Stored, stored: Properties) -> Properties:
    """Return what is stored as today's schema has it; what a newer release wrote stays as it is."""
    number = schema_of(stored)
    while number < CURRENT[kind]:
        stored = STEPS[kind, number](stored)
        number += 1
        stored = {**stored, SCHEMA: number}
    return stored


def read(kind: Stored, stored: Properties, make: Callable[[Properties], T]) -> T:
    """Return what ``make`` makes of today's form of what is stored.

    Raises NewerSchema where a newer release wrote something that ``make`` refuses, and else what ``make`` raises.
    """
    try:
        return make(upgraded(kind, stored))
    except (LookupError, TypeError, ValueError, AttributeError, zlib.error) as error:
        if schema_of(stored) > CURRENT[kind]:
            raise NewerSchema(
                f"{kind} of schema {schema_of(stored)} cannot be read; this release knows {CURRENT[kind]}: {error!r}"
            ) from error
        raise
