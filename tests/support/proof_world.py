"""A world in which proof tests are played: what is real, and beside it what is kept apart, on one lake."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.domain.performance import PointRate, Statements
from shared.domain.proof_test import PROOF_PLATFORM, ProofTest
from shared.usecases.proof.copy_readings import CopyReadings
from shared.usecases.proof.judge import Judge
from shared.usecases.proof.leak_to_find import ChooseLeak
from shared.usecases.proof.proof_tests import PlayProofTests
from shared.usecases.proof.space import ProofSpace
from tests.support.examples import quiet_baseline, statements
from tests.support.fakes import Cells, World
from tests.support.tidal_world import DAYS, NOW, TEMPLATE, world

PROMISED_KG_S = 1e-4
PATIENCE = timedelta(minutes=60)
WEEK = timedelta(days=7)


def cells_of(one: World) -> dict[str, Cells[Any]]:
    """Return the rows of all tables of a world, by the table's name."""
    held = {name: value for name, value in vars(one).items() if name != "lake"}
    tables = {name: value.cells for name, value in held.items() if isinstance(getattr(value, "cells", None), Cells)}
    return tables | {
        f"registry {name}": value for name, value in vars(one.registry).items() if isinstance(value, Cells)
    }


@dataclass
class ProofWorld:
    """A template that is scored and has a statement, half an hour after its last reading."""

    real: World = field(default_factory=world)
    every: timedelta = timedelta(0)
    except_for: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.apart = World(self.real.writes)
        self.apart.lake, self.apart.clock = self.real.lake, self.real.clock
        self.real.clock.moment = NOW
        for number in range(DAYS):
            self.real.detect.run("troll", TEMPLATE.id, (NOW - timedelta(days=DAYS - number)).date())
        self.real.restart()
        self.promise(PROMISED_KG_S)

    def promise(self, rate_kg_s: float) -> None:
        """State that a leak of this rate is found at the known leak point."""
        newest = statements(TEMPLATE.id).newest
        versions = {sensor.id: quiet_baseline().version for sensor in TEMPLATE.sensors}
        update = {
            "unknown": (),
            "points": (PointRate(name="P1", rate_kg_s=rate_kg_s),),
            "inputs": newest.inputs.model_copy(update={"baselines": versions}),
        }
        newest = newest.model_copy(update=update)
        stored = self.real.statements.get(TEMPLATE.id)
        self.real.statements.put(TEMPLATE.id, Statements(newest=newest), stored.etag if stored else None)

    @property
    def tests(self) -> PlayProofTests:
        """The use case."""
        space = ProofSpace(
            store=self,
            registry=self.apart.registry,
            lake=self.apart.lake,
            baselines=self.apart.baselines,
            deviations=self.apart.deviations,
            incidents=self.apart.incidents,
            estimations=self.apart.estimations,
        )
        return PlayProofTests(
            table=self.real.proof_tests,
            statements=self.real.statements,
            registry=self.real.registry,
            lake=self.real.lake,
            incidents=self.real.incidents,
            journal=self.real.journal_table,
            space=space,
            choose=ChooseLeak(lake=self.real.lake, baselines=self.real.baselines),
            copy=CopyReadings(lake=self.real.lake, baselines=self.real.baselines, space=space),
            judge=Judge(deviations=self.real.deviations, space=space, patience=PATIENCE),
            clock=self.real.clock,
            every=self.every,
            except_for=self.except_for,
        )

    def clear(self) -> None:
        """Remove what is kept apart, as the adapter does: readings first."""
        for key in [one for one in self.real.lake.cells.rows if one[0].startswith(f"{PROOF_PLATFORM}-")]:
            self.real.lake.cells.remove(key)
        for cells in cells_of(self.apart).values():
            for key in list(cells.rows):
                cells.remove(key)
        self.apart.deviations.memory.clear()

    def detect(self) -> None:
        """Deliver the blob events of the copy, newest day first."""
        for name, day in sorted(self.real.lake.cells.rows, reverse=True):
            if name.startswith(f"{PROOF_PLATFORM}-"):
                self.apart.detect.run(PROOF_PLATFORM, name, day)

    def traces(self) -> set[str]:
        """Return what is there of proof tests outside of their own table and the journal."""
        left = {f"apart {name}" for name, cells in cells_of(self.apart).items() if cells.rows}
        left |= {f"lake {key}" for key in self.real.lake.cells.rows if key[0].startswith(f"{PROOF_PLATFORM}-")}
        return left

    def real_rows(self) -> dict[str, dict[Any, bytes]]:
        """Return every row of every real table as bytes, but those of proof tests."""
        return {
            name: {key: data for key, (data, _) in cells.rows.items() if not _tells_of_a_test(name, data)}
            for name, cells in cells_of(self.real).items()
            if name != "proof_tests"
        }

    def last(self) -> ProofTest:
        """Return the newest test that is over."""
        last = self.tests.view(TEMPLATE.id).tests.last
        assert last is not None
        return last


def _tells_of_a_test(table: str, data: bytes) -> bool:
    return table == "journal_table" and b'"proof_' in data
