"""The errors of this system: one class for each decision that a caller takes."""


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


class Conflict(LeakDetectionError):
    """Somebody else wrote the same row or blob in between; read again and recompute."""


class SourceError(LeakDetectionError):
    """OMNIA did not give a usable answer; the next run asks again."""
