"""Table `captures`, the ledger: partition the integration and day, row the run's id.

Every capture file and every flush leaves one row, which says what became of its entries. Flushes that are not
done have their rows in a partition of their own, so that those which were cut off are found without a search;
and so have files of which something was set aside.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from dataclasses import replace as changed
from datetime import datetime, timedelta
from typing import Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode

from shared.model.captures import CaptureState, Counts
from shared.settings import TRIED_AGAIN
from shared.store import day_sums
from shared.store.day_sums import counts_of, partition_of_day
from shared.store.storage import Storage
from shared.store.tables import (
    ConflictError,
    Row,
    Stored,
    TableName,
    commit,
    find,
    moment_of,
    overwrite,
    query,
    remove,
    replace,
    text_of,
)

LEASE: Final = timedelta(minutes=5)
"""How long a run may take. A worker that dies holds up its file for so long."""

TOO_LATE: Final = timedelta(seconds=TRIED_AGAIN) - LEASE
"""How long after it was begun a file that was cut off is not handled any more. The lease of whoever begins
before that ends before anything is forgotten that came or left in it."""

_IN_TIME: Final = timedelta(seconds=30)

PATIENCE: Final = timedelta(hours=6)
"""After how long a run that fails again may be given up. Event Grid tries for a day, at last each twelve
hours (learn.microsoft.com/azure/event-grid/delivery-and-retry)."""

FLUSHES: Final = "flushes"
"""Partition of the flushes that are not done, of all integrations."""

ASIDE: Final = "set-aside"
"""Partition of the files of which something was set aside, beside their row in that of their day."""


UNASSIGNED = "unassigned"
"""Stands for the integration of files from hubs that are assigned to nobody."""


class LeasedError(Exception):
    """Somebody else is handling the file; deliver the event again later."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One run: a capture file that was handled, or a flush.

    Attributes:
        integration_id: whose entries they are, or `UNASSIGNED`.
        run: ID of the capture file or of the flush.
        day: of the capture file or flush (UTC); with the integration it says where the row stands.
        source: the capture file's path; empty for a flush.
        state: how far it has come.
        leased_until: until when its worker may be working (UTC).
        counts: what became of the entries, when done.
        output: name of the condensed file, if there was anything to write.
        aside: name of the list of what was set aside, if anything was.
        first: time of the earliest entry that left.
        last: time of the latest entry that left.
        finished_at: when it was done (UTC).
        attempts: how often somebody took the lease.
        begun_at: when somebody did so first (UTC).
        late: how many of the attempts since then came when `PATIENCE` was over.
        trouble: what stood in the way of the last attempt, or why the whole file was set aside.
        part_bytes: how much of the file its first worker held at once; whoever begins anew cuts it alike.
        duplicates_window: among how many entries that pass through its first worker looked for repeated ones.
        compression: how its first worker compressed what left; empty for rows that do not tell.
        before: its state before it was to be handled once more; empty if it never was.
    """

    integration_id: str
    run: str
    day: datetime
    source: str
    state: CaptureState
    leased_until: datetime | None = None
    counts: Counts = field(default_factory=Counts)
    output: str = ""
    aside: str = ""
    first: str = ""
    last: str = ""
    finished_at: datetime | None = None
    attempts: int = 0
    begun_at: datetime | None = None
    trouble: str = ""
    part_bytes: int = 0
    duplicates_window: int = 0
    compression: str = ""
    late: int = 0
    before: str = ""

    @property
    def done(self) -> bool:
        """Whether there is nothing more to do."""
        return self.state is not CaptureState.LEASED

    @property
    def handed_on(self) -> bool:
        """Whether, when it was done before, something was handed on, or waited for others."""
        return bool(self.output) or self.counts.entries != self.counts.set_aside

    def is_leased(self, now: datetime) -> bool:
        """Whether a worker may be at it."""
        return self.leased_until is not None and self.leased_until > now

    def is_too_late(self, now: datetime) -> bool:
        """Whether what came and left in it may be forgotten by now; a file is not handled any more then.

        That counts from when it was begun. If it was done before and something was handed on, that was kept
        from some moment on after the file was written, so that it counts from there. A file that nobody has
        begun, and of which nothing was handed on, never comes too late.
        """
        since = self.day if self.handed_on else self.begun_at
        return since is not None and now - since >= TOO_LATE

    def seconds_left(self, now: datetime) -> float:
        """After how many seconds its worker has to stop, before the lease ends and another begins."""
        end = now if self.leased_until is None else self.leased_until
        return (end - now - _IN_TIME).total_seconds()


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


def partition_of(entry: LedgerEntry) -> str:
    """Where a run has its row."""
    if not entry.source and not entry.done:
        return FLUSHES
    return partition_of_day(entry.integration_id, entry.day)


def row_of(entry: LedgerEntry) -> Row:
    """A run as it stands in the table."""
    return {
        "PartitionKey": partition_of(entry),
        "RowKey": entry.run,
        "integration": entry.integration_id,
        "day": text_of(entry.day),
        "source": entry.source,
        "state": entry.state.value,
        "leased_until": text_of(entry.leased_until),
        "output": entry.output,
        "aside": entry.aside,
        "first": entry.first,
        "last": entry.last,
        "finished_at": text_of(entry.finished_at),
        "attempts": entry.attempts,
        "begun_at": text_of(entry.begun_at),
        "trouble": entry.trouble,
        "part_bytes": entry.part_bytes,
        "duplicates_window": entry.duplicates_window,
        "compression": entry.compression,
        "late": entry.late,
        "before": entry.before,
        **asdict(entry.counts),
    }


def entry_of(row: Mapping[str, Any]) -> LedgerEntry:
    """The run that a row stands for."""
    return LedgerEntry(
        integration_id=row["integration"],
        run=row["RowKey"],
        day=datetime.fromisoformat(row["day"]),
        source=row["source"],
        state=CaptureState(row["state"]),
        leased_until=moment_of(row["leased_until"]),
        counts=counts_of(row),
        output=row["output"],
        aside=row["aside"],
        first=row["first"],
        last=row["last"],
        finished_at=moment_of(row["finished_at"]),
        attempts=row["attempts"],
        begun_at=moment_of(row["begun_at"]),
        trouble=row["trouble"],
        part_bytes=int(row.get("part_bytes") or 0),
        duplicates_window=int(row.get("duplicates_window") or 0),
        compression=str(row.get("compression") or ""),
        late=int(row.get("late") or 0),
        before=str(row.get("before") or ""),
    )
