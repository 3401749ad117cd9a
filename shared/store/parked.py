"""How a bucket of kept operations stands in a table row: packed, compressed, in pieces.

A row takes up to 1 MiB, a binary property up to 64 KiB (learn.microsoft.com/rest/api/storageservices/
understanding-the-table-service-data-model). What is larger than `MAX_PACKED` goes to a blob.

What waits is packed anew whenever the bucket changes, so that it can be found and replaced at once. What left
is not: it stays in archives as it was packed, see `archives`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from shared.store.archives import Archive, Finished, added, archive_of, staying
from shared.store.kept import Kept, compressed, decompressed, mark_of

MAX_PACKED: Final = 700 * 1024
"""Bytes that may stand in the row itself."""

_PIECE: Final = 60 * 1024
_WRITERS: Final = 64
_OFTEN: Final = 8
"""Runs in which entries of an operation came or left, from which on it does not go to an archive any more: it
would come back every time, and leave its old state behind."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is kept of the correlation IDs that fall into one bucket of an integration.

    Attributes:
        kept: operations and waiting rooms in which something waits, or that change often, by id.
        archives: where the others are, the oldest first; what is in `kept` counts.
        writers: marks of the runs that wrote it last. One that finds itself among them although it seemed to
            have lost a race has won it, and only the answer was lost.
    """

    kept: Mapping[bytes, Kept] = field(default_factory=dict)
    archives: tuple[Archive, ...] = ()
    writers: tuple[bytes, ...] = ()

    @property
    def attention(self) -> int | None:
        """When there is something to do though nothing arrives, in microseconds since 1970.

        That is when a wait is over, or when everything may be forgotten; None if it is empty.
        """
        waits = [one.due for one in self.kept.values() if one.waiting]
        if waits:
            return min(waits)
        ends = [one.expires for one in self.kept.values()]
        ends += [one.expires for one in self.archives if one.marks]
        return max(ends or [one.gone_at for one in self.archives], default=None)

    @property
    def size(self) -> int:
        """Packed bytes of the archives that lie here."""
        return sum(len(archive.packed) for archive in self.archives)

    @property
    def waiting(self) -> int:
        """How many entries wait."""
        return sum(one.waiting for one in self.kept.values())


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    kept: bytes
    archives: tuple[Archive, ...]
    writers: tuple[bytes, ...]


_ENCODER = msgspec.msgpack.Encoder()
_BUCKETS = msgspec.msgpack.Decoder(_Packed)
_KEPT = msgspec.msgpack.Decoder(tuple[Kept, ...])


def packed(bucket: Bucket) -> bytes:
    """What is kept in a bucket, but for archives, in few bytes."""
    return compressed(_ENCODER.encode(tuple(bucket.kept.values())))


def whole(kept: bytes, bucket: Bucket) -> bytes:
    """A bucket, given what is kept in it as it was packed."""
    return _ENCODER.encode(_Packed(kept, bucket.archives, bucket.writers))


def unpacked(data: bytes) -> Bucket:
    """The bucket that was packed."""
    content = _BUCKETS.decode(data)
    kept = _KEPT.decode(decompressed(content.kept))
    return Bucket({one.id: one for one in kept}, content.archives, content.writers)


def changed(bucket: Bucket, new: Iterable[Kept], finished: Sequence[Finished], now: int, run: str) -> Bucket:
    """The bucket with what is new, and without what may be forgotten.

    Args:
        bucket: as it was.
        new: in place of what it had of them.
        finished: operations that it had nothing of.
        now: the present, in microseconds since 1970.
        run: ID of the run that changes it.
    """
    kept = {**bucket.kept, **{one.id: one for one in new}}
    left = {
        name: one
        for name, one in kept.items()
        if not one.waiting and (len(one.runs) < _OFTEN or one.expires <= now)
    }
    archives = staying(bucket.archives, now)
    if left or finished:
        archives = added(archives, archive_of(left.values(), finished, now), now)
    writers = (*bucket.writers, mark_of(run))[-_WRITERS:]
    return Bucket({name: one for name, one in kept.items() if name not in left}, tuple(archives), writers)


def forgotten(bucket: Bucket, now: int, held: int) -> Bucket:
    """The bucket without archives that may be forgotten; for the numbers see `staying`."""
    return replace(bucket, archives=tuple(staying(bucket.archives, now, held)))


def pieces_of(data: bytes) -> dict[str, bytes]:
    """The properties that hold the bytes."""
    starts = range(0, len(data), _PIECE)
    return {f"piece{number:02}": data[start : start + _PIECE] for number, start in enumerate(starts)}


def joined(row: Mapping[str, Any]) -> bytes:
    """The bytes that the row's properties hold."""
    return b"".join(row[name] for name in sorted(row) if name.startswith("piece"))
