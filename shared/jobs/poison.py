"""Poison queues: jobs that nobody could do, to be seen, tried once more, or thrown away.

The Functions host moves a message here when it has failed too often; the runner puts one here when it
cannot be read. Nothing is triggered by these queues, so that a message waits until somebody decides.
"""

import asyncio
import base64
import binascii
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from shared.jobs.files import FILE_QUEUE, wanted_in
from shared.jobs.message import MalformedMessageError, decode
from shared.model.jobs import Job, Step
from shared.model.problem import PROVIDER, Problem
from shared.model.reasons import Reason
from shared.store.problems import ProblemStore
from shared.store.storage import Storage

_log = logging.getLogger(__name__)

QUEUES: Final = (*(step.queue for step in Step), FILE_QUEUE)
"""The queues whose failures are shown."""

MAX_DEQUEUE_COUNT: Final = 5
"""How often the Functions host tries a message (`maxDequeueCount` in host.json)."""

MOST_SHOWN: Final = 32
"""Messages that a queue shows at once (Queue service limit)."""

_MOST_SEARCHED: Final = 2048
_HOLD_SECONDS: Final = 60
_SET_ASIDE: Final = {"reason", "message"}


@dataclass(frozen=True, slots=True)
class PoisonMessage:
    """One message on a poison queue.

    Attributes:
        queue: the queue it was on.
        id: of the message on the poison queue.
        inserted_at: when it was moved there (UTC).
        set_aside: why it could not be read; empty if it failed too often.
        job: what it asks for, if it is a step's and can be read.
        file: the capture file that it asks for, if it does.
        original: the message as it was on its queue, in its encoding.
    """

    queue: str
    id: str
    inserted_at: datetime | None
    set_aside: str
    job: Job | None
    file: str
    original: str

    @property
    def why(self) -> str:
        """Why it lies here, for people."""
        return self.set_aside or f"failed {MAX_DEQUEUE_COUNT} times"


@dataclass(frozen=True, slots=True)
class PoisonQueue:
    """What is on one poison queue.

    Attributes:
        queue: the queue that its messages come from.
        count: messages on it, about, those hidden for a moment included.
        messages: the first of them.
    """

    queue: str
    count: int
    messages: tuple[PoisonMessage, ...]


class Taken(StrEnum):
    """What became of the wish to take one message."""

    DONE = "done"
    NOT_FOUND = "not_found"
    BUSY = "busy"


class Poison:
    """The poison queues of all our queues.

    Args:
        storage: holds the queues.
        problems: takes down which of them hold messages.
        clock: the present (UTC).
    """

    def __init__(self, storage: Storage, problems: ProblemStore, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._problems = problems
        self._clock = clock

    async def look(self) -> list[PoisonQueue]:
        """What is on the poison queues; messages are not touched."""
        return list(await asyncio.gather(*map(self._look_at, QUEUES)))

    async def check(self) -> None:
        """Make the provider's problems say what the poison queues hold."""
        for found in await self.look():
            await self._report(found)

    async def replay(self, queue: str, message_id: str) -> Taken:
        """Put a message back on the queue it came from, as it was, and take it off the poison queue."""
        return await self._take(queue, message_id, replay=True)

    async def discard(self, queue: str, message_id: str) -> Taken:
        """Throw a message away."""
        return await self._take(queue, message_id, replay=False)

    async def _look_at(self, queue: str) -> PoisonQueue:
        client = self._storage.plain_queue(poison_name(queue))
        try:
            peeked = await client.peek_messages(max_messages=MOST_SHOWN)
            count = (await client.get_queue_properties()).approximate_message_count or 0
        except ResourceNotFoundError:
            return PoisonQueue(queue, 0, ())
        messages = tuple(read_message(queue, message) for message in peeked)
        return PoisonQueue(queue, max(count, len(messages)), messages)

    async def _report(self, found: PoisonQueue) -> None:
        failed = [message for message in found.messages if not message.set_aside]
        unread = [message.set_aside for message in found.messages if message.set_aside]
        hidden = found.count > len(found.messages)
        await self._note(
            poison_name(found.queue), Reason.JOB_FAILED, [describe(failed)] if failed else [], hidden=hidden
        )
        await self._note(found.queue, Reason.MALFORMED_MESSAGE, unread, hidden=hidden)

    async def _note(self, where: str, reason: Reason, details: Sequence[str], *, hidden: bool) -> None:
        now = self._clock()
        if details:
            await self._problems.report(Problem(PROVIDER, reason, where, details[0], now))
        elif not hidden:
            await self._problems.settle(PROVIDER, where, now, None)

    async def _take(self, queue: str, message_id: str, *, replay: bool) -> Taken:
        client = self._storage.plain_queue(poison_name(queue))
        try:
            message, others = await _receive(client, message_id)
            await asyncio.gather(*(_show(client, other) for other in others))
            if message is None:
                count = (await client.get_queue_properties()).approximate_message_count or 0
                return Taken.BUSY if count > len(others) else Taken.NOT_FOUND
        except ResourceNotFoundError:
            return Taken.NOT_FOUND
        if replay:
            # First sent, then deleted: a worker that dies in between leaves one job too many, never too few.
            target = await self._storage.queue(queue)
            raw = self._storage.plain_queue(target.queue_name)
            await raw.send_message(read_message(queue, message).original)
        await client.delete_message(message)
        _log.info("%s a message of %s id=%s", "replayed" if replay else "discarded", queue, message_id)
        await self._report(await self._look_at(queue))
        return Taken.DONE


def poison_name(queue: str) -> str:
    """Name of a queue's poison queue."""
    return f"{queue}-poison"


def describe(messages: Sequence[PoisonMessage]) -> str:
    """What failed, for people: how many, and the first of them."""
    job, file = messages[0].job, messages[0].file
    about = file or "unreadable"
    if job is not None:
        about = f"{job.phase.value} {job.target or job.integration_id or 'all'}"
    return f"{len(messages)} failed, the first one: {about}"


def read_message(queue: str, message: QueueMessage) -> PoisonMessage:
    """What a message on a poison queue says."""
    original = str(message.content)
    set_aside = ""
    try:
        text = base64.b64decode(original, validate=True)
    except (binascii.Error, ValueError):
        text, set_aside = original.encode(), "not in base64"
    wrapped = _wrapped(text)
    if wrapped is not None:
        set_aside, text = wrapped
        original = base64.b64encode(text).decode()
    job, file = None, ""
    with suppress(MalformedMessageError):
        if queue == FILE_QUEUE:
            file = wanted_in(text).path
        else:
            job = decode(text)
    return PoisonMessage(queue, str(message.id), message.inserted_on, set_aside, job, file, original)


def _wrapped(text: bytes) -> tuple[str, bytes] | None:
    """Reason and original of a message that the runner set aside."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.keys() != _SET_ASIDE:
        return None
    return str(value["reason"]) or "unreadable", str(value["message"]).encode("utf-8", "replace")


async def _receive(client: QueueClient, message_id: str) -> tuple[QueueMessage | None, list[QueueMessage]]:
    """One message, hidden from others for a while, and all that had to be received before it."""
    others: list[QueueMessage] = []
    messages = client.receive_messages(messages_per_page=MOST_SHOWN, visibility_timeout=_HOLD_SECONDS)
    found = None
    async for page in messages.by_page():
        async for message in page:
            if message.id == message_id:
                found = message
            else:
                others.append(message)
        if found is not None or len(others) >= _MOST_SEARCHED:
            break
    return found, others


async def _show(client: QueueClient, message: QueueMessage) -> None:
    """Let others see a message again."""
    try:
        await client.update_message(message, visibility_timeout=0)
    except ResourceNotFoundError:
        return
