"""Faults at the ports: every call of one process is counted, and may be struck before it, within it or after it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from shared.errors import Conflict, SourceError
from tests.support.fakes import Crash, Writes

if TYPE_CHECKING:
    from chaos.steps import Run

Kind = Literal["crash before", "crash within", "crash after", "error", "answer lost", "conflict", "meanwhile"]
CONDITIONAL = {
    ("registry", "change"),
    ("registry", "begin_deletion"),
    ("registry", "set_ingested"),
    ("registry", "set_history"),
    ("registry", "set_latest"),
    ("lake", "write"),
    ("deviations", "put"),
    ("incidents", "put"),
    ("estimations", "put"),
    ("events", "replace"),
    ("marks", "add"),
}


READS = (
    "get",
    "read",
    "of",
    "list",
    "days",
    "etag",
    "range",
    "columns",
    "summaries",
    "platform",
    "platforms",
    "resolve",
)


class Unavailable(Exception):
    """Storage does not answer, or its answer does not arrive."""


@dataclass(frozen=True)
class Fault:
    """What befalls one port call of a run, by its number; ``run`` is what another process does meanwhile."""

    kind: Kind
    call: int
    run: "Run | None" = None


Choose = Callable[[int, str, str], Fault | None]  # number of the call, port, method


def as_planned(faults: tuple[Fault, ...]) -> Choose:
    """Return the choice of these faults."""
    by_call = {one.call: one for one in faults}
    return lambda call, _port, _method: by_call.get(call)


@dataclass
class Strikes:
    """Counts the port calls of a run and does what is chosen; after a crash, no call of the process succeeds."""

    writes: Writes
    meanwhile: Callable[["Run"], None]
    choose: Choose = field(default=as_planned(()))
    calls: int = 0
    struck: list[tuple[Fault, str]] = field(default_factory=list)  # with the port and method
    _dead: bool = False

    def begin(self, choose: Choose) -> None:
        """Begin a run."""
        self.choose, self.calls, self.struck, self._dead = choose, 0, [], False

    def call(self, port: str, method: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Call the port, unless the process dies before."""
        if self._dead:
            raise Crash
        self.calls += 1
        fault = self.choose(self.calls, port, method)
        if fault is None:
            return function(*arguments, **named)
        self.struck.append((fault, f"{port}.{method}"))
        return self._strike(fault, port, partial(function, *arguments, **named))

    def _strike(self, fault: Fault, port: str, function: Callable[[], Any]) -> Any:
        match fault.kind:
            case "error":
                raise _unavailable(port)
            case "conflict":
                raise Conflict(f"{port} changed in between")
            case "crash before":
                self._die()
            case "crash within":
                self._cut_short(function)
            case "crash after":
                function()
                self._die()
            case "answer lost":
                function()
                raise _unavailable(port)
            case "meanwhile":
                if fault.run is not None:
                    self.meanwhile(fault.run)
        return function()

    def _cut_short(self, function: Callable[[], Any]) -> None:
        """Let the process die at the second write of the call, or after it where there is none."""
        self.writes.crash_at = self.writes.count + 2
        try:
            function()
        except Crash:
            self._dead = True
            raise
        finally:
            self.writes.crash_at = None
        self._die()

    def _die(self) -> None:
        self._dead = True
        raise Crash


def _unavailable(port: str) -> Exception:
    return SourceError("the source does not answer") if port == "source" else Unavailable(f"{port} does not answer")


class Watched:
    """A port whose every call is counted, and struck where that was chosen."""

    def __init__(self, name: str, port: object, strikes: Strikes) -> None:
        """Stand for that port."""
        self._name, self._port, self._strikes = name, port, strikes

    def __getattr__(self, name: str) -> Any:
        """Return the port's method, watched; what is no method as it is."""
        if name.startswith("_"):  # who copies a stage asks for such
            raise AttributeError(name)
        found = getattr(self._port, name)
        return partial(self._strikes.call, self._name, name, found) if callable(found) else found
