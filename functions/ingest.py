"""Timer: bring the lake up to date with OMNIA."""

import azure.functions as func

from functions.invocation import invocation
from shared.bootstrap import app

blueprint = func.Blueprint()


@blueprint.function_name("ingest")
@blueprint.timer_trigger("timer", schedule="%INGEST_SCHEDULE%")
def ingest(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 (the runtime passes it by name)
    """Ingest every template; then take up what failed, and tell of what waits for a person."""
    with invocation(context):
        try:
            app().ingest.run()
        finally:
            app().take_up_poison.run()
