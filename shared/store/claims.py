"""Table `claims`: which jobs are on their way, and since when none of an earlier cycle is needed.

Partition the step and the integration, row the target; and partition `planned`, row both.

A claim says that a job for a target waits on its queue, so that a second one need not be sent. It is
dropped when the job begins, so that whatever happens from then on leads to a job of its own. A claim whose
job was lost runs out.

On a host that is slower than its cycles, planning jobs may pile up all the same. So it is noted when the
last one that came to its end began: what was asked for before that moment is done.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import batched
from typing import Final

from shared.model.ids import stable_hash
from shared.model.jobs import Cause, Job
from shared.store.storage import Storage
from shared.store.tables import (
    BATCH,
    ConflictError,
    TableName,
    commit,
    find,
    moment_of,
    overwrite,
    query,
    text_of,
    write,
)

# A job that is wanted at once must not be left out because a cycle's job for the same target waits its turn.
_URGENCY: Final = {
    Cause.CYCLE: "cycle",
    Cause.ONBOARDING: "soon",
    Cause.LOG: "now",
    Cause.OPERATOR: "now",
    Cause.RETRY: "read-back",
}
_PLANNED: Final = "planned"


class ClaimStore:
    """Which jobs are on their way."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def claim(self, job: Job, now: datetime, until: datetime) -> bool:
        """Claim a target for a job that is about to be sent; False if another one comes no later than it."""
        table = await self._storage.table(TableName.CLAIMS)
        row = await find(table, _partition(job), _row(job))
        if row is not None and now < (moment_of(row["until"]) or now) <= until:
            return False
        claimed = {
            "PartitionKey": _partition(job),
            "RowKey": _row(job),
            "until": text_of(until),
            "cycle": job.cycle,
        }
        try:
            await commit(table, [write(claimed, row["_etag"] if row is not None else "")])
        except ConflictError:
            return False
        return True

    async def waiting(self, job: Job, now: datetime) -> str:
        """Cycle of the job that waits for this one's target; empty if none does."""
        table = await self._storage.table(TableName.CLAIMS)
        row = await find(table, _partition(job), _row(job))
        if row is None or (moment_of(row["until"]) or now) <= now:
            return ""
        return str(row.get("cycle", ""))

    async def claimed(self, job: Job, now: datetime) -> frozenset[str]:
        """Hashes of the targets of a planning job's step and integration for which a job waits."""
        table = await self._storage.table(TableName.CLAIMS)
        rows = query(table, "PartitionKey eq @partition", partition=_partition(job))
        return frozenset([row["RowKey"] async for row in rows if (moment_of(row["until"]) or now) > now])

    async def claim_all(self, jobs: Collection[tuple[Job, datetime]]) -> None:
        """Claim targets of one step and integration until the given moments, whoever claimed them before."""
        table = await self._storage.table(TableName.CLAIMS)
        for chunk in batched(jobs, BATCH, strict=False):
            await commit(
                table,
                [
                    overwrite({"PartitionKey": _partition(job), "RowKey": _row(job), "until": text_of(until)})
                    for job, until in chunk
                ],
            )

    async def drop(self, job: Job) -> None:
        """Drop the claim of a job that begins, whoever made it.

        Whoever found it until now sent no job, and need not: this one looks only from now on. One that is
        made at this very moment may go with it, and then a second job is sent, which finds nothing to do.
        """
        table = await self._storage.table(TableName.CLAIMS)
        await table.delete_entity(_partition(job), _row(job))

    async def planned(self, job: Job) -> str:
        """Stamp of the moment when the last planning job of this kind to come to its end began, or empty."""
        row = await find(await self._storage.table(TableName.CLAIMS), _PLANNED, _partition(job))
        return "" if row is None else str(row["began"])

    async def note_planned(self, job: Job, began: str) -> None:
        """Take down that a planning job which began at that moment has come to its end."""
        table = await self._storage.table(TableName.CLAIMS)
        row = await find(table, _PLANNED, _partition(job))
        if row is not None and row["began"] >= began:
            return
        noted = {"PartitionKey": _PLANNED, "RowKey": _partition(job), "began": began}
        # Of two that end at the same moment either is right.
        with suppress(ConflictError):
            await commit(table, [write(noted, row["_etag"] if row is not None else "")])


def is_claimed(job: Job, claimed: Collection[str]) -> bool:
    """Whether a job for the same target is among those claimed that comes no later than this one."""
    if _row(job) in claimed:
        return True
    return job.cause is Cause.CYCLE and _row(replace(job, cause=Cause.ONBOARDING)) in claimed


def _partition(job: Job) -> str:
    return f"{job.step.value}-{job.integration_id}"


def _row(job: Job) -> str:
    return stable_hash(job.phase.value, job.target.lower(), _URGENCY[job.cause])
