import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from azure.core.exceptions import ResourceNotFoundError

from local.azurite import Azurite
from shared.model.operations import Member, Operation, OperationKey, WaitingRoom
from shared.settings import StorageSettings
from shared.store.blobs import BlobStore, ContainerName
from shared.store.operations import OperationStore, Snapshot
from shared.store.storage import Storage
from shared.store.tables import ConflictError
from tests.capture.app import NoCredential

NOW = datetime(2024, 5, 1, 10, 0, 0, 250, tzinfo=UTC)
WAIT = timedelta(minutes=15)


@pytest.fixture
async def storage(azurite: Azurite) -> AsyncIterator[Storage]:
    settings = StorageSettings(azurite.connection_string, "", "", "")
    async with Storage(settings, NoCredential()) as storage:
        yield storage


@pytest.fixture
def store(storage: Storage) -> OperationStore:
    return OperationStore(storage, BlobStore(storage), WAIT, timedelta(hours=1))


@pytest.fixture
def integration() -> str:
    return str(uuid4())


def operation(number: int, size: int = 10, **changes: object) -> Operation:
    member = Member(os.urandom(size), "file", number, NOW, **changes)  # type: ignore[arg-type]
    return Operation(OperationKey(f"c{number}", "o", "r"), (member,))


async def test_what_was_kept_is_read_back_as_it_was(store: OperationStore, integration: str) -> None:
    kept = [operation(number) for number in range(120)]
    odd = Operation(OperationKey("\ud800", "\u0130/#?\\", "x" * 5_000), kept[0].members)

    await store.save(integration, Snapshot(), [*kept, odd], NOW)
    snapshot = await store.load(integration, [one.key for one in [*kept, odd, operation(500)]])

    assert snapshot.known.operations == {one.key: one for one in [*kept, odd]}
    assert snapshot.known.rooms == {}


async def test_integrations_do_not_see_each_others_operations(
    store: OperationStore, integration: str
) -> None:
    await store.save(integration, Snapshot(), [operation(1)], NOW)
    assert (await store.load(str(uuid4()), [operation(1).key])).known.operations == {}


async def test_an_incomplete_key_reads_all_operations_of_its_correlation_id(
    store: OperationStore, integration: str
) -> None:
    several = [Operation(OperationKey("c", name, "r"), operation(1).members) for name in "abc"]
    await store.save(integration, Snapshot(), [*several, operation(2)], NOW)
    snapshot = await store.load(integration, [OperationKey("c", "", "r")])
    assert set(snapshot.known.operations) == {one.key for one in several}


async def test_a_waiting_room_brings_all_operations_of_its_correlation_id_along(
    store: OperationStore, integration: str
) -> None:
    several = [Operation(OperationKey("c", name, "r"), operation(1).members) for name in "abc"]
    room = WaitingRoom("c", operation(3).members)
    await store.save(integration, Snapshot(), [*several, room], NOW)
    snapshot = await store.load(integration, [several[0].key])
    assert set(snapshot.known.operations) == {one.key for one in several}
    assert snapshot.known.rooms == {"c": room}


async def test_of_two_writers_the_second_is_told(store: OperationStore, integration: str) -> None:
    await store.save(integration, Snapshot(), [operation(1)], NOW)
    with pytest.raises(ConflictError):
        await store.save(integration, Snapshot(), [operation(1)], NOW)
    snapshot = await store.load(integration, [operation(1).key])
    await store.save(integration, snapshot, [operation(1)], NOW)
    with pytest.raises(ConflictError):
        await store.save(integration, snapshot, [operation(1)], NOW)


async def test_what_is_too_large_for_a_row_goes_to_a_blob_and_back(
    store: OperationStore, storage: Storage, integration: str
) -> None:
    large = operation(1, 3_000_000)
    await store.save(integration, Snapshot(), [large], NOW)
    snapshot = await store.load(integration, [large.key])
    assert snapshot.known.operations == {large.key: large}

    await store.save(integration, snapshot, [operation(1)], NOW)

    blob = next(iter(snapshot.blobs.values()))
    with pytest.raises(ResourceNotFoundError):
        await BlobStore(storage).read(ContainerName.PARKED, blob)


async def test_rows_of_several_pieces_are_written_and_read(store: OperationStore, integration: str) -> None:
    kept = [operation(number, 500_000) for number in range(9)]
    await store.save(integration, Snapshot(), kept, NOW)
    snapshot = await store.load(integration, [one.key for one in kept])
    assert snapshot.known.operations == {one.key: one for one in kept}


async def test_what_has_waited_long_enough_is_found_and_nothing_else(
    store: OperationStore, integration: str
) -> None:
    late = Operation(OperationKey("late", "o", "r"), (Member(b"x", "f", 0, NOW + WAIT),))
    left = operation(2, run="f", revision=1)
    await store.save(integration, Snapshot(), [operation(1), late, left], NOW)
    before = await store.waiting_too_long(integration, NOW + WAIT - timedelta(microseconds=1), 10)
    after = await store.waiting_too_long(integration, NOW + WAIT, 10)
    assert before.known.operations == {}
    assert set(after.known.operations) == {operation(1).key}


async def test_what_was_kept_long_enough_is_removed(store: OperationStore, integration: str) -> None:
    left = operation(1, run="f", revision=1)
    await store.save(integration, Snapshot(), [left, operation(2)], NOW)
    assert await store.remove_expired(integration, NOW + timedelta(minutes=59), 10) == 0
    assert await store.remove_expired(integration, NOW + timedelta(minutes=61), 10) == 1
    assert set((await store.load(integration, [left.key, operation(2).key])).known.operations) == {
        operation(2).key
    }


async def test_many_readers_at_once_get_what_is_theirs(store: OperationStore, integration: str) -> None:
    kept = [operation(number) for number in range(40)]
    await store.save(integration, Snapshot(), kept, NOW)
    snapshots = await asyncio.gather(*(store.load(integration, [one.key]) for one in kept))
    assert [list(one.known.operations) for one in snapshots] == [[one.key] for one in kept]
