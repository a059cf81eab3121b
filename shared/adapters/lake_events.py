"""Events of the lake: what Event Grid puts on a queue where a blob was written, in its own schema.

The request that wrote the blob says in its id for which operation it did (``blobs.py``), and Event Grid passes the id
on: so nobody has to read the blob to know.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.errors import InvalidInput
from shared.usecases.poison import json_object

CREATED = "Microsoft.Storage.BlobCreated"
_SUBJECT = re.compile(r"/blobServices/default/containers/(?P<container>[^/]+)/blobs/(?P<name>.+)", re.DOTALL)


class LakeEvent(NamedTuple):
    """A blob that was written, and the id of the request that wrote it; empty where nobody said."""

    container: str
    name: str
    request: str


def lake_event(text: str) -> LakeEvent:
    """Return what an event tells of; raises InvalidInput for what is no event of a blob that was written."""
    try:
        event = json_object(text)
    except InvalidInput as error:
        raise InvalidInput(f"message: {error}") from error
    found = _SUBJECT.fullmatch(str(event.get("subject", "")))
    if event.get("eventType") != CREATED or found is None:
        raise InvalidInput("message: it is no event of a blob that was written")
    data: Mapping[str, Any] = event["data"] if isinstance(event.get("data"), dict) else {}
    return LakeEvent(found["container"], found["name"], str(data.get("clientRequestId", "")))
