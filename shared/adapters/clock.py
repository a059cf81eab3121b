"""What time it is: the machine's clock, or a fixed present for recorded data."""

from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time, UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A present that does not move, for demos and tests on recorded data."""

    def __init__(self, moment: datetime) -> None:
        """Stand still at ``moment`` (aware)."""
        self._moment = moment.astimezone(UTC)

    def now(self) -> datetime:
        """Return the fixed present, UTC."""
        return self._moment
