"""Clients for tables, queues and containers: made at first use, and the same from then on."""

import asyncio
import base64
from collections.abc import Awaitable, Callable

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError

from shared.settings import StorageSettings
from shared.store.blobs import BlobStore
from shared.store.storage import Storage
from shared.store.tables import TableName, commit, find, insert
from tests.helpers.accounts import NoToken
from tests.helpers.busy_storage import StandIn


@pytest.mark.parametrize("name", TableName)
async def test_every_table_can_be_made(storage: Storage, name: TableName) -> None:
    table = await storage.table(name)
    assert [entity async for entity in table.list_entities()] == []


async def test_what_is_there_already_is_used(account: str) -> None:
    for _ in range(2):
        async with Storage(StorageSettings(account, "", "", ""), NoToken()) as storage:
            await storage.table(TableName.HUBS)
            await storage.queue("some-queue")
            await storage.container("some-container")


async def test_first_uses_at_once_do_not_quarrel(storage: Storage) -> None:
    await asyncio.gather(
        *(storage.table(TableName.HUBS) for _ in range(5)),
        *(storage.queue("some-queue") for _ in range(5)),
        *(storage.container("some-container") for _ in range(5)),
    )


async def test_a_client_is_made_once(storage: Storage) -> None:
    assert await storage.table(TableName.HUBS) is await storage.table(TableName.HUBS)
    assert await storage.queue("some-queue") is await storage.queue("some-queue")
    assert await storage.container("some-container") is await storage.container("some-container")


async def test_messages_are_in_base64_as_the_functions_host_expects(storage: Storage) -> None:
    queue = await storage.queue("some-queue")
    await queue.send_message("häll ö")
    message = await queue.receive_message()
    assert message is not None
    assert base64.b64decode(message.content).decode() == "häll ö"


async def _send(storage: Storage) -> None:
    await (await storage.queue("queue")).send_message("hello")


async def _receive(storage: Storage) -> None:
    await (await storage.queue("queue")).receive_message()


async def _find(storage: Storage) -> None:
    await find(await storage.table(TableName.HUBS), "p", "r")


async def _insert(storage: Storage) -> None:
    row = {"PartitionKey": "p", "RowKey": "r"}
    await commit(await storage.table(TableName.HUBS), [insert(row)])


async def _insert_two(storage: Storage) -> None:
    rows = [{"PartitionKey": "p", "RowKey": each} for each in "rs"]
    await commit(await storage.table(TableName.HUBS), map(insert, rows))


async def _query(storage: Storage) -> None:
    table = await storage.table(TableName.HUBS)
    assert [entity async for entity in table.list_entities()] == []


async def _read(storage: Storage) -> None:
    await BlobStore(storage).read("container", "blob")


async def _write(storage: Storage) -> None:
    await BlobStore(storage).write("container", "blob", b"hello", "text/plain")


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("call", [_send, _receive, _find, _insert, _insert_two, _query, _read, _write])
async def test_an_answer_that_asks_to_come_back_later_is_raised_at_once_and_says_when(
    status: int, call: Callable[[Storage], Awaitable[None]]
) -> None:
    service = StandIn(status, "3")
    async with service.storage() as storage:
        with pytest.raises(HttpResponseError) as raised:
            await call(storage)
    assert len(service.asked) == 1, "the SDKs would sleep before they asked again"
    assert raised.value.status_code == status
    assert raised.value.response is not None
    assert raised.value.response.headers["Retry-After"] == "3"


async def _delete(storage: Storage) -> None:
    await BlobStore(storage).delete("container", "blob")


@pytest.mark.parametrize("call", [_find, _delete])
async def test_a_connection_that_breaks_is_made_anew(call: Callable[[Storage], Awaitable[None]]) -> None:
    service = StandIn(404, broken=1)
    async with service.storage() as storage:
        await call(storage)
    assert len(service.asked) > 1


@pytest.mark.parametrize("call", [_find, _delete, _write, _send])
async def test_connections_that_break_again_and_again_are_raised_soon(
    call: Callable[[Storage], Awaitable[None]],
) -> None:
    service = StandIn(broken=1000)
    async with service.storage() as storage:
        with pytest.raises(ServiceRequestError):
            await call(storage)
    # The HTTP client by itself asks once more on a new connection.
    assert len(service.asked) <= 2 * 3
