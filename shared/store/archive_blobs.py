"""Archives that lie in blobs; once a row refers to one, it stays as it is."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from azure.core.exceptions import ResourceNotFoundError

from shared.store.archives import blob_of, contents_of
from shared.store.blobs import BlobStore, ContainerName

BINARY: Final = "application/octet-stream"

_REMEMBERED: Final = 4 << 20
"""Bytes of archives that a process remembers, so that it does not read again what it wrote, or what it read
before it lost a race."""


class ArchiveBlobs:
    """Reads and writes them.

    Args:
        blobs: where they are.
    """

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._remembered: dict[str, bytes] = {}

    async def read(self, names: Collection[str]) -> dict[str, Mapping[int, Sequence[bytes]]]:
        """What those of these blobs hold that are there, by name and number of the bucket."""
        found = await asyncio.gather(*map(self._read, names))
        return {name: contents_of(data) for name, data in zip(names, found, strict=True) if data is not None}

    async def write(self, name: str, contents: Mapping[int, Sequence[bytes]]) -> None:
        """Write a blob that holds this."""
        data = blob_of(contents)
        await self._blobs.write(ContainerName.PARKED, name, data, BINARY)
        self._remember(name, data)

    async def _read(self, name: str) -> bytes | None:
        data = self._remembered.get(name)
        if data is None:
            try:
                data = await self._blobs.read(ContainerName.PARKED, name)
            except ResourceNotFoundError:
                return None
            self._remember(name, data)
        return data

    def _remember(self, name: str, data: bytes) -> None:
        self._remembered[name] = data
        while sum(map(len, self._remembered.values())) > _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
