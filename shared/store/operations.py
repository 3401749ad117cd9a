"""Table `operations`: partition the integration, row a bucket of its correlation IDs.

A bucket holds everything that is kept of its correlation IDs, so that a capture file costs one query and, as
long as little is kept, one transaction, however many operations it has entries of. Workers that meet in
a bucket find out by its ETag; who loses reads that bucket again.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import batched
from typing import Final

from shared.model.ids import hash_of_text
from shared.model.operations import Known, Operation, OperationKey, WaitingRoom
from shared.store import parked
from shared.store.archive_blobs import ArchiveBlobs
from shared.store.archives import MAX_REMEMBERED, Archive, found_in
from shared.store.blobs import BlobStore
from shared.store.bucket_rows import BucketRows, Loaded, blob_name, folder_of
from shared.store.drafts import LARGE, ROOMY, Drafts, Limits, Novelty, drafted
from shared.store.kept import mark_of, microseconds, unpack
from shared.store.storage import Storage
from shared.store.tables import ConflictError, Row, TableName, text_of
from shared.store.wish import View, Wish

BUCKETS: Final = 4
"""Buckets per integration. More would let more workers write at the same moment, and cost more requests."""

_AT_ONCE: Final = 8

type Here = Callable[[str], bool]
"""Tells of a run whether it is one of those that are asked about."""


class OperationStore:
    """What waits, and what left and may be revised.

    Args:
        storage: of the app.
        blobs: for what is too large for a row, and for archives.
        wait: how long an entry waits for the rest of its operation.
        retention: how long an operation is found after its last change; what is packed with younger ones is
            there for up to three times as long.
        roomy: packed bytes beyond which buckets send their oldest archives to a blob, see `Limits`.
        large: bytes of entries of finished operations that go to a blob at once.
        remembered: bytes that a bucket may spend on what its archives hold, see `MAX_REMEMBERED`.
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
        remembered: int = MAX_REMEMBERED,
    ) -> None:
        self._storage = storage
        self._rows = BucketRows(storage, blobs)
        self._limits = Limits(wait, retention, roomy, large, remembered)
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
        rows = await self._rows.read(integration_id, keys)
        wishes = await asyncio.to_thread(_wishes, rows, keys, view)
        archives = {number: wish.archives for number, wish in wishes.items()}
        blobs = await self._archives.read({one.blob for some in archives.values() for one in some} - {""})
        older = {
            number: _older(some, blobs, number, folder_of(integration_id, number))
            for number, some in archives.items()
        }
        for number, wish in wishes.items():
            await self._look_back(wish, number, folder_of(integration_id, number))
        known = await asyncio.to_thread(_known, wishes, older)
        loaded = dict.fromkeys(keys, Loaded())
        for number, (row, _) in rows.items():
            loaded[number] = Loaded(wishes[number].bucket, known[number], row["_etag"], row["blob"])
        return loaded

    async def _look_back(self, wish: Wish, number: int, folder: str) -> None:
        """Let a run that is handled again find what left in it; bit by bit, since it may be much."""
        for some in batched(wish.unmarked, _AT_ONCE, strict=False):
            blobs = await self._archives.read({one.blob for one in some} - {""})
            await asyncio.to_thread(wish.look_back, _older(some, blobs, number, folder))

    async def across(self, integration_id: str, here: Here, since: datetime) -> list[Operation | WaitingRoom]:
        """Everything of which something went from other runs into these, or the other way, in its last state.

        That is what had waited and left in them, and what came with them and waits, or left in others.

        Args:
            integration_id: whose.
            here: tells which are these.
            since: a moment (UTC) before which nothing left in them.

        Raises:
            ConflictError: a bucket was changed while it was read.
        """
        found: dict[bytes, Operation | WaitingRoom] = {}
        for number, (_, data) in (await self._rows.read(integration_id, range(BUCKETS))).items():
            bucket = await asyncio.to_thread(parked.unpacked, data)
            recent = [one for one in bucket.archives if one.waited >= microseconds(since)]
            for some in batched(recent, _AT_ONCE, strict=False):
                blobs = await self._archives.read({one.blob for one in some} - {""})
                older = _older(some, blobs, number, folder_of(integration_id, number))
                found |= await asyncio.to_thread(_archived_across, older, here)
            found |= _across(((name, unpack(one)) for name, one in bucket.kept.items()), here)
        return list(found.values())

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
            lambda number: blob_name(integration_id, number, "archives", view, *etags),
        )
        if drafts.blob:
            await self._archives.write(drafts.blob, drafts.contents)
        return await self._rows.write(integration_id, loaded, drafts, view)

    async def forget(self, integration_id: str, now: datetime, held: datetime) -> None:
        """Forget what had waited and left long ago; what is changed meanwhile is left for the next time.

        Args:
            integration_id: whose.
            now: the present (UTC).
            held: a moment (UTC) before which nothing left in a run that is under way.
        """
        with suppress(ConflictError):
            rows = await self._rows.read(integration_id, range(BUCKETS))
            loaded: dict[int, Loaded] = {}
            fresh: dict[int, parked.Bucket] = {}
            for number, (row, data) in rows.items():
                before = await asyncio.to_thread(parked.unpacked, data)
                after = parked.forgotten(before, microseconds(now), microseconds(held))
                if after != before:
                    loaded[number] = Loaded(before, etag=row["_etag"], blob=row["blob"])
                    fresh[number] = after
            written = {number: parked.whole(parked.packed(one), one) for number, one in fresh.items()}
            await self._rows.write(integration_id, loaded, Drafts(fresh, written), View("forget", now))

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


def bucket_of(correlation: str) -> int:
    """The bucket that a correlation ID falls into."""
    return int(hash_of_text(correlation)[-8:], 16) % BUCKETS


def _wishes(
    rows: Mapping[int, tuple[Row, bytes]], keys: Mapping[int, Collection[OperationKey]], view: View
) -> dict[int, Wish]:
    return {number: Wish(parked.unpacked(data), keys[number], view) for number, (_, data) in rows.items()}


def _known(wishes: Mapping[int, Wish], older: Mapping[int, Iterable[bytes]]) -> dict[int, Known]:
    return {number: wish.known(older[number]) for number, wish in wishes.items()}


def _older(
    archives: Iterable[Archive], blobs: Mapping[str, Mapping[int, Sequence[bytes]]], number: int, folder: str
) -> list[bytes]:
    """What these archives of a bucket hold.

    An archive that lies with another bucket may be gone before its time if that had too much to remember, and
    all in it had left as soon as it came.

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


def _archived_across(packed: Iterable[bytes], here: Here) -> dict[bytes, Operation | WaitingRoom]:
    return _across((state for one in packed for state in found_in(one, lambda *_: True, 0)), here)


def _across(
    states: Iterable[tuple[bytes, Operation | WaitingRoom]], here: Here
) -> dict[bytes, Operation | WaitingRoom]:
    return {
        name: one
        for name, one in states
        if any(here(member.run) != here(member.source) for member in one.members)
    }
