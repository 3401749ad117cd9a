"""Table `captures`, when it gets old: days are added up, and later their runs become one row."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace as changed
from datetime import datetime
from itertools import batched
from typing import Final

from shared.model.captures import CaptureState, Counts
from shared.store.day_sums import known_sums, partition_of_day, summed, unfinished
from shared.store.ledger import FLUSHES, LedgerEntry, entry_of, partition_of, row_of
from shared.store.storage import Storage
from shared.store.tables import BATCH, ConflictError, Row, TableName, commit, find, query, remove, write

DAY: Final = "day"
"""Run and source of the row that stands for the runs of a day."""


class LedgerAge:
    """Adds old runs up."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def not_summed_up(self, integration_id: str, days: Iterable[datetime]) -> list[datetime]:
        """Those of the days that have no sum, or one that does not hold any more."""
        known = await known_sums(await self._storage.table(TableName.CAPTURES), integration_id)
        summed_up = {partition for partition, stored in known.items() if stored.fact is not None}
        return [day for day in days if partition_of_day(integration_id, day) not in summed_up]

    async def under_way(self, integration_id: str) -> list[LedgerEntry]:
        """The capture files of all days that were begun and are not done."""
        return [
            entry_of(row)
            async for row in unfinished(await self._storage.table(TableName.CAPTURES), integration_id)
        ]

    async def sum_up(self, integration_id: str, days: Iterable[datetime]) -> dict[datetime, Counts]:
        """Note what the runs of days that are over come to, so that nobody has to read them for it.

        Days that have their sum are left alone, and so are those in which a run is under way.

        Returns:
            By day what was noted.
        """
        noted: dict[datetime, Counts] = {}
        table = await self._storage.table(TableName.CAPTURES)
        known = await known_sums(table, integration_id)
        flushes = [
            entry_of(row)
            async for row in query(
                table, "PartitionKey eq @flushes and integration eq @id", flushes=FLUSHES, id=integration_id
            )
        ]
        # Read after the sums and the flushes: whatever gets its result from now on is seen by its ETag.
        busy = {partition_of_day(integration_id, flush.day) for flush in flushes}
        for day in days:
            partition = partition_of_day(integration_id, day)
            before = known.get(partition)
            if partition in busy or (before is not None and before.fact is not None):
                continue
            rows = [row async for row in query(table, "PartitionKey eq @partition", partition=partition)]
            runs = [entry_of(row) for row in rows]
            if not all(run.done for run in runs):
                continue
            with suppress(ConflictError):
                etag = "" if before is None else before.etag
                await commit(table, [summed(integration_id, day, rows, etag)])
                noted[day] = sum((run.counts for run in runs), Counts())
        return noted

    async def add_up(self, integration_id: str, day: datetime) -> int:
        """Put the sum in place of the runs of a day that are done; tells how many there were.

        A hundred rows are added and removed in one transaction, so that the ledger is right at every moment.
        Files of which something lies aside keep their rows.

        Raises:
            ConflictError: somebody else is doing the same, or handles a file of that day.
        """
        table = await self._storage.table(TableName.CAPTURES)
        partition = partition_of(LedgerEntry(integration_id, DAY, day, DAY, CaptureState.DONE))
        rows = [row async for row in query(table, "PartitionKey eq @partition", partition=partition)]
        done = [row for row in rows if row["RowKey"] != DAY and _is_settled(entry_of(row))]
        for some in batched(done, BATCH - 1, strict=False):
            known = await find(table, partition, DAY)
            sum_row = row_of(_sum(integration_id, known, [entry_of(row) for row in some]))
            etag = "" if known is None else known["_etag"]
            await commit(table, [write(sum_row, etag), *(remove(row, row["_etag"]) for row in some)])
        return len(done)


def _is_settled(entry: LedgerEntry) -> bool:
    return entry.state is CaptureState.DONE and not entry.aside


def _sum(integration_id: str, known: Row | None, entries: list[LedgerEntry]) -> LedgerEntry:
    """What stands for these runs and those that were added up before; its day is that of the last file."""
    first = min(entry.day for entry in entries)
    total = (
        LedgerEntry(integration_id, DAY, first, DAY, CaptureState.DONE) if known is None else entry_of(known)
    )
    files = [entry.day for entry in [total, *entries] if entry.source and entry.counts.entries]
    counts = sum((entry.counts for entry in entries), total.counts)
    return changed(total, day=max(files, default=total.day), counts=counts)
