"""Queues between the functions; messages are base64, as the host expects by default."""

from collections.abc import Mapping

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from shared.domain.baseline_request import BaselineRequest
from shared.domain.incident import CriticalMessage
from shared.domain.template import Template
from shared.telemetry import operation_id


class AzureMessageQueues:
    """Puts messages on the app's queues."""

    def __init__(self, critical: QueueClient, baselines: QueueClient, poison: list[QueueClient]) -> None:
        """Use these queues (with a base64 encode policy); ``poison`` are only counted."""
        self._critical = critical
        self._baselines = baselines
        self._all = [critical, baselines, *poison]

    def critical(self, message: CriticalMessage) -> None:
        """Ask for an estimation."""
        self._critical.send_message(_text(message))

    def build_baselines(self, template: Template) -> None:
        """Ask for the baselines of a template whose backfill has ended."""
        asked = BaselineRequest(platform=template.platform, template=template.id)
        self._baselines.send_message(_text(asked))

    def lengths(self) -> Mapping[str, int]:
        """Return the approximate length of every queue; one that does not exist yet is empty."""
        counts = {}
        for queue in self._all:
            try:
                counts[queue.queue_name] = queue.get_queue_properties().approximate_message_count or 0
            except ResourceNotFoundError:
                counts[queue.queue_name] = 0
        return counts


def _text(message: CriticalMessage | BaselineRequest) -> str:
    """Return the message as JSON, with the operation that it belongs to, if there is one."""
    traced = message.model_copy(update={"operation": operation_id()})
    return traced.model_dump_json(by_alias=True, exclude=None if traced.operation else {"operation"})
