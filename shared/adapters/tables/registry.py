"""Table of what is watched: PartitionKey platform; rows for the platform, its templates, sensors and their baselines.

Every write to a platform's partition is one transaction that writes the row ``head``, too: its etag names the state of
all that is registered. So an unchanged platform costs one read of its head, a changed one a query more. A definition is
changed only where nothing else changed since it was read.

What changes with every tick stands in a partition of its own for each template (``registry_states.py``): a tick never
touches what is registered, and what it costs does not depend on how many templates there are.

All platforms are listed in one partition, the index, with the name of each one's state (``generation``), which its head
has, too. A writer reads the head, names the state to come in the index, and only then writes it, on the head that it
read. So where the index names what a process remembers, that is how the platform is: whoever wrote it after this would
have named another one before. Where the index and the head differ, as after a crash, the head is read.

A release that knows no states of heads takes their names away: that is how this one sees that the old one has written.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from azure.data.tables import TableClient, TableEntity

from shared.adapters.tables.access import (
    commit,
    delete,
    etag_of,
    get_entity,
    put,
    put_entity,
    query,
    quoted,
    upsert,
)
from shared.adapters.tables.registry_rows import (
    GENERATION,
    HEAD,
    INDEX,
    INGEST,
    LATEST,
    PLATFORM,
    Legacy,
    definitions,
    deletion_row,
    differences,
    entity,
    head_entity,
    history_entity,
    legacy_of,
    registration_of,
    series_by_template,
)
from shared.adapters.tables.registry_states import Listed, TemplateStates, record_of, sensors_in
from shared.adapters.tables.writes import TransactionStep
from shared.domain.baseline_history import BaselineHistory
from shared.domain.checked_days import CheckedDays
from shared.domain.deviation import Latest
from shared.domain.ingest_state import IngestState
from shared.domain.platform import Platform
from shared.domain.template import Sensor, Template
from shared.errors import Conflict, Exists, InvalidInput, NewerSchema, NotFound
from shared.ports import ETag, PlatformRecord, PlatformRecords, RecordT, Registration, StoredCheck
from shared.retry import after_conflicts
from shared.schemas import CURRENT, SCHEMA, Stored, schema_of

logger = logging.getLogger(__name__)

MOST_OPERATIONS = 99  # of a transaction, beside the head
UNREADABLE = (NewerSchema, ValueError, LookupError, TypeError)  # what one platform's rows may raise

T = TypeVar("T")


class Known(NamedTuple):
    """What is in memory of a platform, or of one template of it: as of its head, which has that name."""

    registration: Registration
    generation: str  # empty: the release before wrote it last
    legacy: Legacy  # what that release kept, of which nobody knows yet whether it is in the templates' own rows


class AzureRegistryTable:
    """Platforms, templates, sensors; and per template how far it was ingested, and the newest samples."""

    def __init__(self, table: TableClient, keep: int = 512) -> None:
        """Use the table, and keep so many platforms and single templates in memory."""
        self._table = table
        self._states = TemplateStates(table)
        self._keep = keep
        self._memory: OrderedDict[str, Known] = OrderedDict()  # by platform or template
        self._lock = threading.Lock()

    # --- reading

    def platforms(self) -> PlatformRecords[Registration]:
        """Return every platform that can be read, in order of id, and why others cannot; one read if none changed."""
        return self._found(self._states.generations(), lambda known: known.registration)

    def records(self, *, changed: bool = False) -> PlatformRecords[PlatformRecord]:
        """Return every platform with what is known of its data; one read if nothing changed.

        ``changed``: it is expected to have; then every head is read, and what is not in step is brought in step.
        """
        if changed:
            self._bring_in_step()
        listed = self._states.all(changed=changed)
        return self._found(listed, lambda known: record_of(known.registration, known.legacy, listed.own))

    def _found(self, listed: Listed, make: Callable[[Known], RecordT]) -> PlatformRecords[RecordT]:
        names: Iterable[str] = listed.generations if listed.complete else self._heads()
        found: list[RecordT] = []
        unreadable: dict[str, Exception] = {}
        for name in sorted(names):
            try:
                found.append(make(self._current(name, listed.generations.get(name, ""))))
            except NotFound:  # it was deleted, and a run that began before wrote beside it
                logger.warning("platform %s: its row in the registry is missing", name)
            except UNREADABLE as error:  # must not stop the others
                unreadable[name] = error
        return PlatformRecords.of(found, unreadable)

    def _current(self, platform: str, generation: str) -> Known:
        """Return what is in memory of the platform if it is what the index names, else read it."""
        with self._lock:
            known = self._memory.get(platform)
        if known is not None and generation and known.generation == generation:
            return known
        return self._as_of(platform, get_entity(self._table, platform, HEAD))

    def _heads(self) -> set[str]:
        """Return every platform that has a head or a row of its own: one query of the table finds old ones, too."""
        where = f"RowKey eq {quoted(HEAD)} or RowKey eq {quoted(PLATFORM)}"
        return {row["PartitionKey"] for row in query(self._table, where, ["PartitionKey", "RowKey"])}

    def platform(self, platform: str) -> Registration:
        """Return one platform, from memory if its head has not changed; raises NotFound."""
        quoted(platform)
        return self._as_of(platform, get_entity(self._table, platform, HEAD)).registration

    def record(self, template: str) -> PlatformRecord:
        """Return a template's platform with that template alone, and what is known of its data; raises NotFound."""
        found = self.part(template.partition("-")[0], [template])
        if not found.platform.templates:
            raise NotFound(f"template {template!r} is not registered at {found.platform.id}")
        return found

    def part(self, platform: str, templates: Sequence[str], generation: str = "") -> PlatformRecord:
        """Return a platform with those of these templates that it has, and what is known of them; raises NotFound.

        It costs three queries at most if the templates are neighbours in order of id. ``generation``: what is
        registered was just read in that state; if this process remembers it, the head is not read.
        """
        for name in (platform, *templates):
            quoted(name)
        names = sorted(templates)
        known = self._named(platform, names, generation) or self._part(platform, names)
        return record_of(known.registration, known.legacy, self._states.between(min(templates), max(templates)))

    def _named(self, platform: str, templates: Sequence[str], generation: str) -> Known | None:
        """Return what is in memory of some templates in that state."""
        with self._lock:
            held = [self._memory.get(name) for name in (" ".join(templates), platform)]
        of_it = (one for one in held if one is not None and generation and one.generation == generation)
        return next((_narrowed(one, templates) for one in of_it), None)

    def _part(self, platform: str, templates: Sequence[str]) -> Known:
        """Return what is registered of some templates, from memory if the head has not changed; raises NotFound."""
        name, rows = " ".join(templates), None
        if name in self._memory or platform in self._memory:
            head = get_entity(self._table, platform, HEAD)
        else:  # the head comes first with the rows, so they are as of it or later
            rows = self._rows_of(platform, [one.partition("-")[2] for one in templates])
            head = next((row for row in rows if row["RowKey"] == HEAD), None)
        etag = None if head is None else etag_of(head)
        whole = self._known(platform, etag)
        if whole is not None or head is None or not head.get(GENERATION):
            return _narrowed(whole or self._as_of(platform, head), templates)
        known = self._known(name, etag)
        if known is None:
            rows = rows or self._rows_of(platform, [one.partition("-")[2] for one in templates])
            known = self._remembered(platform, name, rows, head, whole=False)
        return known

    def _as_of(self, platform: str, head: TableEntity | None) -> Known:
        """Return the platform as of that head or later: a write in between shows as a change next time."""
        known = self._known(platform, None if head is None else etag_of(head))
        return known or self._remembered(platform, platform, self._rows(platform), head, whole=True)

    def _known(self, name: str, etag: ETag) -> Known | None:
        """Return what is in memory of a platform, or of a template, if it is of that head."""
        with self._lock:
            known = self._memory.get(name)
        return known if known is not None and etag is not None and known.registration.etag == etag else None

    def _remembered(
        self, platform: str, name: str, rows: Sequence[TableEntity], head: TableEntity | None, *, whole: bool
    ) -> Known:
        """Return what the rows say, and keep it in memory under that name."""
        if not any(row["RowKey"] == PLATFORM for row in rows):
            raise NotFound(f"platform {platform!r} is not registered")
        generation = str(head.get(GENERATION, "")) if head is not None else ""
        registration = registration_of(rows, None if head is None else etag_of(head), generation, whole=whole)
        known = Known(registration, generation, Legacy() if generation else legacy_of(rows))
        with self._lock:
            self._memory[name] = known
            self._memory.move_to_end(name)
            while len(self._memory) > self._keep:
                self._memory.popitem(last=False)
        return known

    def _rows(self, platform: str, *, keys_only: bool = False) -> list[TableEntity]:
        select = ["PartitionKey", "RowKey", SCHEMA] if keys_only else None
        return list(query(self._table, f"PartitionKey eq {quoted(platform)}", select=select))

    def _rows_of(self, platform: str, slugs: Sequence[str]) -> list[TableEntity]:
        """Return the head, the rows of the platform itself, of some of its templates, and of their sensors."""
        templates = sorted(f"template|{slug}" for slug in slugs)
        sensors = sorted(f"sensor|{slug}|" for slug in slugs)  # another order, where one slug begins like another
        ranges = [(HEAD, HEAD), (PLATFORM, PLATFORM), (templates[0], templates[-1]), (sensors[0], sensors[-1] + "~")]
        rows = " or ".join(f"(RowKey ge {quoted(first)} and RowKey le {quoted(last)})" for first, last in ranges)
        found = query(self._table, f"PartitionKey eq {quoted(platform)} and ({rows})")
        return [row for row in found if row["RowKey"] in (HEAD, PLATFORM) or row["RowKey"].split("|")[1] in slugs]

    # --- what is registered is written

    def change(self, before: Registration | None, after: Platform | None) -> None:
        """Write the rows by which ``after`` differs from what was read; raises Conflict if anything changed since."""
        if before is None and after is not None:
            self._create(after)
        elif before is not None and after is None:
            self._remove(_all_of(before))
        elif before is not None and after is not None:
            if _all_of(before).schema > CURRENT[Stored.REGISTRY]:
                raise NewerSchema(f"{after.id} was registered by a newer release, and can only be changed there")
            steps = differences(before, after)
            if steps:
                self._check(after.id, before.etag)
                self._begin_anew(before.platform, after)
                self._write(after.id, steps, before.etag)
                self._forget(before.platform, after)

    def begin_deletion(self, before: Registration, name: str) -> None:
        """Record that what has this id is being deleted, until it is; raises Conflict if anything changed since."""
        platform = _all_of(before).platform.id
        self._write(platform, [upsert(entity(platform, deletion_row(name)))], before.etag)

    def _create(self, platform: Platform) -> None:
        """Write a new platform; rows that runs left of one that was there before go."""
        there = {row["RowKey"]: etag_of(row) for row in self._rows(platform.id, keys_only=True)}
        if PLATFORM in there:
            raise Exists(f"platform {platform.id!r} exists")
        self._states.remove_all_of(platform.id)
        new = definitions(platform)
        left = [delete(platform.id, row) for row in there.keys() - new.keys() - {HEAD}]
        self._write(platform.id, [*map(upsert, new.values()), *left], there.get(HEAD))

    def _remove(self, before: Registration) -> None:
        """Remove the whole partition: the platform's own row first, by which it is gone, the head last.

        What is left if that is cut short is not seen by anybody, and goes when the platform is created anew.
        """
        name = before.platform.id
        self._write(name, [delete(name, PLATFORM)], before.etag)

        def remove_rest(_: bool) -> None:
            there = {row["RowKey"]: etag_of(row) for row in self._rows(name, keys_only=True)}
            if PLATFORM in there:  # somebody may have created it anew by now
                return
            self._states.remove_all_of(name)
            if there:
                left = [delete(name, row) for row in there.keys() - {HEAD}]
                etag = self._write(name, left, there.get(HEAD))
                listed = self._states.named(name)
                commit(self._table, [delete(name, HEAD, etag)])
                self._states.forget_platform(name, listed)

        after_conflicts(remove_rest, f"platform {name}, which is removed")  # a run that began before may still write

    def _begin_anew(self, before: Platform, after: Platform) -> None:
        """Remove what runs left of templates and series of these names, before they are there."""
        old = series_by_template(before)
        for template, tags in series_by_template(after).items():
            if template not in old:
                self._states.remove(template)
            elif fresh := tags.keys() - old[template].keys():
                self._states.drop(template, fresh, touch=any("-" in key for key in fresh))

    def _forget(self, before: Platform, after: Platform) -> None:
        """Remove what is known of templates and series that are there no more, or are others by now.

        Where that is cut short, nobody reads it: a state is of a tag, and what is new begins anew.
        """
        new = series_by_template(after)
        for template, tags in series_by_template(before).items():
            if template not in new:
                self._states.remove(template)
            elif gone := {key for key, tag in tags.items() if new[template].get(key) != tag}:
                self._states.drop(template, gone, touch=False)

    def _check(self, platform: str, etag: ETag) -> TableEntity | None:
        """Return the head; raises Conflict where it is not the one of that etag."""
        head = get_entity(self._table, platform, HEAD)
        if (None if head is None else etag_of(head)) != etag:
            raise Conflict(f"platform {platform} changed in between")
        return head

    def _write(self, platform: str, steps: Sequence[TransactionStep], etag: ETag) -> str:
        """Write on the head of that etag (None: on none) and return its new etag; raises Conflict.

        More than one transaction takes is written in several, each on the head that the last one left.
        """
        for begin in range(0, max(len(steps), 1), MOST_OPERATIONS):
            etag = self._commit(platform, steps[begin : begin + MOST_OPERATIONS], etag)[0]
        return str(etag)

    def _commit(self, platform: str, steps: Sequence[TransactionStep], etag: ETag) -> list[str]:
        """Write one transaction on the head of that etag; return the new etags, the head's first; raises Conflict.

        What the release before wrote since is taken over first, while the head still says that it has.
        """
        head = self._check(platform, etag)
        if (head is None or not head.get(GENERATION)) and self._take_over(platform, etag):
            raise Conflict(f"platform {platform} was written by the release before")
        return self._commit_head(platform, steps, etag)

    def _commit_head(self, platform: str, steps: Sequence[TransactionStep], etag: ETag) -> list[str]:
        generation = uuid4().hex
        self._states.name(platform, generation)
        return commit(self._table, [put(head_entity(platform, generation), etag), *steps])

    def _write_beside(self, platform: str, step: TransactionStep) -> str:
        """Write one row that is no definition, whatever else was written meanwhile; return its etag."""

        def attempt(_: bool) -> str | Conflict:
            head = get_entity(self._table, platform, HEAD)
            etag = None if head is None else etag_of(head)
            try:
                return self._commit(platform, [step], etag)[1]
            except Conflict as conflict:
                now = get_entity(self._table, platform, HEAD)
                if (None if now is None else etag_of(now)) != etag:
                    raise
                return conflict  # of the row itself

        written = after_conflicts(attempt, f"platform {platform}")
        if isinstance(written, Conflict):
            raise written
        return written

    def add(self, platform: Platform, *, replace: bool = False) -> int:
        """Store the platform's rows that are not stored yet (or replace them); return how many were written."""
        return after_conflicts(lambda _: self._add(platform, replace=replace), f"platform {platform.id}")

    def _add(self, platform: Platform, *, replace: bool) -> int:
        rows = self._rows(platform.id, keys_only=True)
        there, new = {row["RowKey"]: etag_of(row) for row in rows}, definitions(platform)
        if PLATFORM not in there:
            self._create(platform)
            return len(new)
        if replace:
            self._refuse_another_facility(platform)
        if replace and any(schema_of(row) > CURRENT[Stored.REGISTRY] for row in rows if row["RowKey"] in new):
            raise NewerSchema(f"{platform.id} was registered by a newer release, and can only be changed there")
        missing = [upsert(one, merge=row in there) for row, one in new.items() if replace or row not in there]
        if missing or HEAD not in there:
            self._begin_anew(self.platform(platform.id).platform, platform)
            self._write(platform.id, missing, there.get(HEAD))
        return len(missing)

    def _refuse_another_facility(self, platform: Platform) -> None:
        """Raise InvalidInput where the platform is read from another installation: its data would mix with theirs."""
        known = self.platform(platform.id).platform.facility
        if known != platform.facility:
            raise InvalidInput(
                f"{platform.id} is read from facility {known}; delete it and create it anew to change that"
            )

    def rewrite(self, row: Mapping[str, Any], etag: ETag) -> None:
        """Write a row that says the same as the one that was read; raises Conflict."""
        platform = str(row["PartitionKey"])
        if platform.startswith(INDEX) or row["RowKey"] == HEAD:
            put_entity(self._table, row, etag)
        else:
            self._write_beside(platform, put(row, etag))

    def set_history(self, template: Template, sensor: Sensor, history: BaselineHistory, etag: ETag) -> str:
        """Write the sensor's baseline history on the row that was read and return its new etag; raises Conflict."""
        return self._write_beside(template.platform, put(history_entity(template, sensor, history), etag, merge=True))

    # --- what changes with every tick is written

    def set_ingested(self, template: Template, state: IngestState, etag: ETag) -> str:
        """Write how far the template was ingested on the row that was read, return its etag; raises Conflict."""
        return self._states.put_ingested(template.id, state, etag)

    def set_latest(self, template: Template, latest: Mapping[str, Latest], etag: ETag) -> None:
        """Write the newest samples of the template's sensors on the row that was read; raises Conflict."""
        self._states.put_latest(template.id, latest, etag)

    # --- what was found right

    def checked(self, template: Template) -> StoredCheck:
        """Return which of the template's days were found to be scored right; a tick does not read it."""
        return self._states.checked(template.id)

    def set_checked(self, template: Template, days: CheckedDays, etag: ETag) -> None:
        """Write which days were found right on what was read; raises Conflict."""
        self._states.put_checked(template.id, days, etag)

    # --- what a crash or the release before left apart

    def mend(self) -> None:
        """Bring the index in step with the heads, take over what the release before wrote, remove what is nobody's."""
        heads, listed = self._heads(), self._states.all(changed=False)
        for name in sorted(heads | listed.generations.keys()):
            _each(name, lambda name=name: self._mend(name, listed))  # type: ignore[misc]
        if not listed.complete:
            self._states.complete()

    def _mend(self, platform: str, listed: Listed) -> None:
        head = get_entity(self._table, platform, HEAD)
        self._bring_one_in_step(platform, head, listed)
        if head is None and self._is_gone(platform):
            return
        known = series_by_template(self.platform(platform).platform)  # after what is listed was read
        for template, rows in listed.own.items():
            if template in known:
                self._states.drop(template, sensors_in(rows) - known[template].keys(), touch=False)
            elif template.partition("-")[0] == platform:
                self._states.remove(template)

    def _bring_in_step(self) -> None:
        """Do what ``mend`` does where that costs little: a head is read of each platform."""
        listed = self._states.generations()
        heads = {name: get_entity(self._table, name, HEAD) for name in sorted(listed.generations)}
        if not listed.complete or any(head is not None and not head.get(GENERATION) for head in heads.values()):
            self.mend()  # the release before is at work, or was: it may have made platforms, too
            return
        for name, head in heads.items():
            _each(name, lambda name=name, head=head: self._bring_one_in_step(name, head, listed))  # type: ignore[misc]

    def _bring_one_in_step(self, platform: str, head: TableEntity | None, listed: Listed) -> None:
        if head is None and self._is_gone(platform):
            self._states.forget_platform(platform, self._states.named(platform))
        elif head is None or not head.get(GENERATION):
            self._take_over(platform, None if head is None else etag_of(head), even_nothing=True)
        elif head[GENERATION] != listed.generations.get(platform):
            self._commit_head(platform, [], etag_of(head))

    def _is_gone(self, platform: str) -> bool:
        return get_entity(self._table, platform, PLATFORM, ["RowKey"]) is None

    def _take_over(self, platform: str, etag: ETag, *, even_nothing: bool = False) -> bool:
        """Take over what the release before wrote, and name the head that it left; return whether there was anything.

        Its own rows stay as they are: it goes on from them, beside this one or after it.
        """
        legacy = legacy_of(self._rows(platform))
        if legacy:
            self._states.move(legacy)
        if legacy or even_nothing:
            self._commit_head(platform, [], etag)
        return bool(legacy)

    def remove_legacy(self, platform: str) -> int:
        """Take over what the release before kept, and remove its rows; return how many. No old release may run."""

        def attempt(_: bool) -> int:
            rows = self._rows(platform)
            keys = [row["RowKey"] for row in rows if row["RowKey"].partition("|")[0] in (INGEST, LATEST)]
            if keys:
                self._states.move(legacy_of(rows))
                etag = next((etag_of(row) for row in rows if row["RowKey"] == HEAD), None)
                for begin in range(0, len(keys), MOST_OPERATIONS):
                    some = [delete(platform, key) for key in keys[begin : begin + MOST_OPERATIONS]]
                    etag = self._commit_head(platform, some, etag)[0]
            return len(keys)

        return after_conflicts(attempt, f"platform {platform}")


def _all_of(record: Registration) -> Registration:
    """Return the record; raises ValueError where only a part of the platform was read: the rest would be removed."""
    if not record.whole:
        raise ValueError(f"{record.platform.id} was read in part, and cannot be changed by that")
    return record


def _narrowed(known: Known, names: Sequence[str]) -> Known:
    """Return what is known of a platform with some of its templates alone."""
    platform = known.registration.platform
    templates = tuple(one for one in platform.templates if one.id in names)
    sensors = {sensor.id for one in templates for sensor in one.sensors}
    registration = replace(
        known.registration,
        platform=platform.model_copy(update={"templates": templates}),
        stored={sensor: one for sensor, one in known.registration.stored.items() if sensor in sensors},
        whole=False,
    )
    return known._replace(registration=registration)


def _each(platform: str, work: Callable[[], object]) -> None:
    """Do it for one platform; what fails is done by the next run."""
    try:
        work()
    except (Conflict, NotFound, *UNREADABLE) as error:
        logger.warning("platform %s could not be brought in step: %s", platform, error)
