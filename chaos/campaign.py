"""The campaign in process: histories by seed and number until so many faults have struck, counted and resumable."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from chaos.dice import Drawn, draw
from chaos.play import end, play, where
from chaos.shrink import shrunk
from chaos.steps import Ingested, Run
from chaos.written import write_test


@dataclass
class Score:
    """What has been tried with a seed, and what came of it."""

    seed: int
    histories: int = 0
    right: int = 0
    faults: Counter[str] = field(default_factory=Counter)  # by kind
    places: Counter[str] = field(default_factory=Counter)  # by port and method
    events: Counter[str] = field(default_factory=Counter)  # what happened, by kind
    failures: dict[str, int] = field(default_factory=dict)  # number of the history, by the test that was written
    wrong: Counter[str] = field(default_factory=Counter)  # by the table that is wrong first

    @classmethod
    def begun(cls, file: Path, seed: int) -> Self:
        """Return the score that a file holds of the seed; a new one where there is none."""
        if not file.exists():
            return cls(seed)
        held: dict[str, Any] = json.loads(file.read_text())
        return cls(**held | {name: Counter(held[name]) for name in COUNTERS})

    def store(self, file: Path) -> None:
        """Write it down, whole or not at all."""
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_suffix(".new")
        aside.write_text(json.dumps(vars(self), indent=1))
        aside.replace(file)

    def count(self, drawn: Drawn, found: list[str]) -> None:
        """Count a history, and in what it was wrong."""
        self.histories += 1
        self.right += not found
        self.faults.update(kind for kind, _ in drawn.faults)
        self.places.update(place for _, place in drawn.faults)
        for step in drawn.history.steps:
            self.events[type(step).__name__] += 1
            if isinstance(step, Ingested) and step.jump:
                self.events["Ingested, clock a day wrong"] += 1
            if isinstance(step, Run) and len(step.faults) > 1:
                self.events["runs with two faults"] += 1
        if found:
            self.wrong[where(found)] += 1


COUNTERS = {"faults", "places", "events", "wrong"}


@dataclass(frozen=True)
class Campaign:
    """Tries histories of a seed; the same seed tries the same ones, wherever it was stopped."""

    score: Score
    folder: Path  # of the tests that are written
    most_written: int = 3  # per table that is wrong first

    def run(self, faults: int) -> Iterator[int]:
        """Try histories until so many faults have struck; yields how many each of them brought."""
        while self.score.faults.total() < faults:
            number = self.score.histories
            drawn = draw(f"{self.score.seed}/{number}")
            found = end(drawn.stage, drawn.history.order)
            self.score.count(drawn, found)
            if found and self.score.wrong[where(found)] <= self.most_written:
                self._write(number, drawn, found)
            yield len(drawn.faults)

    def _write(self, number: int, drawn: Drawn, found: list[str]) -> None:
        """Write the history as a test, as short as it still fails in the same table."""
        short = shrunk(drawn.history, lambda one: where(play(one) or [""]) == where(found))
        name = f"seed_{self.score.seed}_history_{number}"
        path = write_test(self.folder, name, short, play(short) or found)
        self.score.failures[str(path)] = number
