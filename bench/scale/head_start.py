"""A storage that is filled before the first tick, or made again of a lake, by the app's own use cases alone."""

import base64
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from bench.parallel import mapped
from shared.bootstrap import Bootstrap
from shared.domain.incident import CriticalMessage
from tests.conftest import bootstrap


@dataclass(frozen=True)
class Part:
    """A platform's part of a storage, for a process of its own."""

    settings: Mapping[str, str]
    platform: str
    lake: Mapping[str, str] | None = None  # settings of the storage whose lake is taken over; None: OMNIA is asked


def fill(parts: list[Part], jobs: int) -> None:
    """Fill a storage whose platforms are registered: lake, baselines, scores; in so many processes."""
    for _ in mapped(_fill, parts, jobs):
        pass
    app = bootstrap(dict(parts[0].settings))
    _estimate(app)
    app.clients.queue(app.settings.storage.baselines_queue).clear_messages()  # what the backfill asked for is done


def _fill(part: Part) -> None:
    logging.disable(logging.WARNING)
    app = bootstrap(dict(part.settings))
    templates = app.registry.platform(part.platform).platform.templates
    if part.lake is None:
        for share in app.ingest.shares():
            if share.platform == part.platform:
                app.ingest.run_share(share)
    else:
        held = bootstrap(dict(part.lake)).lake
        for template in templates:
            for day in held.days(template):
                if document := held.read(template, day).document:
                    app.lake.write(template, document, None)
    for template in templates:
        app.build_baselines.run_template(part.platform, template.id)


def _estimate(app: Bootstrap) -> None:
    queue = app.clients.queue(app.settings.storage.critical_queue)
    for message in queue.receive_messages():
        app.estimate.run(CriticalMessage.from_json(base64.b64decode(message.content)))
        queue.delete_message(message)
