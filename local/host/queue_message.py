"""One message of a storage queue while a function works on it."""

import base64
import binascii
import json
import logging
from asyncio import Lock, shield, sleep
from datetime import datetime

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local.host.protos import TypedData

_logger = logging.getLogger(__name__)


class LeasedMessage:
    """A received message, invisible to others for as long as its lease is renewed.

    Args:
        queue: from which it was received.
        message: as received.
        lease_seconds: for how long each renewal hides it.
    """

    def __init__(self, queue: QueueClient, message: QueueMessage, lease_seconds: int) -> None:
        self._queue = queue
        self._message = message
        self._lease_seconds = lease_seconds
        self._receipt = str(message.pop_receipt)
        # A renewal changes the receipt that every later call must show.
        self._turn = Lock()

    @property
    def id(self) -> str:
        """Azure's id of the message."""
        return str(self._message.id)

    @property
    def text(self) -> str:
        """The message as it stands in the queue."""
        return str(self._message.content or "")

    @property
    def dequeue_count(self) -> int:
        """How often it was received, this time included."""
        return int(self._message.dequeue_count or 0)

    async def keep(self) -> None:
        """Renew the lease at half its time, until cancelled."""
        while True:
            await sleep(self._lease_seconds / 2)
            # A renewal under way is not given up: the receipt in its answer is needed.
            await shield(self._renew())

    async def show_after(self, seconds: float) -> None:
        """Make the message visible to all after so many seconds."""
        async with self._turn:
            updated = await self._queue.update_message(
                self.id, pop_receipt=self._receipt, visibility_timeout=int(seconds)
            )
            self._receipt = str(updated.pop_receipt)

    async def delete(self) -> None:
        """Remove it from the queue."""
        async with self._turn:
            await self._queue.delete_message(self.id, pop_receipt=self._receipt)

    def body(self, *, base64_encoded: bool) -> bytes | None:
        """The decoded content, None if it is not in the expected encoding."""
        if not base64_encoded:
            return self.text.encode()
        try:
            # The cloud's decoder skips white space.
            return base64.b64decode("".join(self.text.split()), validate=True)
        except (binascii.Error, ValueError):
            return None

    def metadata(self) -> dict[str, TypedData]:
        """The trigger metadata from which the worker library builds its QueueMessage."""
        moments = {
            "InsertionTime": self._message.inserted_on,
            "ExpirationTime": self._message.expires_on,
            "NextVisibleTime": self._message.next_visible_on,
        }
        return {
            "Id": TypedData(string=self.id),
            "PopReceipt": TypedData(string=self._receipt),
            "DequeueCount": TypedData(json=str(self.dequeue_count)),
            **{
                name: TypedData(json=json.dumps(moment.isoformat()))
                for name, moment in moments.items()
                if isinstance(moment, datetime)
            },
        }

    async def _renew(self) -> None:
        try:
            await self.show_after(self._lease_seconds)
        except AzureError as error:
            _logger.warning("lease not renewed message=%s reason=%s", self.id, type(error).__name__)
