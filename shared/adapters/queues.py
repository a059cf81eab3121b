"""Queues between the functions; messages are base64, as the host expects by default."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from shared.domain.baseline_request import BaselineRequest
from shared.domain.incident import CriticalMessage
from shared.domain.template import Template
from shared.ports import PoisonMessage
from shared.telemetry import operation_id

HIDDEN_S = 300  # from others who do the same, while one message is worked on
FOR_EVER = -1  # instead of the service's seven days


class AzureMessageQueues:
    """Puts messages on the app's queues."""

    def __init__(self, critical: QueueClient, baselines: QueueClient, failed: list[QueueClient]) -> None:
        """Use these queues (with a base64 encode policy); ``failed`` are only counted."""
        self._critical = critical
        self._baselines = baselines
        self._all = [critical, baselines, *failed]

    def critical(self, message: CriticalMessage) -> None:
        """Ask for an estimation."""
        self._critical.send_message(_text(message))

    def build_baselines(self, template: Template, decided: date | None = None, scored: date | None = None) -> None:
        """Ask for a template's baselines; days before these are decided, and scored by them (None: not known)."""
        asked = BaselineRequest(platform=template.platform, template=template.id, decided=decided, scored=scored)
        self._baselines.send_message(_text(asked))

    def lengths(self) -> Mapping[str, int]:
        """Return the approximate length of every queue; one that does not exist yet is empty."""
        return {str(queue.queue_name): length_of(queue) for queue in self._all}


class AzurePoisonQueues:
    """What failed, and where it goes."""

    def __init__(self, queue: Callable[[str], QueueClient], plain: Callable[[str], QueueClient]) -> None:
        """Take what makes a client of a queue by its name: one that writes base64, one that writes what it is given."""
        self._queue = queue
        self._plain = plain

    def waiting(self, queue: str) -> Iterator[PoisonMessage]:
        """Yield the messages of a queue, each hidden from others for some minutes; none where there is no queue."""
        with suppress(ResourceNotFoundError):  # nothing has ever failed
            for one in self._queue(queue).receive_messages(visibility_timeout=HIDDEN_S):
                put_at = (one.inserted_on or datetime.fromtimestamp(0, UTC)).astimezone(UTC)
                yield PoisonMessage(queue, str(one.content), str(one.id), str(one.pop_receipt), put_at)

    def put(self, queue: str, text: str, wait: timedelta) -> None:
        """Put a message on a queue that shows after a while, and stays until it is worked on."""
        seconds = int(wait.total_seconds())
        self._queue(queue).send_message(text, visibility_timeout=seconds, time_to_live=FOR_EVER)

    def copy(self, message: PoisonMessage, queue: str) -> None:
        """Put the message, as it is, on another queue, where it stays."""
        self._plain(queue).send_message(message.content, time_to_live=FOR_EVER)

    def remove(self, message: PoisonMessage) -> None:
        """Remove the message; removing it again changes nothing."""
        with suppress(ResourceNotFoundError):
            self._queue(message.queue).delete_message(message.id, message.receipt)

    def lengths(self, queues: Sequence[str]) -> Mapping[str, int]:
        """Return the approximate lengths of queues; one that does not exist yet is empty."""
        return {name: length_of(self._queue(name)) for name in queues}


def length_of(queue: QueueClient) -> int:
    """Return the approximate length of a queue; one that does not exist yet is empty."""
    try:
        return queue.get_queue_properties().approximate_message_count or 0
    except ResourceNotFoundError:
        return 0


def _text(message: CriticalMessage | BaselineRequest) -> str:
    """Return the message as JSON, with the operation that it belongs to, if there is one."""
    traced = message.model_copy(update={"operation": operation_id()})
    left_out = None if traced.operation else {"operation"}
    return traced.model_dump_json(by_alias=True, exclude=left_out, exclude_none=True)
