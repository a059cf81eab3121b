"""Suppressions: what is shelved, out of service or planned, over all platforms, newest beginning first."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.alarm import Alarm
from shared.domain.suppression import SUPPRESSION_PATTERN, Suppression, SuppressionState, lasting, suppressing
from shared.domain.tsd import utc
from shared.errors import InvalidInput, NotFound
from shared.ports import Clock, ListPage, RegistryTable, SuppressionsTable
from shared.usecases.lookup import look_up_template
from shared.usecases.queries.as_of import AsOf

_PLACE = r"[0-9]{8}T[0-9]{6}Z~" + SUPPRESSION_PATTERN.strip("^$")  # of a suppression in the list


@dataclass(frozen=True, kw_only=True)
class SuppressionFilter:
    """Which are asked for; None: all."""

    platform: str | None = None
    template: str | None = None
    in_force: bool | None = None


@dataclass(frozen=True, kw_only=True)
class SuppressionQueries:
    """Reads suppressions."""

    registry: RegistryTable
    table: SuppressionsTable
    as_of: AsOf
    clock: Clock

    def suppressing(self, alarms: Sequence[Alarm], moment: datetime | None) -> Sequence[tuple[Suppression, ...]]:
        """Return what keeps each of the alarms from calling, as it was known at a moment; None: now."""
        if moment is None:
            now = self.clock.now()
            known = self.table.lasting(now)
            return [suppressing(one, known, now) for one in alarms]
        then = {name: self.as_of.suppressions(name, moment) for name in {one.incident.platform for one in alarms}}
        return [suppressing(one, then[one.incident.platform], moment) for one in alarms]

    def suppression(self, name: str) -> Suppression:
        """Return the suppression of that id; raises NotFound."""
        stored = self.table.get(name)
        if stored is None:
            raise NotFound(f"suppression {name!r} is not stored")
        return stored.suppression

    def lasting(self) -> Sequence[Suppression]:
        """Return what is in force or planned, over all platforms, in order of its beginning."""
        return lasting(self.table.lasting(self.clock.now()), self.clock.now())

    def state(self, one: Suppression) -> SuppressionState:
        """Return where it is in its life now."""
        return one.state(self.clock.now())

    def out_of_service(self, platform: str | None) -> Mapping[str, Suppression]:
        """Return what is said of the sensors, by id, that are out of service now: a platform's, or all."""
        now = self.clock.now()
        return {one.sensor: one for one in self.table.lasting(now, platform) if one.sensor and one.in_force(now)}

    def list(self, wanted: SuppressionFilter, limit: int, after: str | None = None) -> ListPage[Suppression]:
        """Return so many after a page, those that begin last first; raises NotFound or InvalidInput."""
        now = self.clock.now()
        if after is not None and not re.fullmatch(_PLACE, after):
            raise InvalidInput("continuation: must be what the page before gave")
        found = [
            one
            for one in self._of(wanted)
            if (wanted.template is None or one.concerns(wanted.template))
            and wanted.in_force in (None, one.in_force(now))
        ]
        found.sort(key=_place, reverse=True)
        rest = [one for one in found if after is None or _place(one) < after]
        return ListPage.of(rest[:limit], _place(rest[limit - 1]) if len(rest) > limit else None)

    def _of(self, wanted: SuppressionFilter) -> Iterable[Suppression]:
        """Return what is stored of the platforms that are asked for; what cannot be in the answer may be missing."""
        if wanted.in_force:
            return self.table.lasting(self.clock.now(), self._platform(wanted))
        return [one for name in self._platforms(wanted) for one in self.table.of(name)]

    def _platforms(self, wanted: SuppressionFilter) -> Sequence[str]:
        platform = self._platform(wanted)
        if platform is not None:
            return [platform]
        known = self.registry.platforms()
        return [*(one.platform.id for one in known), *known.unreadable]

    def _platform(self, wanted: SuppressionFilter) -> str | None:
        if wanted.template is not None:
            return look_up_template(self.registry, wanted.template)[0].platform.id
        return None if wanted.platform is None else self.registry.platform(wanted.platform).platform.id


def _place(one: Suppression) -> str:
    return f"{utc(one.start):%Y%m%dT%H%M%SZ}~{one.id}"
