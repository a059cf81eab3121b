"""The data sources by name, each built when it is first read."""

from collections.abc import Callable, Iterator, Mapping
from threading import Lock

from shared.ports import ReadingSource


class Sources(Mapping[str, ReadingSource]):
    """The configured sources; a name that is not among them is a KeyError; threads may share it."""

    def __init__(self, builders: Mapping[str, Callable[[], ReadingSource]]) -> None:
        """Take what builds each source; nothing is built before it is asked for."""
        self._builders = builders
        self._built: dict[str, ReadingSource] = {}
        self._lock = Lock()

    def __getitem__(self, name: str) -> ReadingSource:
        """Return the source of that name, always the same one; raises SettingsError where it cannot be built."""
        with self._lock:
            if name not in self._built:
                self._built[name] = self._builders[name]()
            return self._built[name]

    def __contains__(self, name: object) -> bool:
        """Return whether there is a source of that name, without building it."""
        return name in self._builders

    def __iter__(self) -> Iterator[str]:
        """Return the names."""
        return iter(self._builders)

    def __len__(self) -> int:
        """Return how many sources there are."""
        return len(self._builders)
