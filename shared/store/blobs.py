"""The blob containers: what Capture writes, what we hand on, what we set aside, what waits."""

import asyncio
from collections.abc import AsyncIterator
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, ContentSettings
from azure.storage.blob.aio import BlobClient

from shared.store.storage import Storage

RANGE: Final = 3 << 19
"""Bytes that are read at once. Two such ranges are in memory at a time; smaller ones cost more requests."""

BLOCK: Final = 1 << 20
"""Bytes that are written at once; larger bodies in one piece would hold up the event loop."""

_AT_ONCE = 4


class ContainerName(StrEnum):
    """Every container of the app; each is made at first use.

    `parked` takes what waits and is too large for a table row, and archives of what left and may be revised.
    """

    CAPTURE = "capture"
    CONDENSED = "condensed"
    SET_ASIDE = "set-aside"
    PARKED = "parked"
    PUBLISHED = "published"


class BlobStore:
    """Reads and writes blobs, whole or bit by bit.

    Args:
        storage: of the app.
        range_bytes: how much of a blob is read at once.
        block_bytes: how much of a blob is written at once.
    """

    def __init__(self, storage: Storage, range_bytes: int = RANGE, block_bytes: int = BLOCK) -> None:
        self._storage = storage
        self._range = range_bytes
        self._block = block_bytes

    async def read(self, container: str, name: str) -> bytes:
        """The blob's bytes.

        Raises:
            ResourceNotFoundError: there is no such blob.
        """
        client = await self._storage.container(container)
        download = await client.download_blob(name, max_concurrency=_AT_ONCE)
        return await download.readall()

    async def first(self, container: str, begins: str) -> str:
        """The first name of a blob that begins like that; empty if there is none."""
        client = await self._storage.container(container)
        async for blob in client.list_blobs(name_starts_with=begins):
            return str(blob.name)
        return ""

    async def ranges(self, container: str, name: str) -> AsyncIterator[bytes]:
        """The blob's bytes in their order, bit by bit; the next are on their way meanwhile.

        Raises:
            ResourceNotFoundError: there is no such blob.
        """
        start = 0
        coming = asyncio.create_task(self._read_range(container, name, start))
        try:
            while data := await coming:
                start += len(data)
                is_last = len(data) < self._range
                if not is_last:
                    coming = asyncio.create_task(self._read_range(container, name, start))
                yield data
                if is_last:
                    return
        finally:
            coming.cancel()

    async def _read_range(self, container: str, name: str, start: int) -> bytes:
        client = await self._storage.container(container)
        try:
            download = await client.download_blob(name, offset=start, length=self._range)
            return await download.readall()
        except HttpResponseError as error:
            if error.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return b""  # It ended where the range before did.
            raise

    async def write(self, container: str, name: str, data: bytes, content_type: str) -> None:
        """Write a blob; one of the same name is replaced."""
        writer = await self.writer(container, name, content_type)
        await writer.add(data)
        await writer.close()

    async def writer(self, container: str, name: str, content_type: str) -> "BlobWriter":
        """Begin to write a blob; one of the same name is replaced in the end."""
        client = (await self._storage.container(container)).get_blob_client(name)
        return BlobWriter(client, content_type, self._block)

    async def copy(self, source: tuple[str, str], target: tuple[str, str], content_type: str) -> None:
        """Copy a blob, both given by container and name.

        Raises:
            ResourceNotFoundError: there is no such blob.
        """
        writer = await self.writer(*target, content_type)
        async for data in self.ranges(*source):
            await writer.add(data)
        await writer.close()

    async def delete(self, container: str, name: str) -> None:
        """Delete a blob, if it is there."""
        client = await self._storage.container(container)
        try:
            await client.delete_blob(name)
        except ResourceNotFoundError:
            return


class BlobWriter:
    """A blob that is written bit by bit, and not to be seen before it is complete.

    The same bytes give the same blocks, so that nothing stays of a first time that was cut off.

    Args:
        client: of the blob.
        content_type: of the blob.
        block_bytes: how much is written at once.
    """

    def __init__(self, client: BlobClient, content_type: str, block_bytes: int) -> None:
        self._client = client
        self._settings = ContentSettings(content_type=content_type)
        self._block = block_bytes
        self._blocks: list[BlobBlock] = []
        self._waiting = bytearray()

    async def add(self, data: bytes) -> None:
        """Write what comes next."""
        self._waiting += data
        full = len(self._waiting) // self._block * self._block
        # What may be all of the blob waits, since it can be written in one request.
        if full == len(self._waiting):
            full -= self._block
        if full > 0:
            whole = bytes(self._waiting[:full])
            del self._waiting[:full]
            gate = asyncio.Semaphore(_AT_ONCE)
            starts = range(0, full, self._block)
            self._blocks += await asyncio.gather(
                *(
                    self._stage(gate, len(self._blocks) + place, whole[start : start + self._block])
                    for place, start in enumerate(starts)
                )
            )

    async def close(self) -> None:
        """Write the rest; now the blob is there."""
        rest = bytes(self._waiting)
        if not self._blocks:
            await self._client.upload_blob(rest, overwrite=True, content_settings=self._settings)
            return
        self._blocks.append(await self._stage(asyncio.Semaphore(1), len(self._blocks), rest))
        await self._client.commit_block_list(self._blocks, content_settings=self._settings)

    async def _stage(self, gate: asyncio.Semaphore, number: int, data: bytes) -> BlobBlock:
        async with gate:
            await self._client.stage_block(f"{number:06}", data)
        return BlobBlock(f"{number:06}")
