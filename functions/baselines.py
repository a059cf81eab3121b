"""Timer and queue: build the baselines that sensors lack, daily and when a backfill has ended."""

import logging

import azure.functions as func

from functions.queue_message import tell_when_poison
from shared.bootstrap import app
from shared.domain.baseline_request import BaselineRequest
from shared.domain.validation import parse
from shared.settings import settings

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.function_name("baselines")
@blueprint.timer_trigger("timer", schedule="%BASELINES_SCHEDULE%")
def baselines(timer: func.TimerRequest) -> None:  # noqa: ARG001 (the runtime passes it by name)
    """Look after the baselines of every template."""
    app().build_baselines.run()


@blueprint.function_name("baselines_after_backfill")
@blueprint.queue_trigger("message", queue_name=settings().storage.baselines_queue, connection="AzureWebJobsStorage")
def baselines_after_backfill(message: func.QueueMessage) -> None:
    """Look after the baselines of the template that the message names."""
    with tell_when_poison(message, settings().storage.baselines_queue):
        asked = parse(BaselineRequest, message.get_body(), "message")
        app().build_baselines.run_template(asked.platform, asked.template)
