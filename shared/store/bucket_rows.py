"""Rows of buckets: how they are read, and written with the blobs that they refer to."""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableClient

from shared.model.ids import stable_hash
from shared.model.operations import Known
from shared.store import parked
from shared.store.archive_blobs import BINARY
from shared.store.blobs import BlobStore, ContainerName
from shared.store.drafts import Drafts
from shared.store.kept import moment_of
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
from shared.store.wish import View

_TRANSACTION: Final = 720_000
"""Packed bytes in one transaction. They travel in base64, and a body over 1 MiB would hold up the event loop
(the service itself takes 4 MiB)."""


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


class BucketRows:
    """Reads and writes them.

    Args:
        storage: of the app.
        blobs: for what is too large for a row.
    """

    def __init__(self, storage: Storage, blobs: BlobStore) -> None:
        self._storage = storage
        self._blobs = blobs

    async def read(self, integration_id: str, numbers: Collection[int]) -> dict[int, tuple[Row, bytes]]:
        """Those rows of buckets that are there, and what stands in them.

        Raises:
            ConflictError: one was changed while it was read.
        """
        rows = await self._rows(integration_id, numbers)
        contents = await asyncio.gather(*map(self._content, rows.values()))
        return dict(zip(rows, zip(rows.values(), contents, strict=True), strict=True))

    async def write(
        self, integration_id: str, loaded: Mapping[int, Loaded], drafts: Drafts, view: View
    ) -> set[int]:
        """Write rows, and delete the blobs that nobody needs then; gives the buckets that are lost.

        Args:
            integration_id: whose.
            loaded: the buckets as they were read.
            drafts: as they are to be; the blob that these refer to is there. It lies with the first bucket
                that needs it, without which none of the others may be written.
            view: of the run that writes.
        """
        rows = [await self._row(integration_id, number, loaded[number], drafts, view) for number in loaded]
        table = await self._storage.table(TableName.OPERATIONS)
        lost: set[int] = set()
        for some in _transactions(rows):
            if (lost and drafts.blob) or not await _committed(table, some):
                # Blobs that were written for these rows stay: the transaction may have been ours, done before
                # a connection broke and tried once more.
                lost |= {row.number for row in some}
                continue
            for name in [name for row in some for name in row.replaced]:
                await self._blobs.delete(ContainerName.PARKED, name)
        return lost

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
            blob = blob_name(integration_id, number, "bucket", view, loaded.etag)
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


def _row_key(number: int) -> str:
    """Names a bucket's row."""
    return f"{number:02}"


def folder_of(integration_id: str, number: int) -> str:
    """Where the blobs of a bucket lie."""
    return f"{integration_id}/{_row_key(number)}/"


def blob_name(integration_id: str, number: int, kind: str, view: View, *etags: str) -> str:
    """Nobody else gives this name: whoever read the rows as they were then, and won, changed their ETags.

    Nor does who handles the run once more, while a worker that was given up for dead may still win: what is
    over at a later moment may make another content.
    """
    return folder_of(integration_id, number) + stable_hash(kind, view.run, text_of(view.now), *etags)


def _gone(integration_id: str, number: int, loaded: Loaded, bucket: Bucket) -> set[str]:
    """The blobs of a bucket that it no longer needs."""
    before = {loaded.blob, *(archive.blob for archive in loaded.bucket.archives)}
    after = {archive.blob for archive in bucket.archives}
    folder = folder_of(integration_id, number)
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
