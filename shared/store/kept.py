"""How one kept operation or waiting room stands: what must be known of it, and the rest in bytes."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from shared.model.ids import hash_of_text, stable_hash
from shared.model.operations import Member, Operation, OperationKey, WaitingRoom, due

_MARK: Final = 6

_LEVEL: Final = 1
"""Of Zstandard. Entries of the same callers repeat each other over long distances: packed they take half of
what gzip makes of them, in less time. The next levels take longer, and gain next to nothing."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
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
        runs: marks of the runs in which entries of it came or left.
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
_BODIES = msgspec.msgpack.Decoder(_Body)


def microseconds(moment: datetime) -> int:
    """A moment as it stands in a bucket: microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(number: int) -> datetime:
    """The moment that stands so in a bucket (UTC)."""
    return _EPOCH + number * _MICROSECOND


def mark_of(text: str) -> bytes:
    """Six bytes that stand for a correlation ID or a run.

    Two that have the same are no harm: then something is read that nobody asked for.
    """
    return bytes.fromhex(hash_of_text(text))[:_MARK]


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
        runs=tuple(sorted({mark_of(run) for one in members for run in (one.source, one.run) if run})),
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


def compressed(data: bytes) -> bytes:
    """Bytes that are to be kept."""
    return zstd.compress(data, _LEVEL)


def decompressed(data: bytes) -> bytes:
    """The bytes that were compressed."""
    return zstd.decompress(data)
