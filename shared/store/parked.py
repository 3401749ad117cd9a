"""How kept entries stand in a row of the table `operations`: packed, compressed, in pieces.

A row takes up to 1 MiB, a binary property up to 64 KiB (learn.microsoft.com/rest/api/storageservices/
understanding-the-table-service-data-model). What is larger than `MAX_PACKED` goes to a blob.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from isal import isal_zlib

from shared.model.operations import Member, Operation, OperationKey, WaitingRoom

MAX_PACKED = 700 * 1024
"""Bytes that may stand in the row itself."""

_PIECE = 60 * 1024
_LEVEL = 2


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    raw: bytes
    source: str
    number: int
    arrived: datetime
    run: str
    revision: int


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    # Keys are bytes, since they may hold half a surrogate pair.
    key: tuple[bytes, bytes, bytes]
    members: tuple[_Kept, ...]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Packed)


def pack(kept: Operation | WaitingRoom) -> bytes:
    """An operation or a waiting room in few bytes."""
    if isinstance(kept, Operation):
        texts = (kept.key.correlation, kept.key.operation, kept.key.resource)
    else:
        texts = (kept.correlation, "", "")
    first, second, third = (text.encode("utf-8", "surrogatepass") for text in texts)
    members = tuple(
        _Kept(member.raw, member.source, member.number, member.arrived, member.run, member.revision)
        for member in kept.members
    )
    packed: bytes = isal_zlib.compress(_ENCODER.encode(_Packed((first, second, third), members)), _LEVEL)
    return packed


def unpack(packed: bytes) -> Operation | WaitingRoom:
    """The operation or waiting room that was packed."""
    content = _DECODER.decode(isal_zlib.decompress(packed))
    correlation, operation, resource = (text.decode("utf-8", "surrogatepass") for text in content.key)
    members = tuple(
        Member(kept.raw, kept.source, kept.number, kept.arrived, kept.run, kept.revision)
        for kept in content.members
    )
    if not operation:
        return WaitingRoom(correlation, members)
    return Operation(OperationKey(correlation, operation, resource), members)


def pieces_of(packed: bytes) -> dict[str, bytes]:
    """The properties that hold the bytes."""
    starts = range(0, len(packed), _PIECE)
    return {f"piece{number:02}": packed[start : start + _PIECE] for number, start in enumerate(starts)}


def joined(row: Mapping[str, Any]) -> bytes:
    """The bytes that the row's properties hold."""
    return b"".join(row[name] for name in sorted(row) if name.startswith("piece"))
