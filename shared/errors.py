"""The errors of this system: one class for each decision that a caller takes."""

from collections.abc import Mapping


class LeakDetectionError(Exception):
    """Base of every error that this system raises on purpose."""


class SettingsError(LeakDetectionError):
    """A setting is missing or wrong; the message names every one of them at once."""


class InvalidInput(LeakDetectionError, ValueError):
    """Input that can never succeed, however often it is delivered: the caller has to change it."""


class NotFound(LeakDetectionError):
    """The named platform, template, sensor or incident does not exist."""


class CorruptBlob(LeakDetectionError):
    """A blob of the lake or a stored baseline cannot be read; it is kept as it is for a person to look at."""


class NewerSchema(LeakDetectionError):
    """A newer release wrote what this one cannot read: it stays as it is, and whoever can read it does the work."""


class OtherEngine(LeakDetectionError):
    """A baseline was made by another detection engine: what was scored by it stands until it is made anew."""


class Conflict(LeakDetectionError):
    """Somebody else wrote the same row or blob in between; read again and recompute."""


class Exists(LeakDetectionError):
    """What is to be created is there already."""


class HasData(LeakDetectionError):
    """What is to be deleted takes other things with it: nothing was deleted, the caller has to insist."""

    def __init__(self, what: str, contents: Mapping[str, int]) -> None:
        """Name what would go with it, by kind."""
        self.contents = {kind: count for kind, count in contents.items() if count}
        listed = ", ".join(f"{count} {kind}" for kind, count in self.contents.items())
        super().__init__(f"{what} would go with {listed}; ?force=true deletes them all")


class PreconditionFailed(LeakDetectionError):
    """What the caller wants to change is not what the caller has seen."""


class NotDelivered(LeakDetectionError):
    """Whoever is to be told of an alarm did not take the notice; it is sent again."""


class SourceError(LeakDetectionError):
    """A data source did not give a usable answer; the next run asks again."""
