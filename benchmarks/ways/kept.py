"""What the handler keeps in its table, kept in a scratch file without a service in between."""

import os
import struct
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from shared.capture.correlate import Plan
from shared.capture.entries import Entry
from shared.model.operations import Known, Member, Operation, OperationKey

_NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
_SLOTS = 1 << 17
_PLACE = 40
_TAG = (1 << 24) - 1
_BUFFER = 1 << 16


_HEAD = struct.Struct("<?I")


class Kept:
    """What is kept of one capture file's operations, so that entries which come later find them."""

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryFile(buffering=_BUFFER)  # noqa: SIM115 - closed at the end
        self._end = 0
        self._places = _Table()
        self._waiting: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()

    def known(self, arrived: Sequence[Entry]) -> Known:
        """What is kept of the operations of these entries."""
        operations: dict[OperationKey, Operation] = {}
        for key in {entry.key for entry in arrived}:
            place = self._places.get(hash(key))
            if place is not None:
                waits, raws = self._read(place)
                run, revision = ("", 0) if waits else ("before", 1)
                members = (
                    Member(raw, "before", number, _NOW, run, revision) for number, raw in enumerate(raws)
                )
                operations[key] = Operation(key, tuple(members))
        return Known(operations)

    def keep(self, plan: Plan) -> None:
        """Keep what was decided."""
        pieces: list[bytes] = []
        for whole in plan.whole:
            self._put(pieces, whole.key, [entry.raw for entry in whole.entries], waits=False)
        for operation in plan.operations:
            waits = any(member.waits for member in operation.members)
            self._put(pieces, operation.key, [member.raw for member in operation.members], waits=waits)
        self._scratch.seek(0, os.SEEK_END)
        self._scratch.writelines(pieces)

    def waiting(self) -> Iterator[bytes]:
        """The entries that have not left."""
        for hashed in self._waiting:
            place = self._places.get(hashed)
            yield from () if place is None else self._read(place)[1]

    def _put(self, pieces: list[bytes], key: OperationKey, raws: list[bytes], *, waits: bool) -> None:
        """Remember where an operation will be once the pieces are written."""
        hashed = hash(key)
        head = [*map(len, raws)]
        pieces.append(_HEAD.pack(waits, len(raws)) + array("I", head).tobytes())
        pieces += raws
        self._places.put(hashed, self._end)
        self._end += _HEAD.size + 4 * len(raws) + sum(head)
        if waits:
            self._waiting.add(hashed)
        else:
            self._waiting.discard(hashed)

    def _read(self, place: int) -> tuple[bool, list[bytes]]:
        """Whether the operation waits, and its entries' texts."""
        self._scratch.seek(place)
        waits, number = _HEAD.unpack(self._scratch.read(_HEAD.size))
        sizes = array("I", self._scratch.read(4 * number))
        return waits, [self._scratch.read(size) for size in sizes]


class _Table:
    """Places by hash, at eight bytes each: a dictionary would need ten times as much.

    A part of the hash is kept beside the place, so that what is found is nearly always what was sought.
    """

    def __init__(self, slots: int = _SLOTS) -> None:
        self._slots = array("Q", bytes(8 * slots))
        self._mask = slots - 1
        self._free = slots // 2

    def put(self, hashed: int, place: int) -> None:
        """Remember a place."""
        if not self._free:
            raise OverflowError("more operations than a file of this benchmark has")
        slot = self._find(hashed)
        self._free -= not self._slots[slot]
        self._slots[slot] = (hashed & _TAG) << _PLACE | place + 1

    def get(self, hashed: int) -> int | None:
        """The place, if it is known."""
        found = self._slots[self._find(hashed)]
        return (found & (1 << _PLACE) - 1) - 1 if found else None

    def _find(self, hashed: int) -> int:
        slot = (hashed >> _TAG.bit_length()) & self._mask
        while (found := self._slots[slot]) and found >> _PLACE != hashed & _TAG:
            slot = (slot + 1) & self._mask
        return slot
