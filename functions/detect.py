"""Blob: score a day of a template when its blob has changed."""

import azure.functions as func
from azure.functions.blob import InputStream

from functions.invocation import invocation
from shared.adapters.blobs import OPERATION, parse_day_blob
from shared.bootstrap import app
from shared.settings import settings

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
        platform, template, day = parse_day_blob((blob.name or "").partition("/")[2])
        app().detect.run(platform, template, day)
