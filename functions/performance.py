"""Queue: state what a template's leak detection performs."""

import logging
import time

import azure.functions as func

from functions.invocation import invocation
from shared.bootstrap import app
from shared.domain.statement_request import StatementRequest
from shared.settings import settings
from shared.telemetry import log_event, operation
from shared.usecases.lookup import unless_gone

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.function_name("performance")
@blueprint.queue_trigger("message", queue_name=settings().storage.statements_queue, connection="AzureWebJobsStorage")
def performance(message: func.QueueMessage, context: func.Context) -> None:
    """Make the performance statement of the template that the message names."""
    began = time.monotonic()
    with invocation(context):
        asked = StatementRequest.from_json(message.get_body())
        with operation(asked.operation), unless_gone(app().registry, asked.platform, asked.template):
            made = app().performance.run(asked.template).newest
            log_event(
                logger,
                "performance stated",
                template=asked.template,
                unknown="; ".join(made.unknown) or "none",
                seconds=time.monotonic() - began,
            )
