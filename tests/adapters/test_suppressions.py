"""Suppressions on real storage: round trips, conditional writes, and what is asked for by one query."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.bootstrap import Bootstrap
from shared.errors import Conflict
from shared.ports import StoredSuppression
from tests.support.filled import NOW
from tests.support.record_formats import suppressions

pytestmark = pytest.mark.azurite


def test_suppressions_survive_the_table(make_app: Callable[..., Bootstrap], unique: str) -> None:
    """Each is written on what was read; what is over is listed, and not among what lasts."""
    table = make_app(unique).suppressions_table
    shelved, out, called_off = suppressions()
    for one in (shelved, out, called_off):
        assert table.get(one.id) is None
        table.put(StoredSuppression(one, 1, None))
    seen = table.get(shelved.id)
    assert seen is not None
    assert (seen.suppression, seen.entries) == (shelved, 1)
    renewed = shelved.model_copy(update={"end": NOW + timedelta(days=3)})
    table.put(StoredSuppression(renewed, 2, seen.etag))
    for etag in (seen.etag, None):
        with pytest.raises(Conflict):
            table.put(StoredSuppression(shelved, 2, etag))
    assert {one.id for one in table.of("snorre")} == {shelved.id, out.id, called_off.id}
    assert {one.id for one in table.lasting(NOW)} == {shelved.id, out.id}
    assert table.lasting(NOW + timedelta(days=1), "snorre") == [renewed]
    assert table.lasting(NOW, "troll") == table.of("troll") == []
