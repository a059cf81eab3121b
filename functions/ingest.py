"""Timer and queue: bring the lake up to date with OMNIA, a share of the templates at a time."""

from contextlib import ExitStack

import azure.functions as func

from functions.invocation import invocation
from shared.bootstrap import app
from shared.domain.ingest_request import IngestRequest
from shared.settings import settings
from shared.telemetry import operation

blueprint = func.Blueprint()


@blueprint.function_name("ingest")
@blueprint.timer_trigger("timer", schedule="%INGEST_SCHEDULE%")
def ingest(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 (the runtime passes it by name)
    """Tell what is unwatched, waits or is held back, ask for shares, prove, take up failures; whatever fails of it."""
    with invocation(context), ExitStack() as later:
        later.callback(app().take_up_poison.run)
        later.callback(app().proof_tests.run)
        later.callback(app().ingest.ask)  # it goes before
        later.callback(app().notify.release)
        later.callback(app().adopt_incidents.run)
        later.callback(app().tell_queues.run)
        app().tell_health.run()


@blueprint.function_name("ingest_templates")
@blueprint.queue_trigger("message", queue_name=settings().storage.ingest_queue, connection="AzureWebJobsStorage")
def ingest_templates(message: func.QueueMessage, context: func.Context) -> None:
    """Ingest the share of a platform's templates that the message names, unless its tick is over."""
    with invocation(context):
        asked = IngestRequest.from_json(message.get_body())
        with operation(asked.operation):
            app().ingest.run_share(asked)
