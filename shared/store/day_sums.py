"""Table `captures`, what the runs of each day come to: partition the integration's sums, row the day.

Who wants to know what became of all entries reads the sums, and the runs only of days that have none: the
present one, and those of which something has changed since. A sum follows from the runs of its day, so
whoever adds them up once more gets the same.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

from azure.data.tables.aio import TableClient

from shared.model.captures import CaptureState, Counts
from shared.store.tables import Change, Row, Stored, moment_of, overwrite, query, text_of, write

_COUNTS: Final = tuple(one.name for one in fields(Counts))
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sum:
    """What some runs come to.

    Attributes:
        counts: what became of their entries.
        last: when the last capture file among them that held entries was written (UTC).
    """

    counts: Counts = field(default_factory=Counts)
    last: datetime | None = None

    def __add__(self, other: Self) -> "Sum":
        moments = [moment for moment in (self.last, other.last) if moment is not None]
        return Sum(self.counts + other.counts, max(moments, default=None))


def partition_of_day(integration_id: str, day: date) -> str:
    """Where the runs of a day have their rows."""
    return f"{integration_id}-{day:%Y%m%d}"


def counts_of(row: Mapping[str, Any]) -> Counts:
    """The counts in a row."""
    return Counts(**{name: int(row.get(name) or 0) for name in _COUNTS})


def outdated(integration_id: str, day: date) -> Change:
    """Says that the sum of a day does not hold any more, whether there is one or not.

    To be written before a run of a day that is over gets its result. Whoever adds up reads the sum first and
    then the runs: so they find the run under way, or its result, or cannot write the sum they come to.
    """
    return overwrite(_key(integration_id, day) | {"holds": False})


def summed(integration_id: str, day: date, runs: Iterable[Mapping[str, Any]], etag: str) -> Change:
    """Writes the sum of a day's runs, if the one that was read with that ETag is still there."""
    total = sum(map(_sum_of, runs), Sum())
    row = _key(integration_id, day) | {"holds": True, "last": text_of(total.last), **asdict(total.counts)}
    return write(row, etag)


async def known_sums(table: TableClient, integration_id: str) -> dict[str, Stored[Sum | None]]:
    """The sums of an integration by the names of their days' partitions; None for what is outdated."""
    rows = query(table, "PartitionKey eq @sums", sums=_key(integration_id, date.min)["PartitionKey"])
    return {
        f"{integration_id}-{row['RowKey']}": Stored(
            Sum(counts_of(row), moment_of(row["last"])) if row["holds"] else None, row["_etag"]
        )
        async for row in rows
    }


def unfinished(table: TableClient, integration_id: str) -> AsyncIterator[Row]:
    """The runs of an integration's days that have no result yet, or are to get another one."""
    least, most = _all_days(integration_id)
    condition = "PartitionKey ge @least and PartitionKey lt @most and state eq @leased"
    return query(table, condition, least=least, most=most, leased=CaptureState.LEASED.value)


async def overview(table: TableClient, integration_id: str) -> Sum:
    """What all runs of an integration come to."""
    known = await known_sums(table, integration_id)
    sums = {partition: stored.fact for partition, stored in known.items() if stored.fact is not None}
    gaps = _gaps(integration_id, sorted(sums))
    rest = await asyncio.gather(*(_between(table, least, most) for least, most in gaps))
    return sum([*sums.values(), *rest], Sum())


async def _between(table: TableClient, least: str, most: str) -> Sum:
    runs = table.query_entities(
        "PartitionKey ge @least and PartitionKey lt @most",
        parameters={"least": least, "most": most},
        select=[*_COUNTS, "source", "day"],
    )
    return sum([_sum_of(run) async for run in runs], Sum())


def _gaps(integration_id: str, partitions: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Where the runs of all other days are: from a name on, and up to another."""
    least, most = _all_days(integration_id)
    for partition in partitions:
        if least != partition:
            yield least, partition
        day = date.fromisoformat(partition.rpartition("-")[2])
        least = partition_of_day(integration_id, day + _DAY)
    yield least, most


def _all_days(integration_id: str) -> tuple[str, str]:
    """Where the runs of all days are."""
    return f"{integration_id}-0", f"{integration_id}-:"


def _sum_of(run: Mapping[str, Any]) -> Sum:
    counts = counts_of(run)
    return Sum(counts, datetime.fromisoformat(run["day"]) if run["source"] and counts.entries else None)


def _key(integration_id: str, day: date) -> Row:
    return {"PartitionKey": f"{integration_id}-sums", "RowKey": f"{day:%Y%m%d}"}
