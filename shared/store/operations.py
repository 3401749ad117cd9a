"""Table `operations`: partition the integration and a bucket, row the hash of the operation's key.

A correlation ID has all its rows in one bucket: `o-{correlation}-{operation}` for its operations,
`w-{correlation}` for its waiting room.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched

from azure.core.exceptions import ResourceNotFoundError

from shared.model.ids import stable_hash
from shared.model.operations import Known, Operation, OperationKey, WaitingRoom, due
from shared.store.blobs import BlobStore, ContainerName
from shared.store.parked import MAX_PACKED, joined, pack, pieces_of, unpack
from shared.store.storage import Storage
from shared.store.tables import ConflictError, Row, TableName, commit, query, remove, text_of, write

BUCKETS = 4
"""Partitions per integration: each takes 2,000 rows a second."""

_COMPARISONS = 15
"""How many comparisons a query may have (learn.microsoft.com/rest/api/storageservices/
querying-tables-and-entities)."""

_TRANSACTION = 720_000
"""Packed bytes in one transaction. They travel in base64, and a body over 1 MiB would hold up the event loop
(the service itself takes 4 MiB)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is kept of some operations, as it was read.

    Attributes:
        known: the facts.
        etags: by row key, what proves that the row is still as it was read.
        blobs: by row key, the blob that holds what was too large for the row.
    """

    known: Known = field(default_factory=Known)
    etags: Mapping[str, str] = field(default_factory=dict)
    blobs: Mapping[str, str] = field(default_factory=dict)


class OperationStore:
    """What waits, and what left and may be revised.

    Args:
        storage: of the app.
        blobs: for what is too large for a row.
        wait: how long an entry waits for the rest of its operation.
        retention: how long an operation is kept after its last change.
    """

    def __init__(self, storage: Storage, blobs: BlobStore, wait: timedelta, retention: timedelta) -> None:
        self._storage = storage
        self._blobs = blobs
        self._wait = wait
        self._retention = retention

    async def load(self, integration_id: str, keys: Collection[OperationKey]) -> Snapshot:
        """What is kept of operations.

        For a correlation ID with an incomplete key or a waiting room it is everything, since which
        operation an incomplete entry belongs to depends on all of them.

        Raises:
            ConflictError: a row was changed while it was read.
        """
        by_bucket: defaultdict[str, list[OperationKey]] = defaultdict(list)
        for key in keys:
            by_bucket[_partition(integration_id, key.correlation)].append(key)
        found = await asyncio.gather(*(self._load(bucket, keys) for bucket, keys in by_bucket.items()))
        return await self._snapshot(row for rows in found for row in rows)

    async def _load(self, partition: str, keys: list[OperationKey]) -> list[Row]:
        correlations = {_hash(key): key.correlation for key in keys}
        rooms = await self._query(f"PartitionKey eq '{partition}' and RowKey ge 'w-' and RowKey lt 'w.'")
        rooms = [row for row in rooms if row["RowKey"][2:] in correlations]
        whole = {row["RowKey"][2:] for row in rooms} | {_hash(key) for key in keys if not key.complete}
        single = {_operation_row(key) for key in keys if _hash(key) not in whole}
        conditions = [f"RowKey eq '{row}'" for row in sorted(single)]
        queries = [
            f"PartitionKey eq '{partition}' and ({' or '.join(some)})"
            for some in batched(conditions, _COMPARISONS - 1, strict=False)
        ]
        queries += [
            f"PartitionKey eq '{partition}' and RowKey ge 'o-{one}-' and RowKey lt 'o-{one}.'"
            for one in sorted(whole)
        ]
        found = await asyncio.gather(*(self._query(condition) for condition in queries))
        return rooms + [row for rows in found for row in rows]

    async def waiting_too_long(self, integration_id: str, now: datetime, limit: int) -> Snapshot:
        """At most so many operations and waiting rooms in which something has waited long enough.

        Raises:
            ConflictError: a row was changed while it was read.
        """
        condition = f"state eq 'parked' and due le '{text_of(now)}'"
        rows = await self._in_all_buckets(integration_id, condition, limit)
        first = await self._snapshot(rows)
        if not first.known.rooms:
            return first
        keys = [OperationKey(correlation, "", "") for correlation in first.known.rooms]
        whole = await self.load(integration_id, keys)
        return Snapshot(
            Known({**first.known.operations, **whole.known.operations}, whole.known.rooms),
            {**first.etags, **whole.etags},
            {**first.blobs, **whole.blobs},
        )

    async def left_in(self, integration_id: str, run: str) -> Snapshot:
        """What left in a run, or might have.

        Raises:
            ConflictError: a row was changed while it was read.
        """
        condition = f"(run eq '{run}' or (RowKey ge 'w-' and RowKey lt 'w.'))"
        return await self._snapshot(await self._in_all_buckets(integration_id, condition, None))

    async def save(
        self,
        integration_id: str,
        snapshot: Snapshot,
        changed: Iterable[Operation | WaitingRoom],
        now: datetime,
    ) -> None:
        """Write operations and waiting rooms, each as a whole.

        Raises:
            ConflictError: one of them was changed by somebody else. Others may have been written.
        """
        by_partition: defaultdict[str, list[Row]] = defaultdict(list)
        spilled: list[tuple[str, str]] = []
        for kept in changed:
            row, blob = self._to_row(integration_id, kept, now)
            if blob is not None:
                await self._blobs.write(ContainerName.PARKED, row["blob"], blob, "application/octet-stream")
            by_partition[row["PartitionKey"]].append(row)
            spilled.append((row["RowKey"], row["blob"]))
        table = await self._storage.table(TableName.OPERATIONS)
        for rows in by_partition.values():
            for some in _transactions(rows):
                await commit(table, [write(row, snapshot.etags.get(row["RowKey"], "")) for row in some])
        for row_key, name in spilled:
            before = snapshot.blobs.get(row_key)
            if before and before != name:
                await self._blobs.delete(ContainerName.PARKED, before)

    async def remove_expired(self, integration_id: str, now: datetime, limit: int) -> int:
        """Remove at most so many operations that left long ago; tells how many there were."""
        condition = f"state eq 'emitted' and expires le '{text_of(now)}'"
        rows = await self._in_all_buckets(integration_id, condition, limit)
        table = await self._storage.table(TableName.OPERATIONS)
        by_partition: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows:
            by_partition[row["PartitionKey"]].append(row)
        for some in by_partition.values():
            try:
                await commit(table, [remove(row, row["_etag"]) for row in some])
            except ConflictError:
                continue  # One of them came to life again; the next round takes the others.
            for row in some:
                if row["blob"]:
                    await self._blobs.delete(ContainerName.PARKED, row["blob"])
        return len(rows)

    async def _in_all_buckets(self, integration_id: str, condition: str, limit: int | None) -> list[Row]:
        queries = (
            self._query(f"PartitionKey eq '{integration_id}-{bucket}' and {condition}", limit)
            for bucket in range(BUCKETS)
        )
        found = await asyncio.gather(*queries)
        return [row for rows in found for row in rows][:limit]

    async def _query(self, condition: str, limit: int | None = None) -> list[Row]:
        rows: list[Row] = []
        table = await self._storage.table(TableName.OPERATIONS)
        async for row in query(table, condition):
            rows.append(row)
            if len(rows) == limit:
                break
        return rows

    async def _snapshot(self, rows: Iterable[Row]) -> Snapshot:
        operations: dict[OperationKey, Operation] = {}
        rooms: dict[str, WaitingRoom] = {}
        etags: dict[str, str] = {}
        blobs: dict[str, str] = {}
        for row in rows:
            etags[row["RowKey"]] = row["_etag"]
            blobs[row["RowKey"]] = row["blob"]
            kept = unpack(await self._packed(row))
            if isinstance(kept, Operation):
                operations[kept.key] = kept
            else:
                rooms[kept.correlation] = kept
        return Snapshot(Known(operations, rooms), etags, blobs)

    async def _packed(self, row: Row) -> bytes:
        if not row["blob"]:
            return joined(row)
        try:
            return await self._blobs.read(ContainerName.PARKED, row["blob"])
        except ResourceNotFoundError as error:
            raise ConflictError from error

    def _to_row(
        self, integration_id: str, kept: Operation | WaitingRoom, now: datetime
    ) -> tuple[Row, bytes | None]:
        """The row, and the blob if its content is too large for it."""
        packed = pack(kept)
        if isinstance(kept, Operation):
            correlation, row_key = kept.key.correlation, _operation_row(kept.key)
        else:
            correlation, row_key = kept.correlation, f"w-{stable_hash(kept.correlation)}"
        partition = _partition(integration_id, correlation)
        moment = due(kept.members, self._wait)
        last = max(kept.members, key=lambda member: member.revision, default=None)
        spills = len(packed) > MAX_PACKED
        row: Row = {
            "PartitionKey": partition,
            "RowKey": row_key,
            "state": "emitted" if moment is None else "parked",
            "due": text_of(moment),
            "expires": text_of(now + self._retention),
            "revision": 0 if last is None else last.revision,
            "run": "" if last is None else last.run,
            "blob": f"{partition}/{row_key}/{stable_hash(packed.hex())}" if spills else "",
        }
        return (row, packed) if spills else (row | pieces_of(packed), None)


def _partition(integration_id: str, correlation: str) -> str:
    return f"{integration_id}-{int(stable_hash(correlation)[:8], 16) % BUCKETS}"


def _hash(key: OperationKey) -> str:
    return stable_hash(key.correlation)


def _operation_row(key: OperationKey) -> str:
    return f"o-{stable_hash(key.correlation)}-{key.uid}"


def _transactions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows that go into one transaction together."""
    some: list[Row] = []
    size = 0
    for row in rows:
        weight = 2_000 + sum(len(value) for value in row.values() if isinstance(value, bytes))
        if some and (size + weight > _TRANSACTION or len(some) == 100):  # noqa: PLR2004 - tables.BATCH
            yield some
            some, size = [], 0
        some.append(row)
        size += weight
    if some:
        yield some
