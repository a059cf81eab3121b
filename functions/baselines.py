"""Timer and queue: look after baselines, a template at a time, daily, after a backfill and after feedback."""

from contextlib import ExitStack

import azure.functions as func

from functions.invocation import invocation
from shared.bootstrap import app
from shared.domain.baseline_request import BaselineRequest
from shared.errors import LeakDetectionError
from shared.settings import settings
from shared.telemetry import operation
from shared.usecases.lookup import unless_gone

blueprint = func.Blueprint()


@blueprint.function_name("baselines")
@blueprint.timer_trigger("timer", schedule="%BASELINES_SCHEDULE%")
def baselines(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 (the runtime passes it by name)
    """Ask for the baselines of every template; raises LeakDetectionError that names what failed.

    Before that, deletions that were cut short are finished.
    After it, a backup that is missing is told, and what runs left of sensors and templates that were deleted under
    them is removed.
    """
    with invocation(context), ExitStack() as later:
        later.callback(app().remove_orphans.run)
        later.callback(app().backup.tell)  # who makes backups may not run any more
        failed = app().registrations.finish_deletions()
        failed |= app().build_baselines.ask()
        if failed:
            raise LeakDetectionError("; ".join(f"{name}: {why}" for name, why in failed.items()))


@blueprint.function_name("baselines_after_backfill")
@blueprint.queue_trigger("message", queue_name=settings().storage.baselines_queue, connection="AzureWebJobsStorage")
def baselines_after_backfill(message: func.QueueMessage, context: func.Context) -> None:
    """Build or renew the baselines of the template that the message names, and score what is not scored by them.

    Before that, what planned operations may have disturbed is kept out; after it, a stale statement is asked for.
    """
    with invocation(context):
        asked = BaselineRequest.from_json(message.get_body())
        with operation(asked.operation), unless_gone(app().registry, asked.platform, asked.template):
            app().planned_ranges.keep_out(asked.platform, asked.template)
            if app().build_baselines.run_template(asked.platform, asked.template, asked.decided, asked.scored):
                app().performance.ask_if_stale(asked.platform, asked.template)
