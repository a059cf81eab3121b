"""Timer: bring the lake up to date with OMNIA."""

import logging

import azure.functions as func

from shared.bootstrap import app

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.function_name("ingest")
@blueprint.timer_trigger("timer", schedule="%INGEST_SCHEDULE%")
def ingest(timer: func.TimerRequest) -> None:  # noqa: ARG001 (the runtime passes it by name)
    """Ingest every template."""
    report = app().ingest.run()
    logger.info(
        "ingest: %d readings, %d day blobs written, %d templates still behind",
        report.readings,
        report.blobs_written,
        report.behind,
    )
