"""Table `listings`: partition what is listed, row its scope; which listings were complete, and when.

Only a complete listing leaves a stamp here. What three of them in a row did not see is gone.
"""

from shared.store.storage import Storage
from shared.store.tables import Stored, TableName, commit, find, overwrite, write

KEPT = 3
"""How many complete listings in a row must miss an object before it is gone."""


class ListingStore:
    """Stamps of the last complete listings."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def read(self, kind: str, scope: str) -> Stored[tuple[str, ...]]:
        """Stamps of the last complete listings, oldest first; an empty ETag if there was none."""
        row = await find(await self._storage.table(TableName.LISTINGS), kind, scope)
        if row is None:
            return Stored((), "")
        return Stored(tuple(row["completed"].split()), row["_etag"])

    async def note(self, kind: str, scope: str, stamp: str) -> None:
        """Take down that a listing was complete; one that was begun earlier changes nothing."""
        known = await self.read(kind, scope)
        if stamp > max(known.fact, default=""):
            row = {"PartitionKey": kind, "RowKey": scope, "completed": stamp}
            await commit(await self._storage.table(TableName.LISTINGS), [overwrite(row)])

    async def save(self, kind: str, scope: str, completed: Stored[tuple[str, ...]]) -> None:
        """Write the stamps.

        Raises:
            ConflictError: another listing was completed in the meantime.
        """
        row = {"PartitionKey": kind, "RowKey": scope, "completed": " ".join(completed.fact[-KEPT:])}
        table = await self._storage.table(TableName.LISTINGS)
        await commit(table, [write(row, completed.etag)])
