"""Times in a query: the range of a series, and the moment as of which something is asked for."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from functions.http.parameters import MomentText, Parameters
from shared.bootstrap import app
from shared.settings import settings
from shared.usecases.queries.series import TimeRange, moment

AS_GIVEN = "ISO 8601; UTC where no zone is given, a date is its midnight."


class Range(Parameters):
    """Time range [from, to) of a series."""

    from_: Annotated[
        MomentText | None, Field(alias="from", description=f"The first moment. {AS_GIVEN} Default: a week before `to`.")
    ] = None
    to: Annotated[MomentText | None, Field(description=f"The first moment after it. {AS_GIVEN} Default: now.")] = None


def span_of(asked: Range) -> TimeRange:
    """Return the range that was asked for, within what the settings allow; raises InvalidInput."""
    bounds = settings().query
    default, longest = timedelta(days=bounds.default_days), timedelta(days=bounds.max_days)
    return TimeRange.parse(asked.from_, asked.to, app().clock.now(), default, longest)


class AsOf(Parameters):
    """A moment of the past, whose knowledge is asked for."""

    as_of: Annotated[MomentText | None, Field(description=f"As it was known then. {AS_GIVEN} Default: now.")] = None


def as_of(asked: AsOf) -> datetime | None:
    """Return the moment as of which something is asked for; None: now; raises InvalidInput."""
    return moment_of("asOf", asked.as_of)


def moment_of(name: str, given: str | None) -> datetime | None:
    """Return a moment that may be given; raise InvalidInput that names what it is."""
    return None if given is None else moment(name, given)
