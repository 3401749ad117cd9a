"""The blob containers: what Capture writes, what we hand on, what we set aside, what waits."""

import asyncio
from enum import StrEnum

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobBlock, ContentSettings

from shared.store.storage import Storage

_BLOCK = 1 << 20
"""Larger bodies in one piece would hold up the event loop."""

_AT_ONCE = 4


class ContainerName(StrEnum):
    """Every container of the app; each is made at first use.

    `parked` takes what waits and is too large for a table row.
    """

    CAPTURE = "capture"
    CONDENSED = "condensed"
    SET_ASIDE = "set-aside"
    PARKED = "parked"
    PUBLISHED = "published"


class BlobStore:
    """Reads and writes blobs, whole."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def read(self, container: str, name: str) -> bytes:
        """The blob's bytes.

        Raises:
            ResourceNotFoundError: there is no such blob.
        """
        client = await self._storage.container(container)
        download = await client.download_blob(name, max_concurrency=_AT_ONCE)
        return await download.readall()

    async def write(self, container: str, name: str, data: bytes, content_type: str) -> None:
        """Write a blob; one of the same name is replaced."""
        client = (await self._storage.container(container)).get_blob_client(name)
        settings = ContentSettings(content_type=content_type)
        if len(data) <= _BLOCK:
            await client.upload_blob(data, overwrite=True, content_settings=settings)
            return
        gate = asyncio.Semaphore(_AT_ONCE)

        async def stage(number: int) -> BlobBlock:
            async with gate:
                start = number * _BLOCK
                await client.stage_block(f"{number:06}", data[start : start + _BLOCK])
                return BlobBlock(f"{number:06}")

        blocks = await asyncio.gather(*(stage(number) for number in range(-(-len(data) // _BLOCK))))
        await client.commit_block_list(blocks, content_settings=settings)

    async def delete(self, container: str, name: str) -> None:
        """Delete a blob, if it is there."""
        client = await self._storage.container(container)
        try:
            await client.delete_blob(name)
        except ResourceNotFoundError:
            return
