from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from azure.core.exceptions import ResourceNotFoundError

from local.azurite import Azurite
from shared.settings import StorageSettings
from shared.store.blobs import BlobStore, ContainerName
from shared.store.storage import Storage
from tests.capture.app import NoCredential


@pytest.fixture
async def blobs(azurite: Azurite) -> AsyncIterator[BlobStore]:
    settings = StorageSettings(azurite.connection_string, "", "", "")
    async with Storage(settings, NoCredential()) as storage:
        yield BlobStore(storage)


async def test_a_blob_is_written_read_replaced_and_deleted(blobs: BlobStore) -> None:
    name = f"{uuid4()}/a b/ü.ndjson"
    await blobs.write(ContainerName.CONDENSED, name, b"one", "text/plain")
    await blobs.write(ContainerName.CONDENSED, name, b"two", "text/plain")
    assert await blobs.read(ContainerName.CONDENSED, name) == b"two"
    await blobs.delete(ContainerName.CONDENSED, name)
    await blobs.delete(ContainerName.CONDENSED, name)
    with pytest.raises(ResourceNotFoundError):
        await blobs.read(ContainerName.CONDENSED, name)


async def test_large_and_empty_blobs_are_read_whole(blobs: BlobStore) -> None:
    large, empty = str(uuid4()), str(uuid4())
    await blobs.write(ContainerName.CAPTURE, large, b"x" * 40_000_000, "application/octet-stream")
    await blobs.write(ContainerName.CAPTURE, empty, b"", "application/octet-stream")
    assert len(await blobs.read(ContainerName.CAPTURE, large)) == 40_000_000
    assert await blobs.read(ContainerName.CAPTURE, empty) == b""


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 200, 350])
async def test_a_blob_is_read_in_ranges_and_written_in_blocks(azurite: Azurite, size: int) -> None:
    settings = StorageSettings(azurite.connection_string, "", "", "")
    name, content = f"{uuid4()}/{size}", bytes(number % 251 for number in range(size))
    async with Storage(settings, NoCredential()) as storage:
        small = BlobStore(storage, range_bytes=100, block_bytes=100)
        writer = await small.writer(ContainerName.CONDENSED, name, "text/plain")
        for start in range(0, size, 30):
            await writer.add(content[start : start + 30])
        await writer.close()
        copy = f"{name}-copy"
        await small.copy(
            (ContainerName.CONDENSED, name), (ContainerName.CONDENSED, copy), "application/octet-stream"
        )

        ranges = [data async for data in small.ranges(ContainerName.CONDENSED, copy)]

        assert b"".join(ranges) == content
        assert max(map(len, ranges), default=0) <= 100
        assert await small.read(ContainerName.CONDENSED, name) == content


async def test_a_blob_that_is_not_there_has_no_ranges(blobs: BlobStore) -> None:
    with pytest.raises(ResourceNotFoundError):
        [data async for data in blobs.ranges(ContainerName.CAPTURE, str(uuid4()))]


async def test_a_blob_that_was_not_closed_is_not_there(blobs: BlobStore) -> None:
    name = str(uuid4())
    writer = await blobs.writer(ContainerName.CONDENSED, name, "text/plain")
    await writer.add(b"x" * 3_000_000)
    with pytest.raises(ResourceNotFoundError):
        await blobs.read(ContainerName.CONDENSED, name)
