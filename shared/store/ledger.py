"""A run in the ledger, and the row in table `captures` that it stands in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from shared.model.captures import CaptureState, Counts
from shared.settings import TRIED_AGAIN
from shared.store.day_sums import counts_of, partition_of_day
from shared.store.tables import Row, moment_of, text_of

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

UNASSIGNED: Final = "unassigned"
"""Stands for the integration of files from hubs that are assigned to nobody."""


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
