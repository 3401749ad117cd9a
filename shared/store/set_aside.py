"""Files of which something was set aside, in table `captures`: to be listed, handled once more, forgotten."""

from dataclasses import replace as changed

from shared.model.captures import CaptureState, Counts
from shared.store.captures import ASIDE, UNASSIGNED, LedgerEntry, entry_of, partition_of, row_of
from shared.store.storage import Storage
from shared.store.tables import ConflictError, Stored, TableName, commit, find, query, remove, replace


class SetAsideStore:
    """What lies aside until somebody decides."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def list(self) -> list[LedgerEntry]:
        """The runs of files that were set aside, whole or in part."""
        table = await self._storage.table(TableName.CAPTURES)
        return [entry_of(row) async for row in query(table, "PartitionKey eq @aside", aside=ASIDE)]

    async def find(self, run: str) -> Stored[LedgerEntry] | None:
        """One of them; None if there is no such file."""
        table = await self._storage.table(TableName.CAPTURES)
        row = await find(table, ASIDE, run)
        return None if row is None else Stored(entry_of(row), row["_etag"])

    async def reopen(self, aside: Stored[LedgerEntry]) -> None:
        """Let the file be handled once more; it stays in the list.

        Raises:
            ConflictError: somebody else is doing so.
        """
        table = await self._storage.table(TableName.CAPTURES)
        row = await find(table, partition_of(aside.fact), aside.fact.run)
        if row is None or not entry_of(row).done:
            return
        if aside.fact.integration_id == UNASSIGNED:
            # Whoever it belongs to now has a row of its own for it.
            await commit(table, [remove(row, row["_etag"])])
            return
        again = changed(
            entry_of(row), state=CaptureState.LEASED, counts=Counts(), begun_at=None, finished_at=None
        )
        await commit(table, [replace(row_of(again), row["_etag"])])

    async def forget(self, aside: Stored[LedgerEntry]) -> None:
        """Take a file off the list, unless more of it was set aside since."""
        table = await self._storage.table(TableName.CAPTURES)
        try:
            await commit(table, [remove(row_of(aside.fact) | {"PartitionKey": ASIDE}, aside.etag)])
        except ConflictError:
            return
