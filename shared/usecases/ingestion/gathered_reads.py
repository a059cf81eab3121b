"""Gathers what several templates' runs ask of one source at the same time into one request.

Each run works in a thread of its own and asks when it is ready; once all that still run have asked, or the first one
has waited long enough, one of them asks for all. A series that several ask for, as of the sea, is asked for once. Where
the source fails that request, each asks by itself, a few at a time: a series that hangs delays its own template alone.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.domain.tsd import Reading
from shared.errors import SourceError
from shared.ports import Answers, ReadingSource, SourceSeries, Window

PATIENCE_S = 10.0  # that the first one waits for others at most: storage may hold one of them up


@dataclass(eq=False)
class _Asked:
    """What one run asks for, and what became of it."""

    windows: Sequence[Window]
    done: bool = False
    found: Answers[Sequence[Reading]] | None = None  # None, when done: it is to be asked alone
    error: BaseException | None = None


@dataclass
class GatheredReads:
    """A source as so many runs see it that ask together; each says when it has ended (``leave``)."""

    source: Callable[[], ReadingSource]  # raises SourceError or SettingsError where there is none
    runs: int  # that are still at work
    alone: int  # how many may ask by themselves at the same time, where they cannot together
    is_over: Callable[[], bool]  # whether nothing is to be asked any more
    patience_s: float = PATIENCE_S
    _waiting: list[_Asked] = field(default_factory=list)
    _is_asking: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        """Let only so many ask by themselves."""
        self._alone = threading.BoundedSemaphore(self.alone)

    def resolve(self, facility: str, tags: Sequence[str]) -> Answers[SourceSeries]:
        """Return the source's series for each tag."""
        return self.source().resolve(facility, tags)

    def read(self, windows: Sequence[Window]) -> Answers[Sequence[Reading]]:
        """Return each window's buckets by series id; raises SourceError."""
        asked = _Asked(windows)
        with self._changed:
            self._waiting.append(asked)
            self._changed.notify_all()
            self._changed.wait_for(lambda: asked.done or self._all_wait(), self.patience_s)
            while not asked.done and self._is_asking:
                self._changed.wait()
            together = [] if asked.done else self._take()
        if together:
            self._ask(together)
        if asked.error is not None:
            raise asked.error
        return self._by_itself(windows) if asked.found is None else asked.found

    def leave(self) -> None:
        """Say that one of the runs has ended, and asks for nothing any more."""
        with self._changed:
            self.runs -= 1
            self._changed.notify_all()

    def _all_wait(self) -> bool:
        return not self._is_asking and len(self._waiting) >= self.runs

    def _take(self) -> list[_Asked]:
        """Take all that wait; this thread asks for them."""
        together, self._waiting, self._is_asking = self._waiting, [], True
        return together

    def _ask(self, together: Sequence[_Asked]) -> None:
        """Ask for all of them, and let each go on with its own."""
        try:
            found = self._together([one.windows for one in together])
            for one, answers in zip(together, found, strict=True):
                one.found = answers
        except SourceError as error:
            if len(together) == 1:
                together[0].error = error
        except BaseException as error:
            for one in together:
                one.error = error
        finally:
            with self._changed:
                for one in together:
                    one.done = True
                self._is_asking = False
                self._changed.notify_all()

    def _together(self, several: Sequence[Sequence[Window]]) -> list[Answers[Sequence[Reading]]]:
        """Return what each asks for; where several ask for parts of a series that meet, it is asked for once."""
        rounds: list[dict[str, Window]] = []  # a series at most once in each
        for window in _joined(one for windows in several for one in windows):
            free = next((one for one in rounds if window.series not in one), None)
            if free is None:
                rounds.append(free := {})
            free[window.series] = window
        readings: dict[str, list[Reading]] = {}
        problems: dict[str, str] = {}
        for one in rounds:
            answers = self.source().read(list(one.values()))
            for series, found in answers.items():
                readings.setdefault(series, []).extend(found)
            problems |= answers.problems
        return [_of(windows, readings, problems) for windows in several]

    def _by_itself(self, windows: Sequence[Window]) -> Answers[Sequence[Reading]]:
        with self._alone:
            if self.is_over():
                raise SourceError("the time was used up by others that had asked for it together")
            return self.source().read(windows)


def _joined(windows: Iterable[Window]) -> Iterator[Window]:
    """Yield windows that hold all of these; of each series, none of which meet."""
    last: Window | None = None
    for one in sorted(windows, key=lambda window: (window.series, window.start)):
        if last is not None and one.series == last.series and one.start <= last.end:
            last = replace(last, end=max(last.end, one.end))
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def _of(
    windows: Sequence[Window], readings: Mapping[str, Sequence[Reading]], problems: Mapping[str, str]
) -> Answers[Sequence[Reading]]:
    """Return one run's part of the answers."""
    return Answers(
        {
            one.series: [reading for reading in readings[one.series] if one.start <= reading.time < one.end]
            for one in windows
            if one.series in readings and one.series not in problems
        },
        {one.series: problems[one.series] for one in windows if one.series in problems},
    )
