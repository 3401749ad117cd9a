"""What lies in the container that Event Hubs Capture writes to."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from shared.store.blobs import ContainerName
from shared.store.storage import Storage


class CaptureBlobs:
    """Lists capture files by hub and hour."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def paths(self, namespace: str, hub: str, hours: Iterable[datetime]) -> AsyncIterator[str]:
        """The names of a hub's blobs, of all its partitions, in these hours (UTC)."""
        container = await self._storage.container(ContainerName.CAPTURE)
        wanted = list(hours)
        partitions = [one.name async for one in container.walk_blobs(name_starts_with=f"{namespace}/{hub}/")]
        for partition in partitions:
            for hour in wanted:
                async for blob in container.list_blobs(name_starts_with=f"{partition}{hour:%Y/%m/%d/%H}/"):
                    yield blob.name
