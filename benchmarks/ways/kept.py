"""What the handler keeps in its table, kept in a scratch file without a service in between."""

import os
import tempfile
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from shared.capture.correlate import Plan
from shared.capture.sift import Sifted
from shared.model.operations import Known, Member, Operation, OperationKey

_NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)

_SLOTS = 1 << 16
_PLACE = 40
_TAG = (1 << 24) - 1


class Kept:
    """What is kept of one capture file's operations, so that entries which come later find them."""

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed at the end
        self._end = 0
        self._places = _Table()
        self._waiting: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()

    def known(self, part: Sifted) -> Known:
        """What is kept of the operations in a part of the file."""
        keys = {entry.key for entry in part.administrative}
        for place, uid in enumerate(part.whole.uids):
            if self._places.get(hash(uid)) is not None:
                keys.add(part.whole[place].key)
        operations: dict[OperationKey, Operation] = {}
        for key in keys:
            hashed = hash(key.uid)
            run, revision = ("", 0) if hashed in self._waiting else ("before", 1)
            members = tuple(
                Member(raw, "before", number, _NOW, run, revision)
                for number, raw in enumerate(self._read(hashed))
            )
            if members:
                operations[key] = Operation(key, members)
        return Known(operations)

    def keep(self, plan: Plan) -> None:
        """Keep what was decided."""
        self._scratch.seek(0, os.SEEK_END)
        begin = self._write(plan.whole.texts)
        for uid, (at, size) in zip(plan.whole.uids, plan.whole.places, strict=True):
            self._places.put(hash(uid), (begin + at, size))
        for operation in plan.operations:
            members = b"".join([member.raw + b"\n" for member in operation.members])
            self._remember(operation.key, members, waits=any(member.waits for member in operation.members))

    def waiting(self) -> Iterator[bytes]:
        """The entries that have not left."""
        for hashed in self._waiting:
            yield from self._read(hashed)

    def _write(self, texts: bytes | memoryview) -> int:
        begin = self._end
        self._scratch.write(texts)
        self._end += len(texts)
        return begin

    def _remember(self, key: OperationKey, texts: bytes, *, waits: bool) -> None:
        hashed = hash(key.uid)
        self._places.put(hashed, (self._write(texts), len(texts)))
        if waits:
            self._waiting.add(hashed)
        else:
            self._waiting.discard(hashed)

    def _read(self, hashed: int) -> list[bytes]:
        """The texts of an operation's entries; none if it is not known."""
        begin, size = self._places.get(hashed) or (0, 0)
        self._scratch.seek(begin)
        return self._scratch.read(size).splitlines()


class _Table:
    """Places and sizes by hash, at twelve bytes each: a dictionary would need ten times as much.

    A part of the hash is kept beside them, so that what is found is nearly always what was sought.
    """

    def __init__(self, slots: int = _SLOTS) -> None:
        self._slots = array("Q", bytes(8 * slots))
        self._sizes = array("I", bytes(4 * slots))
        self._mask = slots - 1
        self._free = slots * 3 // 4

    def put(self, hashed: int, place: tuple[int, int]) -> None:
        """Remember where texts begin, and how many bytes they have."""
        if not self._free:
            raise OverflowError("more operations than a file of this benchmark has")
        slot = self._find(hashed)
        self._free -= not self._slots[slot]
        begin, self._sizes[slot] = place
        self._slots[slot] = (hashed & _TAG) << _PLACE | begin + 1

    def get(self, hashed: int) -> tuple[int, int] | None:
        """The same, if it is known."""
        slot = self._find(hashed)
        found = self._slots[slot]
        return ((found & (1 << _PLACE) - 1) - 1, self._sizes[slot]) if found else None

    def _find(self, hashed: int) -> int:
        slot = (hashed >> _TAG.bit_length()) & self._mask
        while (found := self._slots[slot]) and found >> _PLACE != hashed & _TAG:
            slot = (slot + 1) & self._mask
        return slot
