"""Tables: what JSON says, line by line, with the same columns whatever is in a page."""

import csv
import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.http.reply import listing, listing_of, to_json
from functions.http.tables import is_list, to_csv
from shared.domain.validation import Model


class Inner(Model):
    """What an item may hold."""

    some_level: str
    value: float | None = None


class Item(Model):
    """An item of a list."""

    id: str
    open: bool = True
    newest: Inner | None = None
    names: tuple[str, ...] = ()


def rows(*items: Item) -> list[dict[str, Any]]:
    """Return the items' table as a reader of CSV has it."""
    return list(csv.DictReader(io.StringIO(to_csv(listing(items), listing_of(Item)))))


def test_a_line_has_what_the_item_has() -> None:
    """Objects by their names and a dot, lists as JSON, numbers without binary noise."""
    (row,) = rows(Item(id="a", newest=Inner(some_level="Ok", value=0.1 + 0.2), names=("one", "two")))
    assert row == {
        "id": "a",
        "open": "true",
        "newest.someLevel": "Ok",
        "newest.value": "0.3",
        "names": '["one", "two"]',
    }


def test_the_columns_are_the_same_of_an_empty_page() -> None:
    """A script that reads a column finds it, whatever is known of an item, or without any."""
    nothing = to_csv(listing(()), listing_of(Item)).strip()
    assert nothing == "id,open,newest.someLevel,newest.value,names"
    (row,) = rows(Item(id="a"))
    assert ",".join(row) == nothing
    assert row["newest.value"] == ""


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_what_people_write_comes_back_as_it_is(text: str) -> None:
    """Commas, quotes and anything else."""
    assert rows(Item(id=text), Item(id="next"))[0]["id"] == text


def test_only_pages_of_lists_are_lists() -> None:
    """All else is JSON unless its endpoint says more."""
    assert is_list(listing_of(Item))
    assert not is_list(Item)
    assert not is_list(Item | None)


@given(st.decimals(-99_999_999, 99_999_999, places=4))
def test_a_number_is_as_it_was_given(number: Any) -> None:
    """Up to twelve digits nothing is lost, and nothing comes on top."""
    value = float(number)
    assert to_json(Inner(some_level="", value=value + 0.0)).endswith(f'"value":{value!r}}}'.encode())
