"""Blobs of kept operations that nobody needs any more."""

import os
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import ResourceNotFoundError

from shared.model.operations import Member, Operation, OperationKey
from shared.store import parked
from shared.store.blobs import BlobStore, ContainerName
from shared.store.leftovers import Leftovers
from shared.store.operations import OperationStore, bucket_of
from shared.store.storage import Storage
from shared.store.wish import View

NOW = datetime(2024, 5, 1, 10, tzinfo=UTC)


async def test_only_old_blobs_that_no_row_refers_to_are_removed(storage: Storage) -> None:
    blobs = BlobStore(storage)
    store = OperationStore(storage, blobs, timedelta(minutes=15), timedelta(days=1), roomy=10)
    number = bucket_of("c")
    for run in ("a", "b"):
        member = Member(b"x" * 99, "file", 0, NOW, run, 1)
        loaded = await store.load("one", {number: ()}, View(run, NOW))
        kept = {number: [Operation(OperationKey("c", run, "r"), (member,))]}
        assert await store.save("one", loaded, kept, View(run, NOW)) == set()
    container = await storage.container(ContainerName.PARKED)
    needed = {blob.name async for blob in container.list_blobs()}
    assert needed
    for name in (f"one/{number:02}/lost", "two/01/lost"):
        await blobs.write(ContainerName.PARKED, name, b"", "application/octet-stream")

    assert await Leftovers(storage, blobs).remove(datetime.now(UTC)) == 0
    assert await Leftovers(storage, blobs).remove(datetime.now(UTC) + timedelta(hours=2)) == 2

    assert {blob.name async for blob in container.list_blobs()} == needed


class Overtaken(BlobStore):
    """In which a bucket's blob is gone, since the bucket was written anew after its row was read."""

    async def read(self, container: str, name: str) -> bytes:
        raise ResourceNotFoundError(f"{container}/{name}")


async def test_nothing_is_removed_of_a_bucket_that_is_written_anew_meanwhile(storage: Storage) -> None:
    blobs = BlobStore(storage)
    store = OperationStore(storage, blobs, timedelta(minutes=15), timedelta(days=1), roomy=10)
    number = bucket_of("c")
    waiting = Member(os.urandom(parked.MAX_PACKED + 1), "file", 0, NOW)
    for run, member in (("a", Member(b"x" * 99, "file", 0, NOW, "a", 1)), ("b", waiting)):
        loaded = await store.load("three", {number: ()}, View(run, NOW))
        kept = {number: [Operation(OperationKey("c", run, "r"), (member,))]}
        assert await store.save("three", loaded, kept, View(run, NOW)) == set()
    container = await storage.container(ContainerName.PARKED)
    before = {blob.name async for blob in container.list_blobs(name_starts_with="three/")}
    assert len(before) == 2  # one takes the bucket, one is an archive

    await Leftovers(storage, Overtaken(storage)).remove(datetime.now(UTC) + timedelta(hours=2))

    assert {blob.name async for blob in container.list_blobs(name_starts_with="three/")} == before


async def test_blobs_of_others_are_left_alone_and_keep_nobody_from_his_work(storage: Storage) -> None:
    blobs = BlobStore(storage)
    foreign = {"note.txt", "four/01/02/03", "what?/01/it is", "four/report/2024", "a b/01/c"}
    for name in (*foreign, "four/01/lost"):
        await blobs.write(ContainerName.PARKED, name, b"", "application/octet-stream")
    try:
        assert await Leftovers(storage, blobs).remove(datetime.now(UTC) + timedelta(hours=2)) >= 1
        container = await storage.container(ContainerName.PARKED)
        left = {blob.name async for blob in container.list_blobs()}
        assert foreign <= left
        assert "four/01/lost" not in left
    finally:
        for name in foreign:
            await blobs.delete(ContainerName.PARKED, name)
