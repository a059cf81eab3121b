"""Queue: estimate an incident's place and rate."""

import logging

import azure.functions as func

from functions.queue_message import tell_when_poison
from shared.bootstrap import app
from shared.domain.incident import CriticalMessage
from shared.domain.validation import parse
from shared.settings import settings

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.function_name("estimate")
@blueprint.queue_trigger("message", queue_name=settings().storage.critical_queue, connection="AzureWebJobsStorage")
def estimate(message: func.QueueMessage) -> None:
    """Estimate the incident that the message names."""
    with tell_when_poison(message, settings().storage.critical_queue):
        asked = parse(CriticalMessage, message.get_body(), "message")
        answer = app().estimate.run(asked)
        logger.info("estimate: %s: %s", asked.incident, answer.verdict if answer else "nothing to do")
