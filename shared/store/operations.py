"""Table `operations`: partition the integration, row a bucket of its correlation IDs.

A bucket holds everything that is kept of its correlation IDs, so that a capture file costs one query and, as
long as little is kept, one transaction, however many operations it has entries of. Workers that meet in
a bucket find out by its ETag; who loses reads that bucket again.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from azure.core.exceptions import ResourceNotFoundError

from shared.model.ids import stable_hash
from shared.model.operations import Known, Operation, OperationKey, WaitingRoom, bounded
from shared.store import parked
from shared.store.blobs import BlobStore, ContainerName
from shared.store.parked import Bucket
from shared.store.storage import Storage
from shared.store.tables import (
    Change,
    ConflictError,
    Row,
    TableName,
    commit,
    query,
    remove,
    text_of,
    write,
)
from shared.store.wish import View, Wish

BUCKETS: Final = 4
"""Buckets per integration. More would let more workers write at the same moment, and cost more requests."""

_TRANSACTION: Final = 720_000
"""Packed bytes in one transaction. They travel in base64, and a body over 1 MiB would hold up the event loop
(the service itself takes 4 MiB)."""

_REMEMBERED: Final = 4 << 20
"""Bytes of archives that a process remembers, so that whoever loses a race does not read them again."""

_CACHED: Final = 8_192

_BINARY: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A bucket as it was read.

    Attributes:
        bucket: all of it.
        known: the facts that were asked for.
        etag: proves that the row is still as it was read; empty if there was none.
        blob: what holds the bucket if it was too large for a row.
    """

    bucket: Bucket = field(default_factory=Bucket)
    known: Known = field(default_factory=Known)
    etag: str = ""
    blob: str = ""


@dataclass(frozen=True, slots=True)
class _Draft:
    """A bucket that is to be written.

    Attributes:
        number: of the bucket.
        change: of its row.
        weight: about how many bytes that has.
        replaced: blobs that nobody needs once the row is written.
    """

    number: int
    change: Change
    weight: int
    replaced: tuple[str, ...]


class OperationStore:
    """What waits, and what left and may be revised.

    Args:
        storage: of the app.
        blobs: for what is too large for a row, and for archives.
        wait: how long an entry waits for the rest of its operation.
        retention: how long an operation is kept after its last change, and at most twice as long.
        roomy: packed bytes beyond which a bucket sends the oldest of what left to an archive.
    """

    def __init__(
        self,
        storage: Storage,
        blobs: BlobStore,
        wait: timedelta,
        retention: timedelta,
        roomy: int = parked.ROOMY,
    ) -> None:
        self._storage = storage
        self._blobs = blobs
        self._wait = wait
        self._retention = retention
        self._roomy = roomy
        self._archives: dict[str, bytes] = {}

    async def load(
        self, integration_id: str, keys: Mapping[int, Collection[OperationKey]], view: View
    ) -> dict[int, Loaded]:
        """What is kept of operations, by bucket, and what has waited long enough in these buckets.

        For a correlation ID with an incomplete key or something in its waiting room it is everything, since
        which operation an incomplete entry belongs to depends on all of them.

        Args:
            integration_id: whose.
            keys: of the operations, by bucket.
            view: of the run that asks.

        Raises:
            ConflictError: a bucket was changed while it was read.
        """
        rows = await self._rows(integration_id, keys)
        loaded = (self._loaded(rows.get(number), wanted, view) for number, wanted in keys.items())
        return dict(zip(keys, await asyncio.gather(*loaded), strict=True))

    async def save(
        self,
        integration_id: str,
        loaded: Mapping[int, Loaded],
        changes: Mapping[int, Sequence[Operation | WaitingRoom]],
        view: View,
        *,
        apart: bool = False,
    ) -> set[int]:
        """Write the operations and waiting rooms that changed, and forget what may be forgotten.

        Args:
            integration_id: whose.
            loaded: the buckets as they were read.
            changes: what is new, by bucket. A bucket that never was and has nothing new must not be
                among them.
            view: of the run that writes.
            apart: whether each bucket is written by itself. That costs more requests, and lets others have
                some of the buckets while this run has the others.

        Returns:
            The buckets that somebody else changed in the meantime, of which nothing was written.
        """
        # Whoever comes at the same moment begins with another bucket.
        first = parked.mark_of(view.run)[0]
        numbers = sorted(changes, key=lambda number: (number - first) % BUCKETS)
        drafts = [
            await self._draft(integration_id, number, loaded[number], changes[number], view)
            for number in numbers
        ]
        table = await self._storage.table(TableName.OPERATIONS)
        lost: set[int] = set()
        for some in _transactions(drafts, 0 if apart else _TRANSACTION):
            try:
                await commit(table, [draft.change for draft in some])
            except ConflictError:
                # Blobs that were written for these rows stay: the transaction may have been ours, done before
                # a connection broke and tried once more.
                lost |= {draft.number for draft in some}
                continue
            for name in [name for draft in some for name in draft.replaced]:
                await self._blobs.delete(ContainerName.PARKED, name)
        return lost

    async def needing_attention(self, integration_id: str, now: datetime) -> list[int]:
        """The buckets in which something has waited long enough, or everything may be forgotten."""
        table = await self._storage.table(TableName.OPERATIONS)
        entities = table.query_entities(
            "PartitionKey eq @id and due le @now",
            parameters={"id": integration_id, "now": text_of(now)},
            select=["RowKey"],
        )
        return [int(entity["RowKey"]) async for entity in entities]

    async def waiting(self, integration_id: str) -> int:
        """How many entries wait."""
        table = await self._storage.table(TableName.OPERATIONS)
        entities = table.query_entities(
            "PartitionKey eq @id", parameters={"id": integration_id}, select=["waiting"]
        )
        return sum([entity["waiting"] async for entity in entities])

    async def _rows(self, integration_id: str, numbers: Collection[int]) -> dict[int, Row]:
        if not numbers:
            return {}
        table = await self._storage.table(TableName.OPERATIONS)
        rows = query(
            table,
            "PartitionKey eq @id and RowKey ge @least and RowKey le @most",
            id=integration_id,
            least=_row_key(min(numbers)),
            most=_row_key(max(numbers)),
        )
        return {int(row["RowKey"]): row async for row in rows}

    async def _loaded(self, row: Row | None, keys: Collection[OperationKey], view: View) -> Loaded:
        if row is None:
            return Loaded()
        data = await self._read(row["blob"]) if row["blob"] else parked.joined(row)
        bucket = await asyncio.to_thread(parked.unpacked, data)
        wish = Wish(bucket, keys, view)
        needed = [archive for archive in bucket.archives if wish.needs(archive)]
        older = await asyncio.gather(*(self._archive(archive.blob) for archive in needed))
        known = await asyncio.to_thread(wish.known, older)
        return Loaded(bucket, known, row["_etag"], row["blob"])

    async def _archive(self, blob: str) -> bytes:
        """An archive; once a row refers to it, it stays as it is."""
        data = self._archives.get(blob)
        if data is None:
            data = self._archives[blob] = await self._read(blob)
        while sum(map(len, self._archives.values())) > _REMEMBERED:
            del self._archives[next(iter(self._archives))]
        return data

    async def _read(self, blob: str) -> bytes:
        try:
            return await self._blobs.read(ContainerName.PARKED, blob)
        except ResourceNotFoundError as error:
            raise ConflictError from error

    async def _draft(
        self,
        integration_id: str,
        number: int,
        loaded: Loaded,
        new: Sequence[Operation | WaitingRoom],
        view: View,
    ) -> _Draft:
        """The bucket with what is new; what is too large for its row is written before it."""
        expires = view.now + self._retention
        before = view.now - self._retention
        kept = (replace(one, members=bounded(one.members, view.run, before)) for one in new)
        packing = [parked.pack(one, self._wait, expires) for one in kept]
        bucket = parked.changed(loaded.bucket, packing, view.now, view.run)
        key: Row = {"PartitionKey": integration_id, "RowKey": _row_key(number)}
        attention = bucket.attention
        if attention is None:
            return _Draft(number, remove(key, loaded.etag), 0, _gone(loaded, bucket, ""))
        # Nobody else gives these names: whoever read the row as it was then, and won, changed its ETag.
        folder = f"{integration_id}/{key['RowKey']}"
        names = {
            kind: f"{folder}/{stable_hash(kind, view.run, loaded.etag)}" for kind in ("archive", "bucket")
        }
        data = await asyncio.to_thread(parked.packed, bucket)
        if len(data) > self._roomy:
            share = self._roomy / 2 / len(data)
            bucket, leaving = parked.lightened(bucket, share, names["archive"])
            if leaving.kept:
                content = await asyncio.to_thread(parked.packed, leaving)
                await self._blobs.write(ContainerName.PARKED, names["archive"], content, _BINARY)
                data = await asyncio.to_thread(parked.packed, bucket)
        blob = names["bucket"] if len(data) > parked.MAX_PACKED else ""
        if blob:
            await self._blobs.write(ContainerName.PARKED, blob, data, _BINARY)
        row = key | {
            "due": text_of(parked.moment_of(attention)),
            "waiting": bucket.waiting,
            "blob": blob,
            **({} if blob else parked.pieces_of(data)),
        }
        weight = 2_000 + (0 if blob else len(data))
        return _Draft(number, write(row, loaded.etag), weight, _gone(loaded, bucket, blob))


@lru_cache(maxsize=_CACHED)
def bucket_of(correlation: str) -> int:
    """The bucket that a correlation ID falls into."""
    return int(stable_hash(correlation)[-8:], 16) % BUCKETS


def _row_key(number: int) -> str:
    return f"{number:02}"


def _gone(loaded: Loaded, bucket: Bucket, blob: str) -> tuple[str, ...]:
    """The blobs that a bucket no longer needs."""
    before = {loaded.blob, *(archive.blob for archive in loaded.bucket.archives)}
    return tuple(sorted(before - {"", blob, *(archive.blob for archive in bucket.archives)}))


def _transactions(drafts: Iterable[_Draft], most: int) -> Iterator[list[_Draft]]:
    """Buckets that go into one transaction together, of so many bytes at most."""
    some: list[_Draft] = []
    for draft in drafts:
        if some and sum(one.weight for one in some) + draft.weight > most:
            yield some
            some = []
        some.append(draft)
    if some:
        yield some
