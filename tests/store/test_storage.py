"""Clients for tables, queues and containers: made at first use, and the same from then on."""

import asyncio
import base64

import pytest

from shared.settings import StorageSettings
from shared.store.storage import Storage
from shared.store.tables import TableName
from tests.helpers.accounts import NoToken


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
