"""The blob containers: what Capture writes, what we hand on, what we set aside, what waits."""

from enum import StrEnum

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContentSettings

from shared.store.storage import Storage


class ContainerName(StrEnum):
    """Every container of the app; each is made at first use.

    `parked` takes what waits and is too large for a table row.
    """

    CAPTURE = "capture"
    CONDENSED = "condensed"
    SET_ASIDE = "set-aside"
    PARKED = "parked"


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
        download = await client.download_blob(name, max_concurrency=4)
        return await download.readall()

    async def write(self, container: str, name: str, data: bytes, content_type: str) -> None:
        """Write a blob; one of the same name is replaced."""
        client = await self._storage.container(container)
        settings = ContentSettings(content_type=content_type)
        await client.upload_blob(name, data, overwrite=True, content_settings=settings)

    async def delete(self, container: str, name: str) -> None:
        """Delete a blob, if it is there."""
        client = await self._storage.container(container)
        try:
            await client.delete_blob(name)
        except ResourceNotFoundError:
            return
