"""What must be right in the end: everything that is stored equals what a clean run makes of sea, lake and decisions.

The lake is held against a lake that was asked of the sea at the end; the tables, baselines and events against those
that are made of the lake as it is, and of people's decisions, from nothing. What may depend on the history:

- events of what was mended since: an unreadable blob, a clock that was ahead;
- since when a series is left out, up to when was looked back, from when on a series was asked for;
- that an alarm has returned, where the readings that ended its incident are gone: nothing was Critical since;
- the course of an incident's estimations, and baseline versions that no history names any more;
- that a decision was given before, where it was given again, and what baselines a sensor had before it was deleted;
- what a version was made of: a baseline change stays, whatever arrives late (decision 6), so the clean run takes over
  the versions of the same recipes;
- a row without any sample, of a day whose samples are not known any more;
- of which days before a sensor was created anew it is told that its series is unknown;
- everything of the sea while a template has no sensors;
- what a day holds of a series that cannot be read now, of a tag that no sensor reads now, and from before a series was
  made anew where the new one has nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from chaos.lakes import lakes_differ
from chaos.sea import at
from chaos.stage import INGEST, Stage
from chaos.steps import Daily, Ingested
from chaos.told import events_differ
from shared.domain.baseline_history import BaselineHistory
from shared.domain.event import Event
from shared.domain.ingest_state import IngestState
from shared.domain.tsd import TemplateDay
from tests.support.fakes import World


def differences(stage: Stage) -> list[str]:
    """Return where a stage that has settled is not as a clean run makes it, each in a line."""
    asked, scored = _asked_anew(stage), _scored_anew(stage)
    found = [*stage.surprises, *_baselines(stage.world), *_alarms(stage.world)]
    if stage.sensors:  # nothing of a template without sensors is asked for
        found += _lake(stage, asked.world)
        found += _differing("ingested", _ingested(stage.world), _ingested(asked.world))
    mine, theirs = _tables(stage.world), _tables(scored.world)
    for table, rows in mine.items():
        found += _differing(table, rows, theirs[table])
    left_out = [one for one in _told(asked.world) if one.kind == "series_left_out"]
    return [*found, *events_differ(_told(stage.world), [*_told(scored.world), *left_out], stage.deleted)]


def _alarms(world: World) -> list[str]:
    """Return where alarms that nothing took back are not the incidents, or a topic of the journal has a gap."""
    incidents = {one.id: one for one, _, _ in world.incidents.cells.values().values()}
    alarms = {key: one.alarm for key, one in world.alarms_table.cells.values().items() if one.alarm.withdrawn is None}
    found = [f"alarm {key}: it is on one side alone" for key in sorted(incidents.keys() ^ alarms.keys())]
    for key in sorted(incidents.keys() & alarms.keys()):
        mine, theirs = alarms[key].incident, incidents[key]
        seen_with_less = theirs.open and not mine.open and theirs.last_critical <= mine.last_critical
        if not seen_with_less and (mine.closed, mine.sensors) != (theirs.closed, theirs.sensors):
            found.append(f"alarm {key}: {mine} is not {theirs}")
    return found


# --- clean runs


def _asked_anew(stage: Stage) -> Stage:
    """Return a stage that asked the sea for everything, once, as it is now."""
    clean = _same_people(stage)
    clean.sea.series = stage.sea.series
    clean.must(Ingested())
    return clean


def _scored_anew(stage: Stage) -> Stage:
    """Return a stage that made everything of this one's lake, once."""
    clean = _same_people(stage)
    clean.world.lake.cells.rows = dict(stage.world.lake.cells.rows)
    clean.must(Daily())
    mine, theirs = stage.world.registry.histories, clean.world.registry.histories
    if mine.rows != theirs.rows and _recipes(mine.values()) == _recipes(theirs.values()):
        theirs.rows = dict(mine.rows)
        clean.world.baselines.cells.rows = dict(stage.world.baselines.cells.rows)
        clean.must(Daily())
    clean.heard()
    clean.drain()
    return clean


def _recipes(histories: Mapping[str, BaselineHistory]) -> Mapping[str, BaselineHistory]:
    """Return the histories without the names of the versions."""
    return {
        sensor: one.model_copy(update={"changes": tuple(c.model_copy(update={"version": ""}) for c in one.changes)})
        for sensor, one in histories.items()
    }


def _same_people(stage: Stage) -> Stage:
    """Return a stage on which the same is registered and decided, and nothing else."""
    clean = Stage(stage.clock.moment, replace(INGEST, backfill=stage.clock.moment - at(0)))
    clean.world.registry.known = dict(stage.world.registry.known)
    clean.world.marks.cells.rows = dict(stage.world.marks.cells.rows)
    return clean


# --- what is compared


def _tables(world: World) -> Mapping[str, Mapping[Any, Any]]:
    """Return what the tables hold, and the baselines that they name."""
    state = world.state()
    del state["events"]
    state["deviations"] = {
        key: (row.engine, state["deviations"][key], row.fault.tobytes(), repr((row.before, row.carry)), row.context)
        for key, row in world.deviations.cells.values().items()
        if row.level.size
    }
    state["latest"] = {(name, key): one for name, both in state["latest"].items() for key, one in both.items()}
    state["messages"] = dict(world.messages.lengths())
    return state


def _baselines(world: World) -> Iterator[str]:
    """Yield the versions that are named and not stored, or not what their names say."""
    for sensor, history in world.registry.histories.values().items():
        for version in dict.fromkeys(one.version for one in history.changes if one.version):
            baseline, _ = world.baselines.cells.get((sensor, version))
            if baseline is None or baseline.version != version:
                yield f"baselines {sensor} {version}: is not stored"


def _ingested(world: World) -> Mapping[Any, Any]:
    """Return of which series how much was asked for; of one that is left out, why."""
    return {
        (template, key): one.problem or (one.tag, one.source_id, one.until)
        for template, state in world.registry.ingested.values().items()
        for key, one in state.series.items()
    } | {(template, "failed"): state.failed for template, state in world.registry.ingested.values().items()}


def _lake(stage: Stage, expected: World) -> Iterator[str]:
    (template,) = stage.world.registry.known["troll"].templates
    state = stage.world.registry.ingested.values().get(template.id, IngestState())
    return lakes_differ(template, state, _documents(stage.world), _documents(expected))


def _documents(world: World) -> Mapping[date, TemplateDay]:
    return {day: one for (_, day), one in world.lake.cells.values().items() if isinstance(one, TemplateDay)}


def _told(world: World) -> list[Event]:
    return list(world.events.cells.values().values())


def _differing(table: str, mine: Mapping[Any, Any], theirs: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted(mine.keys() | theirs.keys(), key=str):
        if key not in theirs:
            yield f"{table} {_name(key)}: should not be there"
        elif key not in mine:
            yield f"{table} {_name(key)}: is missing"
        elif mine[key] != theirs[key]:
            yield f"{table} {_name(key)}: {_short(mine[key])} instead of {_short(theirs[key])}"


def _name(key: Any) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 120 else text[:117] + "..."
