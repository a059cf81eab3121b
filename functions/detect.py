"""Blob, or queue: score a day of a template when its blob has changed.

A blob trigger finds the blob by polling. Where Event Grid says what was written, its events come by a queue: the
platform starts instances for what waits there, and nobody has to let it in.
"""

import logging

import azure.functions as func
from azure.functions.blob import InputStream

from functions.invocation import invocation
from shared.adapters.blobs import OPERATION, parse_day_blob
from shared.adapters.lake_events import lake_event
from shared.bootstrap import app
from shared.errors import InvalidInput
from shared.settings import settings

logger = logging.getLogger(__name__)

blueprint = func.Blueprint()


if settings().lake_trigger == "queue":

    @blueprint.function_name("detect")
    @blueprint.queue_trigger("message", settings().storage.lake_events_queue, "AzureWebJobsStorage")
    def detect_by_event(message: func.QueueMessage, context: func.Context) -> None:
        """Score what the blob holds now that an event names; raises InvalidInput for what is no such event."""
        event = lake_event(message.get_body().decode(errors="replace"))
        with invocation(context, event.request):
            _score(event.container, event.name)

else:

    @blueprint.function_name("detect")
    @blueprint.blob_trigger(
        "blob",
        path=f"{settings().storage.lake_container}/{{platform}}/{{template}}/{{day}}.json",
        connection="AzureWebJobsStorage",
        source=func.BlobSource.LOGS_AND_CONTAINER_SCAN,
    )
    def detect_by_polling(blob: InputStream, context: func.Context) -> None:
        """Score what the blob holds now; its name, and who wrote it, is all that the trigger has to say."""
        container, _, name = (blob.name or "").partition("/")
        with invocation(context, (blob.metadata or {}).get(OPERATION)):
            _score(container, name)


def _score(container: str, name: str) -> None:
    """Score the day that a blob's name says; any other blob is left alone: trying again would not make a day of it."""
    try:
        if container != settings().storage.lake_container:
            raise InvalidInput(f"blob {name!r}: it is in the container {container}")
        day = parse_day_blob(name)
    except InvalidInput as error:
        logger.warning("left alone: %s", error)
        return
    app().score_day(*day)
