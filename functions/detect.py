"""Blob: score a day of a template when its blob has changed."""

import logging

import azure.functions as func

from shared.adapters.blobs import parse_day_blob
from shared.bootstrap import app
from shared.settings import settings

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)

SOURCES = {"polling": func.BlobSource.LOGS_AND_CONTAINER_SCAN, "eventgrid": func.BlobSource.EVENT_GRID}


@blueprint.function_name("detect")
@blueprint.blob_trigger(
    "blob",
    path=f"{settings().storage.lake_container}/{{platform}}/{{template}}/{{day}}.json",
    connection="AzureWebJobsStorage",
    source=SOURCES[settings().lake_trigger],
)
def detect(blob: func.InputStream) -> None:
    """Score what the blob holds now; its name is all that the event has to say."""
    platform, template, day = parse_day_blob((blob.name or "").partition("/")[2])
    written = app().detect.run(platform, template, day)
    logger.info("detect: %s on %s: %d rows written", template, day, written)
