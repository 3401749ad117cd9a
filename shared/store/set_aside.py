"""Files of which something was set aside, in table `captures`: to be listed, handled once more, forgotten."""

from collections.abc import Callable
from dataclasses import replace as changed
from datetime import datetime

from shared.model.captures import CaptureState
from shared.model.problem import PROVIDER
from shared.store.ledger import ASIDE, UNASSIGNED, LedgerEntry, entry_of, partition_of, row_of
from shared.store.problems import ProblemStore
from shared.store.storage import Storage
from shared.store.tables import Stored, TableName, commit, find, query, remove, replace


class SetAsideStore:
    """What lies aside until somebody decides.

    Args:
        storage: of the app.
        problems: which end when nothing lies aside any more.
        clock: gives the present in UTC.
    """

    def __init__(self, storage: Storage, problems: ProblemStore, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._problems = problems
        self._clock = clock

    async def list(self) -> list[LedgerEntry]:
        """The runs of files that were set aside, whole or in part."""
        table = await self._storage.table(TableName.CAPTURES)
        return [entry_of(row) async for row in query(table, "PartitionKey eq @aside", aside=ASIDE)]

    async def find(self, run: str) -> LedgerEntry | None:
        """A file as it was set aside; None if it is not in the list."""
        found = await find(await self._storage.table(TableName.CAPTURES), ASIDE, run)
        return None if found is None else entry_of(found)

    async def reopen(self, run: str) -> LedgerEntry | None:
        """Let a file be handled once more; it stays in the list until that has succeeded.

        One of which nothing is missing any more, since somebody else handled it meanwhile, is left as it is.

        Returns:
            The file; None if it is not in the list.

        Raises:
            ConflictError: somebody else is doing so.
        """
        table = await self._storage.table(TableName.CAPTURES)
        found = await find(table, ASIDE, run)
        if found is None:
            return None
        aside = entry_of(found)
        row = await find(table, partition_of(aside), run)
        if row is not None and entry_of(row).done and entry_of(row).counts.set_aside:
            again = Stored(entry_of(row), row["_etag"])
            if aside.integration_id == UNASSIGNED:
                # Whoever it belongs to by now has a row of its own for it.
                await commit(table, [remove(row, again.etag)])
            else:
                await commit(table, [replace(row_of(_reopened(again.fact)), again.etag)])
        return aside

    async def forget(self, run: str) -> bool:
        """Take a file off the list, and resolve what was reported of it; tells whether it was there."""
        table = await self._storage.table(TableName.CAPTURES)
        found = await find(table, ASIDE, run)
        if found is None:
            return False
        gone = entry_of(found)
        row = await find(table, partition_of(gone), run)
        if row is not None and not entry_of(row).done and entry_of(row).attempts == gone.attempts:
            # It was to be handled once more, and nobody has begun to: what was so before is so again.
            await commit(table, [replace(row_of(gone), row["_etag"])])
        hub = _hub(gone)
        places = [gone.source]
        if hub not in {_hub(one) for one in await self.list() if one.run != run}:
            places.append(hub)
        for who in (gone.integration_id, PROVIDER):
            for place in places:
                await self._problems.settle(who, place, self._clock(), None)
        # Last, so that whoever dies in between can be asked once more.
        await commit(table, [remove(found, found["_etag"])])
        return True


def _reopened(entry: LedgerEntry) -> LedgerEntry:
    # The counts stay: what lies aside does so until the file was handled.
    return changed(
        entry, state=CaptureState.LEASED, begun_at=None, finished_at=None, before=entry.state.value
    )


def _hub(entry: LedgerEntry) -> str:
    """Namespace and hub of a file."""
    return "/".join(entry.source.split("/")[:2])
