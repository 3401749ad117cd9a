"""What the handler keeps in its table, kept in a scratch file without a service in between."""

import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
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


_LENGTH = 4
_WAITS = b"waits"
_LEFT = b"left"


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
                state, *raws = self._read(place)
                run, revision = ("", 0) if state == _WAITS else ("before", 1)
                members = (
                    Member(raw, "before", number, _NOW, run, revision) for number, raw in enumerate(raws)
                )
                operations[key] = Operation(key, tuple(members))
        return Known(operations)

    def keep(self, plan: Plan) -> None:
        """Keep what was decided."""
        for whole in plan.whole:
            self._write(whole.key, [entry.raw for entry in whole.entries], waits=False)
        for operation in plan.operations:
            waits = any(member.waits for member in operation.members)
            self._write(operation.key, [member.raw for member in operation.members], waits=waits)

    def waiting(self) -> Iterator[bytes]:
        """The entries that have not left."""
        for hashed in self._waiting:
            place = self._places.get(hashed)
            yield from () if place is None else self._read(place)[1:]

    def _write(self, key: OperationKey, raws: Iterable[bytes], *, waits: bool) -> None:
        hashed = hash(key)
        stored = b"\n".join((_WAITS if waits else _LEFT, *raws))
        self._scratch.write(len(stored).to_bytes(_LENGTH))
        self._scratch.write(stored)
        self._places.put(hashed, self._end)
        self._end += _LENGTH + len(stored)
        if waits:
            self._waiting.add(hashed)
        else:
            self._waiting.discard(hashed)

    def _read(self, place: int) -> list[bytes]:
        """The state, and the entries' texts, which have no line breaks."""
        self._scratch.seek(place)
        size = int.from_bytes(self._scratch.read(_LENGTH))
        stored: bytes = self._scratch.read(size)
        self._scratch.seek(self._end)
        return stored.split(b"\n")


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
