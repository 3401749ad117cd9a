"""How a bucket of kept operations stands in a table row: packed, compressed, in pieces.

A row takes up to 1 MiB, a binary property up to 64 KiB (learn.microsoft.com/rest/api/storageservices/
understanding-the-table-service-data-model). What is larger than `MAX_PACKED` goes to a blob.

Operations that left stay for a while, so that late entries can revise them. When a bucket grows, the oldest
of them move to *archives*, blobs that are read only when an entry of one of their correlation IDs arrives.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import msgspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from shared.model.ids import stable_hash
from shared.model.operations import Member, Operation, OperationKey, WaitingRoom, due

MAX_PACKED: Final = 700 * 1024
"""Bytes that may stand in the row itself."""

ROOMY: Final = 400 * 1024
"""Packed bytes beyond which a bucket sends the oldest of what left to an archive. More would cost fewer
requests, and more time, since a bucket is packed as a whole whenever it changes."""

MAX_REMEMBERED: Final = 128 * 1024
"""Bytes that a bucket may spend on what its archives hold, six for each operation; beyond them the oldest
archive goes before its time."""

_PIECE: Final = 60 * 1024
_LEVEL: Final = 3
"""Of Zstandard. Entries of the same callers repeat each other over long distances: packed they take half of
what gzip makes of them, in less time."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MARK: Final = 6
_WRITERS: Final = 64
_OFTEN: Final = 8
"""Runs in which entries of an operation left, from which on it does not go to an archive any more: it would
come back every time, and leave its old state behind."""
_CACHED: Final = 8_192
_UID: Final = 16
_ROOM: Final = b"room"


class Kept(msgspec.Struct, array_like=True, frozen=True):
    """An operation or a waiting room, and what must be known of it without unpacking it.

    Attributes:
        id: names it: 16 bytes for an operation, 20 for a waiting room.
        correlation: mark of its correlation ID.
        due: when the wait of its longest waiting entry is over, in microseconds since 1970; 0 if none waits.
        expires: when it may be forgotten if nothing waits, in the same unit.
        waiting: how many entries wait.
        runs: marks of the runs in which entries of it left.
        body: the rest.
    """

    id: bytes
    correlation: bytes
    due: int
    expires: int
    waiting: int
    runs: tuple[bytes, ...]
    body: bytes

    @property
    def is_room(self) -> bool:
        """Whether it is a waiting room."""
        return self.id.startswith(_ROOM) and len(self.id) > _UID


class Archive(msgspec.Struct, array_like=True, frozen=True):
    """A blob of operations that left.

    Attributes:
        blob: its name.
        expires: when the last of them may be forgotten, in microseconds since 1970.
        marks: of their correlation IDs, one after the other.
    """

    blob: str
    expires: int
    marks: bytes

    def holds(self) -> set[bytes]:
        """The marks, one by one."""
        return {self.marks[at : at + _MARK] for at in range(0, len(self.marks), _MARK)}


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is kept of the correlation IDs that fall into one bucket of an integration.

    Attributes:
        kept: operations and waiting rooms, by id.
        archives: where older ones are, the oldest first; what is in `kept` counts.
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
        ends = [one.expires for one in self.kept.values()] + [one.expires for one in self.archives]
        return max(ends, default=None)

    @property
    def waiting(self) -> int:
        """How many entries wait."""
        return sum(one.waiting for one in self.kept.values())


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    kept: tuple[Kept, ...]
    archives: tuple[Archive, ...]
    writers: tuple[bytes, ...]


class _Member(msgspec.Struct, array_like=True, frozen=True):
    raw: bytes
    source: str
    number: int
    arrived: datetime
    run: str
    revision: int


class _Body(msgspec.Struct, array_like=True, frozen=True):
    # Keys are bytes, since they may hold half a surrogate pair.
    key: tuple[bytes, bytes, bytes]
    members: tuple[_Member, ...]


_ENCODER = msgspec.msgpack.Encoder()
_BUCKETS = msgspec.msgpack.Decoder(_Packed)
_BODIES = msgspec.msgpack.Decoder(_Body)


def microseconds(moment: datetime) -> int:
    """A moment as it stands in a bucket: microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(number: int) -> datetime:
    """The moment that stands so in a bucket (UTC)."""
    return _EPOCH + number * _MICROSECOND


@lru_cache(maxsize=_CACHED)
def mark_of(text: str) -> bytes:
    """Six bytes that stand for a correlation ID or a run.

    Two that have the same are no harm: then something is read that nobody asked for.
    """
    return bytes.fromhex(stable_hash(text))[:_MARK]


def id_of(key: OperationKey) -> bytes:
    """What names an operation in its bucket."""
    return bytes.fromhex(key.uid)


def pack(kept: Operation | WaitingRoom, wait: timedelta, expires: datetime) -> Kept:
    """An operation or a waiting room as it stands in a bucket."""
    if isinstance(kept, Operation):
        name = id_of(kept.key)
        texts = (kept.key.correlation, kept.key.operation, kept.key.resource)
    else:
        name = _ROOM + bytes.fromhex(stable_hash(kept.correlation))
        texts = (kept.correlation, "", "")
    first, second, third = (text.encode("utf-8", "surrogatepass") for text in texts)
    members = tuple(
        _Member(member.raw, member.source, member.number, member.arrived, member.run, member.revision)
        for member in kept.members
    )
    moment = due(kept.members, wait)
    return Kept(
        id=name,
        correlation=mark_of(texts[0]),
        due=0 if moment is None else microseconds(moment),
        expires=microseconds(expires),
        waiting=sum(member.waits for member in kept.members),
        runs=tuple(sorted({mark_of(member.run) for member in kept.members if member.run})),
        body=_ENCODER.encode(_Body((first, second, third), members)),
    )


def unpack(kept: Kept) -> Operation | WaitingRoom:
    """The operation or waiting room that was packed."""
    content = _BODIES.decode(kept.body)
    correlation, operation, resource = (text.decode("utf-8", "surrogatepass") for text in content.key)
    members = tuple(
        Member(one.raw, one.source, one.number, one.arrived, one.run, one.revision) for one in content.members
    )
    if not operation:
        return WaitingRoom(correlation, members)
    return Operation(OperationKey(correlation, operation, resource), members)


def packed(bucket: Bucket) -> bytes:
    """A bucket in few bytes."""
    content = _ENCODER.encode(_Packed(tuple(bucket.kept.values()), bucket.archives, bucket.writers))
    return zstd.compress(content, _LEVEL)


def unpacked(data: bytes) -> Bucket:
    """The bucket that was packed."""
    content = _BUCKETS.decode(zstd.decompress(data))
    return Bucket({one.id: one for one in content.kept}, content.archives, content.writers)


def changed(bucket: Bucket, new: Iterable[Kept], now: datetime, run: str) -> Bucket:
    """The bucket with these in place of what it had of them, and without what may be forgotten."""
    moment = microseconds(now)
    kept = {**bucket.kept, **{one.id: one for one in new}}
    alive = {name: one for name, one in kept.items() if one.waiting or one.expires > moment}
    archives = tuple(one for one in bucket.archives if one.expires > moment)
    return Bucket(alive, archives, (*bucket.writers, mark_of(run))[-_WRITERS:])


def lightened(bucket: Bucket, share: float, name: str) -> tuple[Bucket, Bucket]:
    """The bucket without the oldest of what left, which is to become the archive of that name.

    Args:
        bucket: to be lightened.
        share: how much of it is to stay.
        name: of the blob that is to take the archive.

    Returns:
        The bucket, and what the archive holds; nothing if nearly everything in the bucket waits or is in use.
    """
    settled = [one for one in bucket.kept.values() if not one.waiting and len(one.runs) < _OFTEN]
    settled.sort(key=lambda one: one.expires)
    total = sum(len(one.body) for one in bucket.kept.values())
    if sum(len(one.body) for one in settled) < total * share:
        # Too little to make room, and not worth an archive.
        return bucket, Bucket()
    excess = total * (1 - share)
    leaving: dict[bytes, Kept] = {}
    for one in settled:
        if excess <= 0:
            break
        excess -= len(one.body)
        leaving[one.id] = one
    if not leaving:
        return bucket, Bucket()
    marks = b"".join(sorted({one.correlation for one in leaving.values()}))
    archive = Archive(name, max(one.expires for one in leaving.values()), marks)
    kept = {name: one for name, one in bucket.kept.items() if name not in leaving}
    lighter = Bucket(kept, _bounded([*bucket.archives, archive]), bucket.writers)
    return lighter, Bucket(leaving)


def _bounded(archives: list[Archive]) -> tuple[Archive, ...]:
    """The youngest archives, as many as the bucket may remember."""
    while len(archives) > 1 and sum(len(one.marks) for one in archives) > MAX_REMEMBERED:
        archives = archives[1:]
    return tuple(archives)


def pieces_of(data: bytes) -> dict[str, bytes]:
    """The properties that hold the bytes."""
    starts = range(0, len(data), _PIECE)
    return {f"piece{number:02}": data[start : start + _PIECE] for number, start in enumerate(starts)}


def joined(row: Mapping[str, Any]) -> bytes:
    """The bytes that the row's properties hold."""
    return b"".join(row[name] for name in sorted(row) if name.startswith("piece"))
