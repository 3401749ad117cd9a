"""The storage account has no time for a capture file: it is to come again, and no worker waits."""

import asyncio
import base64
from datetime import datetime

import pytest
from azure.core.exceptions import HttpResponseError

from shared.capture.again import Again
from shared.capture.correlator import ContendedError
from shared.jobs.files import FILE_QUEUE, FileQueue, Wanted, wanted_in
from shared.jobs.poison import MAX_DEQUEUE_COUNT
from shared.store.captures import CaptureStore
from shared.store.ledger import LedgerEntry
from shared.store.problems import ProblemStore
from shared.store.set_aside import SetAsideStore
from shared.store.storage import Storage
from shared.store.tables import Stored
from tests.capture.app import START, App
from tests.helpers.busy_storage import StandIn


def a_path(app: App) -> str:
    return f"lightkeeper-eastus-1/{app.customer}/0/{START:%Y/%m/%d/%H/%M/%S}.avro"


def message(path: str, attempt: int) -> bytes:
    return b'{"version":1,"path":"%s","attempt":%d}' % (path.encode(), attempt)


def again(app: App, queue: Storage) -> Again:
    """The function of the queue, whose messages go to another account than the rest."""
    aside = SetAsideStore(app.storage, ProblemStore(app.storage), lambda: app.now)
    return Again(app.new_handler(), aside, FileQueue(queue))


async def on_queue(storage: Storage) -> list[Wanted]:
    """The messages that can be seen."""
    queue = await storage.queue(FILE_QUEUE)
    return [wanted_in(base64.b64decode(found.content)) async for found in queue.receive_messages()]


async def coming(storage: Storage) -> int | None:
    """How many messages there are, whether they can be seen or not."""
    properties = await (await storage.queue(FILE_QUEUE)).get_queue_properties()
    return properties.approximate_message_count


@pytest.mark.parametrize("status", [429, 503])
async def test_a_file_for_which_storage_has_no_time_fails_at_once(status: int) -> None:
    busy = StandIn(status, "20")
    async with busy.storage() as storage:
        app = App(storage)
        path = a_path(app)
        event = {"api": "PutBlob", "url": f"https://x/{path}"}
        with pytest.raises(HttpResponseError):
            await app.new_handler().handle(f"/blobServices/default/containers/capture/blobs/{path}", event)
    assert len(busy.asked) == 1


async def test_a_file_from_the_queue_comes_back_when_storage_says_and_not_before(storage: Storage) -> None:
    busy = StandIn(503, "2")
    async with busy.storage() as elsewhere:
        app = App(elsewhere)
        await again(app, storage).run(message(a_path(app), 3))
    assert len(busy.asked) == 1
    assert (await on_queue(storage), await coming(storage)) == ([], 1)
    await asyncio.sleep(2.6)  # As long as it asks for, and the most of jitter.
    assert await on_queue(storage) == [Wanted(1, a_path(app), 4)]


async def test_a_file_for_which_there_is_no_time_for_long_goes_on_to_the_host(storage: Storage) -> None:
    async with StandIn(503).storage() as elsewhere:
        app = App(elsewhere)
        with pytest.raises(HttpResponseError):
            await again(app, storage).run(message(a_path(app), 8))
        await again(app, storage).run(message(a_path(app), 8), MAX_DEQUEUE_COUNT)
    assert await coming(storage) == 0


class Contended(CaptureStore):
    """A ledger whose rows others change all the time."""

    async def begin(self, entry: LedgerEntry, now: datetime) -> Stored[LedgerEntry]:
        raise ContendedError(f"{entry.run} at {now}")


async def test_a_file_whose_operations_others_change_comes_back(storage: Storage) -> None:
    app = App(storage)
    app.captures = Contended(storage)
    await again(app, storage).run(message(a_path(app), 0))
    assert (await on_queue(storage), await coming(storage)) == ([], 1)
