"""Queue: tell a step of an alarm."""

import logging

import azure.functions as func

from functions.invocation import invocation
from shared.bootstrap import app
from shared.domain.notice import NotificationMessage
from shared.settings import settings
from shared.telemetry import log_event, operation

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.function_name("notify")
@blueprint.queue_trigger("message", queue_name=settings().storage.notifications_queue, connection="AzureWebJobsStorage")
def notify(message: func.QueueMessage, context: func.Context) -> None:
    """Tell the step that the message names, and those before it that were not told."""
    with invocation(context):
        asked = NotificationMessage.from_json(message.get_body())
        with operation(asked.operation):
            sent = app().notify.run(asked)
            log_event(logger, "notification ended", incident=asked.incident, kind=asked.kind, sent=sent)
