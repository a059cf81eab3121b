"""What every list in pages takes."""

from typing import Annotated

from pydantic import Field

from functions.http.parameters import Continuation, Parameters, WholeNumber
from shared.settings import settings

MOST = settings().query.max_items


class ListPage(Parameters):
    """Which page of a list, and how long it is."""

    limit: Annotated[WholeNumber, Field(ge=1, le=MOST, description="Most items in the answer.")] = min(100, MOST)
    continuation: Continuation
