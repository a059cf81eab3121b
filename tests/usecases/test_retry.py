"""After a conflict: read again and try again, a little later, and not for ever."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from shared.errors import Conflict, Exists, HasData, NewerSchema
from shared.retry import FIRST_WAIT_S, LONGEST_WAIT_S, TRIES, after_conflicts


@pytest.fixture
def waits() -> Iterator[list[float]]:
    """How long was waited between tries, without waiting."""
    found: list[float] = []
    with patch("shared.retry.time.sleep", found.append):
        yield found


def test_what_meets_nobody_is_tried_once(waits: list[float]) -> None:
    """And is told that it is no repetition."""
    assert after_conflicts(lambda again: again, "row") is False
    assert not waits


def test_what_meets_somebody_is_tried_again_until_it_meets_nobody(waits: list[float]) -> None:
    """Each repetition knows that it is one, so that it reads again."""
    repeated: list[bool] = []

    def attempt(again: bool) -> int:
        repeated.append(again)
        if len(repeated) < 4:
            raise Conflict("somebody was faster")
        return 7

    assert after_conflicts(attempt, "row") == 7
    assert repeated == [False, True, True, True]
    assert len(waits) == 3


def test_the_last_conflict_is_raised(waits: list[float]) -> None:
    """Whoever called decides; the waits grow, and are never long."""

    def attempt(again: bool) -> None:
        raise Conflict(f"after {len(waits)}")

    with (
        patch("shared.retry.dice.uniform", lambda _, most: most),
        pytest.raises(Conflict, match=f"after {TRIES - 1}"),
    ):
        after_conflicts(attempt, "row")
    assert waits == [min(FIRST_WAIT_S * 2**number, LONGEST_WAIT_S) for number in range(TRIES - 1)]


def test_two_that_met_wait_differently() -> None:
    """Else they would meet again."""
    found: list[float] = []

    def attempt(again: bool) -> None:
        raise Conflict("again")

    with patch("shared.retry.time.sleep", found.append), pytest.raises(Conflict):
        after_conflicts(attempt, "row")
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("error", [Exists("it"), HasData("it", {"rows": 1}), NewerSchema("it"), ValueError("it")])
def test_what_is_final_is_not_tried_again(error: Exception, waits: list[float]) -> None:
    """What exists goes on to exist."""
    tries: list[bool] = []

    def attempt(again: bool) -> None:
        tries.append(again)
        raise error

    with pytest.raises(type(error)):
        after_conflicts(attempt, "row")
    assert tries == [False]
    assert not waits
