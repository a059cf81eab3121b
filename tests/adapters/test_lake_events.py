"""Events of the lake, as Event Grid says them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.lake_events import LakeEvent, lake_event
from shared.errors import InvalidInput

SUBJECT = "/blobServices/default/containers/tsd/blobs/snorre/w/2026-03-05.json"
EVENT = {
    "topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a",
    "subject": SUBJECT,
    "eventType": "Microsoft.Storage.BlobCreated",
    "id": "831e1650-001e-001b-66ab-eeb76e069631",
    "data": {"api": "PutBlob", "clientRequestId": "0123456789abcdef" * 2, "eTag": "0x8D4BCC2E4835CD0"},
    "eventTime": "2026-03-05T10:00:21.9Z",
}


def test_an_event_names_the_blob_and_the_request_that_wrote_it() -> None:
    """The request's id is that of the operation, where the app wrote the blob."""
    assert lake_event(json.dumps(EVENT)) == LakeEvent("tsd", "snorre/w/2026-03-05.json", "0123456789abcdef" * 2)
    others: tuple[object, ...] = ({}, None, [], "PutBlob")
    for data in others:
        assert lake_event(json.dumps({**EVENT, "data": data})).request == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"eventType": "Microsoft.Storage.BlobDeleted"},
        {"subject": "/blobServices/default/containers/tsd"},
        {"subject": None},
        {"subject": ["tsd"]},
    ],
)
def test_what_is_no_event_of_a_written_blob_is_refused(changed: dict[str, object]) -> None:
    """It can never succeed, so it is put aside and told of."""
    with pytest.raises(InvalidInput):
        lake_event(json.dumps({**EVENT, **changed}))


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_nothing_else_gets_through(text: str) -> None:
    """Whatever a queue may hold."""
    with pytest.raises(InvalidInput):
        lake_event(text)
