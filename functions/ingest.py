"""Timer: bring the lake up to date with OMNIA."""

from contextlib import ExitStack

import azure.functions as func

from functions.invocation import invocation
from shared.bootstrap import app

blueprint = func.Blueprint()


@blueprint.function_name("ingest")
@blueprint.timer_trigger("timer", schedule="%INGEST_SCHEDULE%")
def ingest(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 (the runtime passes it by name)
    """Tell what is not watched, ingest every template, take up what failed; each whatever becomes of the others."""
    with invocation(context), ExitStack() as later:
        later.callback(app().take_up_poison.run)
        later.callback(app().ingest.run)  # it goes before
        app().tell_health.run()
