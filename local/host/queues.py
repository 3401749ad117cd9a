"""Queue triggers: polling, leases, retries and poison queues.

Follows QueueListener and QueueProcessor of the storage extension (azure-sdk-for-net): batches, a new
batch when few enough messages are being worked on, back-off when there is nothing to do, a failed
message visible again after a fixed time, and a poison queue after too many attempts.
"""

import asyncio
import contextlib
import logging
import random

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.host.functions import FunctionDescription
from local.host.hostjson import QueueSettings
from local.host.invoker import Invoker
from local.host.protos import TypedData
from local.host.queue_message import LeasedMessage
from local.host.worker import Answer

# For how long a received message is hidden from others; renewed while the function runs.
LEASE_SECONDS = 600

_POISON_SUFFIX = "-poison"
_LONGEST_QUEUE_NAME = 63
_FIRST_PAUSE_SECONDS = 0.1

_logger = logging.getLogger(__name__)


class Backoff:
    """Pauses that double, with 20 % chance either way, from 100 ms up to a limit."""

    def __init__(self, longest_seconds: float) -> None:
        self._longest = longest_seconds
        self._next = 0.0
        self.reset()

    def reset(self) -> None:
        """Begin again with the shortest pause."""
        self._next = min(_FIRST_PAUSE_SECONDS, self._longest)

    def pause(self) -> float:
        """The next pause in seconds."""
        pause = self._next
        self._next = min(self._next * 2, self._longest)
        return min(pause * random.uniform(0.8, 1.2), self._longest)  # noqa: S311 - spreads load


class QueueListener:
    """Feeds one function from its queue.

    Args:
        service: the storage account that the trigger's connection names.
        function: has a queue trigger.
        lease_seconds: for how long a message is hidden between renewals.
    """

    def __init__(
        self,
        service: QueueServiceClient,
        function: FunctionDescription,
        settings: QueueSettings,
        invoker: Invoker,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        name = str(function.trigger["queueName"]).lower()
        self._service = service
        self._queue = service.get_queue_client(name)
        self._poison_name = _poison_name(name)
        self._function = function
        self._settings = settings
        self._invoker = invoker
        self._lease_seconds = lease_seconds
        self._binary = str(function.trigger.get("dataType", "")).lower() == "binary"
        self._working: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Poll until cancelled. Messages being worked on go on; see `finish`."""
        backoff = Backoff(self._settings.max_polling_seconds)
        while True:
            if len(self._working) > self._settings.new_batch_threshold:
                await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
                continue
            # Shielded: a batch that storage has already handed out must not get lost.
            receiving = asyncio.ensure_future(self._receive())
            try:
                found = await asyncio.shield(receiving)
            except asyncio.CancelledError:
                await receiving
                raise
            if found:
                backoff.reset()
            else:
                await asyncio.sleep(backoff.pause())

    async def finish(self) -> None:
        """Wait for the messages being worked on; to be called after their functions have ended."""
        if self._working:
            await asyncio.wait(self._working)

    async def _receive(self) -> bool:
        """Start work on the next batch; false if there was none."""
        try:
            messages = await _receive_batch(self._queue, self._settings.batch_size, self._lease_seconds)
        except ResourceNotFoundError:
            # Whoever sends the first message makes the queue.
            return False
        except AzureError as error:
            _logger.warning("poll failed queue=%s reason=%s", self._queue.queue_name, type(error).__name__)
            return False
        for message in messages:
            leased = LeasedMessage(self._queue, message, self._lease_seconds)
            task = asyncio.create_task(self._process(leased))
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        return bool(messages)

    async def _process(self, message: LeasedMessage) -> None:
        try:
            await self._handle(message)
        except AzureError as error:
            _logger.warning(
                "message left queue=%s id=%s reason=%s",
                self._queue.queue_name,
                message.id,
                type(error).__name__,
            )

    async def _handle(self, message: LeasedMessage) -> None:
        body = message.body(base64_encoded=self._settings.base64)
        if body is None:
            await self._set_aside(message, "not in the encoding of host.json")
            return
        if message.dequeue_count > self._settings.max_dequeue_count:
            await self._set_aside(message, "received too often")
            return
        keeping = asyncio.create_task(message.keep())
        try:
            answer = await self._invoke(message, body)
        finally:
            keeping.cancel()
        if answer.error is None:
            await message.delete()
        elif answer.abandoned:
            # The host stops: let another instance have it at once.
            await message.show_after(0)
        elif message.dequeue_count < self._settings.max_dequeue_count:
            await message.show_after(self._settings.visibility_seconds)
        else:
            await self._set_aside(message, "failed too often")

    async def _invoke(self, message: LeasedMessage, body: bytes) -> Answer:
        data = TypedData(bytes=body) if self._binary else TypedData(string=body.decode("utf-8", "replace"))
        return await self._invoker.run(self._function, data, message.metadata())

    async def _set_aside(self, message: LeasedMessage, reason: str) -> None:
        """Move the message, as it is, to the poison queue; a queue that has none keeps it hidden."""
        if self._poison_name is None:
            return
        _logger.warning(
            "message set aside queue=%s to=%s id=%s dequeue_count=%d reason=%s",
            self._queue.queue_name,
            self._poison_name,
            message.id,
            message.dequeue_count,
            reason,
        )
        poison = self._service.get_queue_client(self._poison_name)
        try:
            await poison.send_message(message.text)
        except ResourceNotFoundError:
            # Another message may be setting itself aside at the same moment.
            with contextlib.suppress(ResourceExistsError):
                await poison.create_queue()
            await poison.send_message(message.text)
        await message.delete()


async def _receive_batch(queue: QueueClient, count: int, lease_seconds: int) -> list[QueueMessage]:
    pages = queue.receive_messages(messages_per_page=count, visibility_timeout=lease_seconds).by_page()
    async for page in pages:
        return [message async for message in page]
    return []


def _poison_name(name: str) -> str | None:
    poison = name + _POISON_SUFFIX
    return None if name.endswith(_POISON_SUFFIX) or len(poison) > _LONGEST_QUEUE_NAME else poison
