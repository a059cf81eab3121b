"""Timer: bring the lake up to date with OMNIA."""

import azure.functions as func

from functions.invocation import invocation
from shared.bootstrap import app
from shared.usecases.poison import log_poison_queues

blueprint = func.Blueprint()


@blueprint.function_name("ingest")
@blueprint.timer_trigger("timer", schedule="%INGEST_SCHEDULE%")
def ingest(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 (the runtime passes it by name)
    """Ingest every template; then tell of messages that nobody has looked at yet, whoever put them there."""
    with invocation(context):
        try:
            app().ingest.run()
        finally:
            log_poison_queues(app().messages)
