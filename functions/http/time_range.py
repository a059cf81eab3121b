"""The time range of a series, as endpoints and pages take it in their query."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from functions.http.parameters import MomentText, Parameters
from shared.bootstrap import app
from shared.settings import settings
from shared.usecases.queries.series import TimeRange

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
