"""Queue: estimate an incident's place and rate."""

import logging
import time

import azure.functions as func

from functions.invocation import invocation
from shared.bootstrap import app
from shared.domain.incident import CriticalMessage
from shared.settings import settings
from shared.telemetry import log_event, operation
from shared.usecases.lookup import unless_gone

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.function_name("estimate")
@blueprint.queue_trigger("message", queue_name=settings().storage.critical_queue, connection="AzureWebJobsStorage")
def estimate(message: func.QueueMessage, context: func.Context) -> None:
    """Estimate the incident that the message names."""
    began = time.monotonic()
    with invocation(context):
        asked = CriticalMessage.from_json(message.get_body())
        of_platform = app().of(asked.platform)
        with (
            operation(asked.operation),
            of_platform as its,
            unless_gone(its.registry, asked.platform, asked.template),
        ):
            answer = its.estimate.run(asked)
            log_event(
                logger,
                "incident estimated",
                template=asked.template,
                incident=asked.incident,
                verdict=answer.verdict if answer else "none",
                seconds=time.monotonic() - began,
            )
