"""Blobs of kept operations that no row refers to: what workers left that died or lost a race."""

import logging
import re
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from azure.core.exceptions import ResourceNotFoundError

from shared.store import parked
from shared.store.blobs import BlobStore, ContainerName
from shared.store.storage import Storage
from shared.store.tables import Row, TableName, find

_log = logging.getLogger(__name__)

_NAME: Final = re.compile(r"(?P<integration>[A-Za-z0-9-]+)/(?P<bucket>\d\d)/[^/]+", re.ASCII)

_AGE: Final = timedelta(hours=1)
"""A blob is written right before its row. No worker takes that long in between."""


class Leftovers:
    """Removes such blobs.

    Args:
        storage: of the app.
        blobs: where they are.
    """

    def __init__(self, storage: Storage, blobs: BlobStore) -> None:
        self._storage = storage
        self._blobs = blobs

    async def remove(self, now: datetime) -> int:
        """Remove all of them, and tell how many there were; what has no name of ours is left alone."""
        container = await self._storage.container(ContainerName.PARKED)
        old: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        async for blob in container.list_blobs():
            ours = _NAME.fullmatch(blob.name)
            if ours is None:
                _log.warning("somebody else's blob lies in %s: %s", ContainerName.PARKED, blob.name)
            elif blob.last_modified < now - _AGE:
                old[ours["integration"], ours["bucket"]].append(blob.name)
        removed = 0
        table = await self._storage.table(TableName.OPERATIONS)
        for place, names in old.items():
            needed = await self._needed(await find(table, *place))
            if needed is None:
                continue
            for name in names:
                if name not in needed:
                    await self._blobs.delete(ContainerName.PARKED, name)
                    removed += 1
        return removed

    async def _needed(self, row: Row | None) -> set[str] | None:
        """The blobs that a bucket's row refers to; None if that has been written anew since it was read."""
        if row is None:
            return set()
        try:
            data = (
                await self._blobs.read(ContainerName.PARKED, row["blob"])
                if row["blob"]
                else parked.joined(row)
            )
        except ResourceNotFoundError:
            return None
        return {row["blob"], *(archive.blob for archive in parked.unpacked(data).archives)}
