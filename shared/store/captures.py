"""Table `captures`, the ledger: partition the integration and day, row the run's id.

Every capture file and every flush leaves one row, which says what became of its entries. Flushes that are not
done have their rows in a partition of their own, so that those which were cut off are found without a search;
and so have files of which something was set aside.
"""

from dataclasses import replace as changed
from datetime import datetime

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode

from shared.model.captures import CaptureState, Counts
from shared.store import day_sums
from shared.store.day_sums import partition_of_day
from shared.store.ledger import ASIDE, FLUSHES, LEASE, PATIENCE, LedgerEntry, entry_of, partition_of, row_of
from shared.store.storage import Storage
from shared.store.tables import (
    ConflictError,
    Stored,
    TableName,
    commit,
    find,
    overwrite,
    query,
    remove,
    replace,
    text_of,
)


class LeasedError(Exception):
    """Somebody else is handling the file; deliver the event again later."""


class CaptureStore:
    """What was handled, by whom, and with what result."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def begin(self, entry: LedgerEntry, now: datetime) -> Stored[LedgerEntry]:
        """Take the lease for a run, unless it is done; then the row says with what result.

        Raises:
            LeasedError: somebody else has the lease.
        """
        table = await self._storage.table(TableName.CAPTURES)
        first = changed(entry, leased_until=now + LEASE, attempts=1, begun_at=now)
        try:
            made = await table.create_entity(row_of(first))
        except ResourceExistsError:
            return await self._begin_again(entry, now)
        return Stored(first, str(made["etag"]))

    async def _begin_again(self, entry: LedgerEntry, now: datetime) -> Stored[LedgerEntry]:
        table = await self._storage.table(TableName.CAPTURES)
        row = await find(table, partition_of(entry), entry.run)
        if row is None:
            raise LeasedError("somebody else has just finished the run")
        known = entry_of(row)
        if known.done:
            return Stored(known, row["_etag"])
        if known.is_leased(now):
            raise LeasedError(f"the run is leased until {known.leased_until:%H:%M:%S} UTC")
        late = 0 if known.begun_at is None else known.late + (now - known.begun_at >= PATIENCE)
        leased = changed(
            known,
            leased_until=now + LEASE,
            attempts=known.attempts + 1,
            begun_at=known.begun_at or now,
            late=late,
        )
        try:
            made = await table.update_entity(
                row_of(leased),
                mode=UpdateMode.REPLACE,
                etag=row["_etag"],
                match_condition=MatchConditions.IfNotModified,
            )
        except (ResourceModifiedError, ResourceNotFoundError) as error:
            raise LeasedError("somebody else took the lease at the same moment") from error
        return Stored(leased, str(made["etag"]))

    async def finish(self, entry: LedgerEntry, leased: Stored[LedgerEntry]) -> None:
        """Write the result of a run.

        Raises:
            ConflictError: the lease had run out, and somebody else took it.
        """
        table = await self._storage.table(TableName.CAPTURES)
        row, before = row_of(entry), row_of(leased.fact)
        if entry.finished_at is not None and entry.finished_at.date() > entry.day.date():
            await commit(table, [day_sums.outdated(entry.integration_id, entry.day)])
        if entry.aside or entry.state is CaptureState.SET_ASIDE:
            # Before the row that says so: a reference to a file that is not done yet does no harm.
            await commit(table, [overwrite(row | {"PartitionKey": ASIDE})])
        if row["PartitionKey"] == before["PartitionKey"]:
            await commit(table, [replace(row, leased.etag)])
            return
        # Whoever ends a flush writes the same, so it does not matter if two do.
        await commit(table, [overwrite(row)])
        await commit(table, [remove(before, leased.etag)])

    async def release(self, leased: Stored[LedgerEntry], trouble: str) -> None:
        """Give the lease back after a failure, so that the next delivery need not wait for its end.

        Args:
            leased: the run.
            trouble: what stood in the way, without payloads.
        """
        table = await self._storage.table(TableName.CAPTURES)
        row = row_of(changed(leased.fact, leased_until=None, trouble=trouble))
        try:
            await commit(table, [replace(row, leased.etag)])
        except ConflictError:
            return

    async def drop(self, leased: Stored[LedgerEntry]) -> None:
        """Take back that a run was begun in which nothing was done."""
        table = await self._storage.table(TableName.CAPTURES)
        try:
            await commit(table, [remove(row_of(leased.fact), leased.etag)])
        except ConflictError:
            return

    async def read(self, integration_id: str, day: datetime, run: str) -> LedgerEntry | None:
        """A run that is done, or a capture file being handled."""
        table = await self._storage.table(TableName.CAPTURES)
        row = await find(table, partition_of_day(integration_id, day), run)
        return None if row is None else entry_of(row)

    async def unfinished_flushes(self, now: datetime) -> list[LedgerEntry]:
        """Flushes of all integrations whose worker did not come to the end."""
        table = await self._storage.table(TableName.CAPTURES)
        rows = query(table, "PartitionKey eq @flushes", flushes=FLUSHES)
        found = [entry_of(row) async for row in rows]
        return [flush for flush in found if not flush.is_leased(now)]

    async def day(
        self, integration_id: str, day: datetime, since: datetime | None = None
    ) -> list[LedgerEntry]:
        """The runs of a day (UTC), or those of them that are not older than a moment."""
        table = await self._storage.table(TableName.CAPTURES)
        rows = query(
            table,
            "PartitionKey eq @partition and day ge @since",
            partition=partition_of_day(integration_id, day),
            since=text_of(since),
        )
        return [entry_of(row) async for row in rows]

    async def totals(self, integration_id: str) -> Counts:
        """What became of all of an integration's entries, over all its runs."""
        return (await self.overview(integration_id))[0]

    async def overview(self, integration_id: str) -> tuple[Counts, datetime | None]:
        """As `totals`, and when the last capture file that held entries was written (UTC)."""
        total = await day_sums.overview(await self._storage.table(TableName.CAPTURES), integration_id)
        return total.counts, total.last
