"""Table `operations`: partition the integration, row a bucket of its correlation IDs.

A bucket holds everything that is kept of its correlation IDs, so that a capture file costs one query and, as
long as little is kept, one transaction, however many operations it has entries of. Workers that meet in
a bucket find out by its ETag; who loses reads that bucket again.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableClient

from shared.model.ids import stable_hash
from shared.model.operations import Known, OperationKey
from shared.store import parked
from shared.store.archive_blobs import BINARY, ArchiveBlobs
from shared.store.archives import Archive
from shared.store.blobs import BlobStore, ContainerName
from shared.store.drafts import LARGE, ROOMY, Drafts, Limits, Novelty, drafted
from shared.store.kept import mark_of, moment_of
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

_CACHED: Final = 8_192


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
class _Written:
    """A row that is to be written.

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
        roomy: packed bytes beyond which buckets send their oldest archives to a blob, see `Limits`.
        large: bytes of entries of finished operations that go to a blob at once.
    """

    def __init__(
        self,
        storage: Storage,
        blobs: BlobStore,
        wait: timedelta,
        retention: timedelta,
        *,
        roomy: int = ROOMY,
        large: int = LARGE,
    ) -> None:
        self._storage = storage
        self._blobs = blobs
        self._limits = Limits(wait, retention, roomy, large)
        self._archives = ArchiveBlobs(blobs)

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
        contents = dict(zip(rows, await asyncio.gather(*map(self._content, rows.values())), strict=True))
        wishes = await asyncio.to_thread(_wishes, contents, keys, view)
        archives = {number: wish.archives for number, wish in wishes.items()}
        blobs = await self._archives.read({one.blob for some in archives.values() for one in some} - {""})
        loaded = dict.fromkeys(keys, Loaded())
        for number, wish in wishes.items():
            older = _older(archives[number], blobs, number, _folder(integration_id, number))
            known = await asyncio.to_thread(wish.known, older)
            loaded[number] = Loaded(wish.bucket, known, rows[number]["_etag"], rows[number]["blob"])
        return loaded

    async def save(
        self,
        integration_id: str,
        loaded: Mapping[int, Loaded],
        changes: Mapping[int, Sequence[Novelty]],
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
        first = mark_of(view.run)[0]
        numbers = sorted(changes, key=lambda number: (number - first) % BUCKETS)
        lost: set[int] = set()
        for some in [[number] for number in numbers] if apart else [numbers]:
            before = {number: loaded[number] for number in some}
            lost |= await self._save(integration_id, before, changes, view)
        return lost

    async def _save(
        self,
        integration_id: str,
        loaded: Mapping[int, Loaded],
        changes: Mapping[int, Sequence[Novelty]],
        view: View,
    ) -> set[int]:
        """Write these buckets; gives those that are lost."""
        etags = [one.etag for one in loaded.values()]
        drafts = await asyncio.to_thread(
            drafted,
            {number: one.bucket for number, one in loaded.items()},
            {number: changes[number] for number in loaded},
            view,
            self._limits,
            lambda number: _blob_name(integration_id, number, "archives", view.run, *etags),
        )
        if drafts.blob:
            await self._archives.write(drafts.blob, drafts.contents)
        rows = [
            await self._row(integration_id, number, loaded[number], drafts, view) for number in drafts.buckets
        ]
        return await self._commit(rows, together=bool(drafts.blob))

    async def _commit(self, rows: Iterable[_Written], *, together: bool) -> set[int]:
        """Write these rows; gives the buckets that are lost.

        Args:
            rows: of the buckets.
            together: whether they refer to one blob, which lies with the first that does. None of the others
                may be written without it.
        """
        table = await self._storage.table(TableName.OPERATIONS)
        lost: set[int] = set()
        for some in _transactions(rows):
            if (together and lost) or not await _committed(table, some):
                # Blobs that were written for these rows stay: the transaction may have been ours, done before
                # a connection broke and tried once more.
                lost |= {row.number for row in some}
                continue
            for name in [name for row in some for name in row.replaced]:
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
        return {int(row["RowKey"]): row async for row in rows if int(row["RowKey"]) in numbers}

    async def _content(self, row: Row) -> bytes:
        if not row["blob"]:
            return parked.joined(row)
        try:
            return await self._blobs.read(ContainerName.PARKED, row["blob"])
        except ResourceNotFoundError as error:
            raise ConflictError from error

    async def _row(
        self, integration_id: str, number: int, loaded: Loaded, drafts: Drafts, view: View
    ) -> _Written:
        """A row that is to be written; what is too large for it is written before it."""
        bucket, data = drafts.buckets[number], drafts.rows[number]
        key: Row = {"PartitionKey": integration_id, "RowKey": _row_key(number)}
        attention = bucket.attention
        if attention is None:
            gone = _gone(integration_id, number, loaded, bucket)
            return _Written(number, remove(key, loaded.etag), 0, tuple(gone))
        blob = ""
        if len(data) > parked.MAX_PACKED:
            blob = _blob_name(integration_id, number, "bucket", view.run, loaded.etag)
            await self._blobs.write(ContainerName.PARKED, blob, data, BINARY)
        row = key | {
            "due": text_of(moment_of(attention)),
            "waiting": bucket.waiting,
            "blob": blob,
            **({} if blob else parked.pieces_of(data)),
        }
        weight = 2_000 + (0 if blob else len(data))
        gone = _gone(integration_id, number, loaded, bucket) - {blob}
        return _Written(number, write(row, loaded.etag), weight, tuple(sorted(gone)))


@lru_cache(maxsize=_CACHED)
def bucket_of(correlation: str) -> int:
    """The bucket that a correlation ID falls into."""
    return int(stable_hash(correlation)[-8:], 16) % BUCKETS


def _row_key(number: int) -> str:
    return f"{number:02}"


def _blob_name(integration_id: str, number: int, kind: str, run: str, *etags: str) -> str:
    """Nobody else gives this name: whoever read the rows as they were then, and won, changed their ETags."""
    return _folder(integration_id, number) + stable_hash(kind, run, *etags)


def _folder(integration_id: str, number: int) -> str:
    """Where the blobs of a bucket lie."""
    return f"{integration_id}/{_row_key(number)}/"


def _wishes(
    contents: Mapping[int, bytes], keys: Mapping[int, Collection[OperationKey]], view: View
) -> dict[int, Wish]:
    return {number: Wish(parked.unpacked(data), keys[number], view) for number, data in contents.items()}


def _older(
    archives: Iterable[Archive], blobs: Mapping[str, Mapping[int, Sequence[bytes]]], number: int, folder: str
) -> list[bytes]:
    """What these archives of a bucket hold.

    An archive that lies with another bucket may be gone before its time if that had too much to remember.

    Raises:
        ConflictError: one that lies with this bucket is gone, so the bucket has been written anew.
    """
    found: list[bytes] = []
    for archive in archives:
        if archive.packed:
            found.append(archive.packed)
        elif archive.blob in blobs:
            found += blobs[archive.blob].get(number, ())
        elif archive.blob.startswith(folder):
            raise ConflictError
    return found


def _gone(integration_id: str, number: int, loaded: Loaded, bucket: Bucket) -> set[str]:
    """The blobs of a bucket that it no longer needs."""
    before = {loaded.blob, *(archive.blob for archive in loaded.bucket.archives)}
    after = {archive.blob for archive in bucket.archives}
    folder = _folder(integration_id, number)
    return {name for name in before - after if name.startswith(folder)}


async def _committed(table: TableClient, rows: Iterable[_Written]) -> bool:
    try:
        await commit(table, [row.change for row in rows])
    except ConflictError:
        return False
    return True


def _transactions(rows: Iterable[_Written]) -> Iterator[list[_Written]]:
    """Rows that go into one transaction together."""
    some: list[_Written] = []
    for row in rows:
        if some and sum(one.weight for one in some) + row.weight > _TRANSACTION:
            yield some
            some = []
        some.append(row)
    if some:
        yield some
