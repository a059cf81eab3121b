"""Timer: back up what nothing can derive, and remove what is older than it is kept."""

import azure.functions as func

from functions.invocation import invocation
from shared.bootstrap import app
from shared.settings import settings

blueprint = func.Blueprint()


@blueprint.function_name("keep")
@blueprint.timer_trigger("timer", schedule=settings().keep_schedule)
def keep(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 (the runtime passes it by name)
    """Make the day's backup unless there is one, then remove what is old: nothing goes while nothing is backed up."""
    with invocation(context):
        app().backup.run()
        app().remove_old.run()
