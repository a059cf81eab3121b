"""The memory of running hosts, as Linux tells it."""

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

EVERY_S = 2.0  # counting pages takes time that the hosts need


class Memory:
    """Looks at processes while it is entered: ``peak_mb`` of all together, ``largest_mb`` of one of them.

    What processes share is counted once in the first, as far as it is shared, and wholly in the second.
    """

    def __init__(self, processes: Callable[[], Iterable[int]]) -> None:
        """Look at the processes that are there then."""
        self._processes = processes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_mb = self.largest_mb = 0.0

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look once more, and no more."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            ended = self._stop.wait(EVERY_S)
            found = [(_of(one, "smaps_rollup", "Pss:"), _of(one, "status", "VmHWM:")) for one in self._processes()]
            self.peak_mb = max(self.peak_mb, sum(shared for shared, _ in found))
            self.largest_mb = max([self.largest_mb, *(whole for _, whole in found)])
            if ended:
                return


def group_of(children: Iterable[int]) -> list[int]:
    """Return these processes and the one whose group they are in; what has ended meanwhile is left out."""
    found: dict[int, None] = {}
    for one in children:
        try:
            found |= {os.getpgid(one): None, one: None}
        except ProcessLookupError:
            continue
    return list(found)


def _of(process: int, file: str, name: str) -> float:
    """Return what a process' file says under a name [MB]; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/{file}").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)
