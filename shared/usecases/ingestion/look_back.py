"""When a run looks how far back for what its source has only by now, or has corrected.

Every run asks for the overlap. The last day is asked for once an hour, the last week once a day, and everything that
may still come once a week; and each of them at once, when what was asked for last had changed in its older half: then
what lies before it may have, too.
"""

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from shared.domain.tsd import BUCKET, ONE_DAY

ONE_HOUR, ONE_WEEK = timedelta(hours=1), timedelta(weeks=1)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Look(NamedTuple):
    """A look back: how far, and how often."""

    depth: timedelta
    period: timedelta


def looks(longest: timedelta) -> Iterator[Look]:
    """Yield the looks back in order of depth, none deeper than ``longest``."""
    for depth, period in ((ONE_DAY, ONE_HOUR), (ONE_WEEK, ONE_DAY), (longest, ONE_WEEK)):
        yield Look(min(depth, longest), period)


def is_due(look: Look, looked_back: datetime | None, present: datetime, template: str) -> bool:
    """Return whether a period has begun since it was looked back last.

    Each template's periods begin at another time, all of its own together: one that is due includes the shorter ones.
    """
    if looked_back is None:
        return True
    offset = zlib.crc32(template.encode()) % (ONE_WEEK // BUCKET) * BUCKET
    return (present - BEGINNING - offset) // look.period > (looked_back - BEGINNING - offset) // look.period
