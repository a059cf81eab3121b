"""Queues between the functions; messages are base64, as the host expects by default."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from shared.domain.baseline_request import BaselineRequest
from shared.domain.incident import CriticalMessage
from shared.domain.ingest_request import IngestRequest
from shared.domain.notice import NotificationMessage
from shared.domain.statement_request import StatementRequest
from shared.domain.template import Template
from shared.ports import PoisonMessage
from shared.telemetry import operation_id

HIDDEN_S = 300  # from others who do the same, while one message is worked on
FOR_EVER = -1  # instead of the service's seven days


class AzureMessageQueues:
    """Puts messages on the app's queues."""

    def __init__(
        self,
        *,
        critical: QueueClient,
        baselines: QueueClient,
        notifications: QueueClient,
        statements: QueueClient,
        shares: QueueClient,
        lake_events: QueueClient,
        failed: list[QueueClient],
    ) -> None:
        """Use these queues (with a base64 encode policy); Event Grid's and ``failed`` are only counted."""
        self._critical = critical
        self._baselines = baselines
        self._notifications = notifications
        self._statements = statements
        self._shares = shares
        self._work = [critical, baselines, notifications, statements, shares, lake_events]
        self._all = [*self._work, *failed]

    def critical(self, message: CriticalMessage) -> None:
        """Ask for an estimation."""
        self._critical.send_message(_text(message))

    def build_baselines(
        self,
        template: Template,
        decided: date | None = None,
        scored: date | None = None,
        wait: timedelta = timedelta(0),
    ) -> None:
        """Ask for a template's baselines, after a while; days before these are decided and scored (None: not known)."""
        asked = BaselineRequest(platform=template.platform, template=template.id, decided=decided, scored=scored)
        self._baselines.send_message(_text(asked), visibility_timeout=int(wait.total_seconds()))

    def notify(self, message: NotificationMessage) -> None:
        """Ask for a step of an alarm to be told."""
        self._notifications.send_message(_text(message))

    def state_performance(self, template: Template) -> None:
        """Ask for a template's performance statement."""
        asked = StatementRequest(platform=template.platform, template=template.id)
        self._statements.send_message(_text(asked))

    def ingest(self, request: IngestRequest, wait: timedelta, life: timedelta) -> None:
        """Ask for a share of the templates to be ingested, after a while; the message is gone after its life."""
        seconds = {"visibility_timeout": int(wait.total_seconds()), "time_to_live": int(life.total_seconds())}
        self._shares.send_message(_text(request), **seconds)

    def lengths(self) -> Mapping[str, int]:
        """Return the approximate length of every queue; one that does not exist yet is empty."""
        return {str(queue.queue_name): length_of(queue) for queue in self._all}

    def oldest(self) -> Mapping[str, datetime]:
        """Return when the first message that shows was put, of each queue that has one; what failed is left out."""
        found = {str(queue.queue_name): _first_of(queue) for queue in self._work}
        return {name: put_at for name, put_at in found.items() if put_at is not None}


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


def _first_of(queue: QueueClient) -> datetime | None:
    """Return when the first message that shows was put; None where there is none, or no queue."""
    try:
        found = queue.peek_messages(max_messages=1)
    except ResourceNotFoundError:
        return None
    moments = [one.inserted_on.astimezone(UTC) for one in found if one.inserted_on is not None]
    return min(moments, default=None)


def _text(message: CriticalMessage | BaselineRequest | NotificationMessage | StatementRequest | IngestRequest) -> str:
    """Return the message as JSON, with the operation that it belongs to, if there is one."""
    traced = message.model_copy(update={"operation": operation_id()})
    left_out = None if traced.operation else {"operation"}
    return traced.model_dump_json(by_alias=True, exclude=left_out, exclude_none=True)
