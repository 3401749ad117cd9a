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
