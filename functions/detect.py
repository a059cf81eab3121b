"""Blob: score a day of a template when its blob has changed."""

import logging

import azure.functions as func
from azure.functions.blob import InputStream

from functions.invocation import invocation
from shared.adapters.blobs import OPERATION, parse_day_blob
from shared.bootstrap import app
from shared.errors import InvalidInput
from shared.settings import settings

logger = logging.getLogger(__name__)

blueprint = func.Blueprint()

SOURCES = {"polling": func.BlobSource.LOGS_AND_CONTAINER_SCAN, "eventgrid": func.BlobSource.EVENT_GRID}


@blueprint.function_name("detect")
@blueprint.blob_trigger(
    "blob",
    path=f"{settings().storage.lake_container}/{{platform}}/{{template}}/{{day}}.json",
    connection="AzureWebJobsStorage",
    source=SOURCES[settings().lake_trigger],
)
def detect(blob: InputStream, context: func.Context) -> None:
    """Score what the blob holds now; its name, and who wrote it, is all that the event has to say."""
    with invocation(context, (blob.metadata or {}).get(OPERATION)):
        try:
            platform, template, day = parse_day_blob((blob.name or "").partition("/")[2])
        except InvalidInput as error:  # Event Grid delivers every blob of the container, whatever the path says
            logger.warning("left alone: %s", error)
            return
        app().score_day(platform, template, day)
