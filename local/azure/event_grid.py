"""Event Grid: tells webhooks of new blobs, at least once, in no order.

learn.microsoft.com/azure/event-grid/delivery-and-retry, .../end-point-validation-event-grid-events-schema
"""

import asyncio
import json
import logging
from dataclasses import dataclass

import aiohttp

from local.azure.faults import EVENT_FAULTS, FaultKind, Faults
from local.azure.http import Json
from local.azure.world import World

_log = logging.getLogger(__name__)

RETRY_SECONDS = (10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200)
"""Waits between attempts; the last repeats until an event is too old."""

MOST_ATTEMPTS = 30
LIFETIME_SECONDS = 86_400.0
_ANSWER_SECONDS = 30.0
_DELIVERED = frozenset({200, 201, 202, 203, 204})
_NOT_RETRIED = frozenset({400, 401, 403, 413})


class HandshakeError(Exception):
    """A webhook did not give the validation code back; the message says what it did."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up.

    Attributes:
        event: as it was sent.
        url: where it should have gone.
        attempts: how often it was tried.
        last: status or error of the last attempt.
    """

    event: Json
    url: str
    attempts: int
    last: str


class EventGrid:
    """Holds webhooks and delivers to them in the background.

    Args:
        world: clock and chance.
        faults: may duplicate and delay.
    """

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.webhooks: list[str] = []
        self.delivered = 0
        self.attempts = 0
        self.dead_letters: list[DeadLetter] = []
        self.time_scale = 1.0
        """Factor on the waits between attempts."""

    @property
    def pending(self) -> int:
        """Deliveries under way or waiting for their next attempt."""
        return len(self._tasks)

    async def subscribe(self, url: str) -> None:
        """Validate a webhook and send it every event from now on.

        Raises:
            HandshakeError: it did not prove that it wants them.
        """
        code = self._world.guid()
        event = {
            "id": self._world.guid(),
            "topic": f"/subscriptions/{self._world.provider_subscription}",
            "subject": "",
            "data": {
                "validationCode": code,
                "validationUrl": "https://rp-westeurope.eventgrid.azure.net/validate",
            },
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "eventTime": self._world.clock.now().isoformat().replace("+00:00", "Z"),
            "metadataVersion": "1",
            "dataVersion": "2",
        }
        try:
            status, body = await self._post(url, event, "SubscriptionValidation", 0)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise HandshakeError(f"the webhook could not be reached: {error}") from error
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if (
            status not in _DELIVERED
            or not isinstance(answer, dict)
            or answer.get("validationResponse") != code
        ):
            raise HandshakeError(f"the webhook answered {status} without the validation code")
        if url not in self.webhooks:
            self.webhooks.append(url)

    def unsubscribe(self, url: str) -> None:
        """Send a webhook nothing more."""
        self.webhooks = [known for known in self.webhooks if known != url]

    def publish(self, event: Json) -> None:
        """Deliver an event to every webhook, in the background."""
        blob_url = str(event["data"]["url"])
        for url in self.webhooks:
            faults = self._faults.take("EVENT", blob_url, "", EVENT_FAULTS)
            late = faults.get(FaultKind.DELAYED_EVENT)
            for _ in range(2 if FaultKind.DUPLICATE_EVENT in faults else 1):
                task = asyncio.create_task(self._deliver(url, event, late.seconds if late else 0))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is under way and let go of connections."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session:
            await self._session.close()
            self._session = None

    async def _deliver(self, url: str, event: Json, late: float) -> None:
        await self._world.clock.sleep(late * self.time_scale)
        waited = 0.0
        last = ""
        for attempt in range(1, MOST_ATTEMPTS + 1):
            self.attempts += 1
            status = 0
            try:
                status, _ = await self._post(url, event, "Notification", attempt - 1)
                last = str(status)
            except (aiohttp.ClientError, TimeoutError) as error:
                last = type(error).__name__
            if status in _DELIVERED:
                self.delivered += 1
                return
            wait = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS)) - 1]
            waited += wait
            if status in _NOT_RETRIED or waited > LIFETIME_SECONDS or attempt == MOST_ATTEMPTS:
                break
            _log.info("event not taken (%s), attempt %d", last, attempt)
            await self._world.clock.sleep(wait * self.time_scale)
        self.dead_letters.append(DeadLetter(event, url, attempt, last))

    async def _post(self, url: str, event: Json, kind: str, count: int) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS))
        headers = {
            "aeg-event-type": kind,
            "aeg-subscription-name": "CAPTURED",
            "aeg-delivery-count": str(count),
            "aeg-data-version": event["dataVersion"],
            "aeg-metadata-version": "1",
        }
        async with self._session.post(url, json=[event], headers=headers) as answer:
            return answer.status, await answer.read()


def blob_created(world: World, *, account: str, container: str, path: str, url: str, size: int) -> Json:
    """The event that a storage account sends when a blob is there."""
    now = world.clock.now()
    return {
        "topic": account,
        "subject": f"/blobServices/default/containers/{container}/blobs/{path}",
        "eventType": "Microsoft.Storage.BlobCreated",
        "id": world.guid(),
        "data": {
            "api": "PutBlob",
            "clientRequestId": world.guid(),
            "requestId": world.guid(),
            "eTag": f"0x{world.random.getrandbits(60):015X}",
            "contentType": "application/octet-stream",
            "contentLength": size,
            "blobType": "BlockBlob",
            "url": url,
            "sequencer": f"{int(now.timestamp() * 1_000_000):032X}",
            "storageDiagnostics": {"batchId": world.guid()},
        },
        "dataVersion": "",
        "metadataVersion": "1",
        "eventTime": now.isoformat().replace("+00:00", "Z"),
    }
