"""What the handler keeps in its table, kept in a scratch file without a service in between.

Entries that wait are copied. Of those that left at once in a whole operation it is kept where they stand in
the capture file.
"""

import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.ways.texts import Texts
from shared.capture.batch import ROW, Batch
from shared.capture.correlate import Plan
from shared.capture.sift import Sifted
from shared.capture.whole import ONCE, spots_in
from shared.model.ids import SEPARATOR
from shared.model.operations import Known, Member, Operation, OperationKey

_NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)

_HASH = 8
_MARKS = 1 << 19
_MARK = _MARKS - 1


class Kept:
    """What is kept of one capture file's operations, so that entries which come later find them.

    Args:
        file: the capture file.
    """

    def __init__(self, file: Path) -> None:
        self._texts = Texts(file)
        self._scratch = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed at the end
        self._end = 0
        self._left: list[_Left] = []
        self._marks = bytearray(_MARKS)
        self._copied: dict[int, _Place] = {}
        self._waiting: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()
        self._texts.close()

    def known(self, part: Sifted) -> Known:
        """What is kept of the operations in a part of the file."""
        keys = {entry.key for entry in part.administrative}
        marks = map(self._marks.__getitem__, _marks_of(part.whole))
        keys.update(part.whole[place].key for place, may_be_kept in enumerate(marks) if may_be_kept)
        operations = ((key, self._operation(key)) for key in keys)
        return Known({key: operation for key, operation in operations if operation is not None})

    def keep(self, plan: Plan) -> None:
        """Keep what was decided."""
        whole = plan.whole
        for mark in _marks_of(whole):
            self._marks[mark] = 1
        hashes = array("q", map(hash, whole.joined))
        self._left.append(_Left(hashes.tobytes(), self._write(whole.rows), self._write(whole.once)))
        raws = (member.raw for operation in plan.operations for member in operation.members)
        begin = self._write(b"".join([piece for raw in raws for piece in (raw, b"\n")]))
        for operation in plan.operations:
            hashed = _hash_of(operation.key)
            size = sum(len(member.raw) + 1 for member in operation.members)
            self._copied[hashed] = begin, size
            self._marks[hashed & _MARK] = 1
            begin += size
            if any(member.waits for member in operation.members):
                self._waiting.add(hashed)
            else:
                self._waiting.discard(hashed)

    def waiting(self) -> Iterator[bytes]:
        """The texts of the entries that have not left, with their line breaks."""
        for hashed in self._waiting:
            yield self._read(*self._copied[hashed])

    def _operation(self, key: OperationKey) -> Operation | None:
        hashed = _hash_of(key)
        entries = [*self._entries(hashed)]
        if not entries:
            return None
        run, revision = ("", 0) if hashed in self._waiting else ("before", 1)
        members = (Member(raw, "before", number, _NOW, run, revision) for number, raw in enumerate(entries))
        return Operation(key, tuple(members))

    def _entries(self, hashed: int) -> Iterable[bytes]:
        """The texts of an operation's entries; none if it is not known."""
        if place := self._copied.get(hashed):
            return self._read(*place).splitlines()
        if not self._marks[hashed & _MARK]:
            return ()
        for left in reversed(self._left):
            number = left.find(hashed)
            if number is not None:
                at, count, *_ = ROW.unpack(self._read(left.rows + number * ROW.size, ROW.size))
                once = self._read(left.once + at * ONCE.size, count * ONCE.size)
                return self._texts.at(spots_in(once))
        return ()

    def _write(self, data: bytes) -> int:
        begin = self._end
        self._scratch.seek(begin)
        self._end += self._scratch.write(data)
        return begin

    def _read(self, begin: int, size: int) -> bytes:
        return os.pread(self._scratch.fileno(), size, begin)


def _marks_of(whole: Batch) -> list[int]:
    """A mark for each operation; those of different ones are nearly always different, too."""
    return [hashed & _MARK for hashed in map(hash, whole.joined)]


def _hash_of(key: OperationKey) -> int:
    return hash(SEPARATOR.join(key).encode("utf-8", "surrogatepass"))


type _Place = tuple[int, int]
"""Where something begins in the scratch file, and how many bytes it has."""


@dataclass(frozen=True, slots=True)
class _Left:
    """The whole operations of one part.

    Attributes:
        hashes: of their keys, of eight bytes each.
        rows: where in the scratch file begins a `ROW` for each.
        once: where in the scratch file begins what these are about.
    """

    hashes: bytes
    rows: int
    once: int

    def find(self, hashed: int) -> int | None:
        """Which of them an operation is, if any."""
        sought = hashed.to_bytes(_HASH, "little", signed=True)
        at = self.hashes.find(sought)
        while at % _HASH and at > 0:
            at = self.hashes.find(sought, at + 1)
        return None if at < 0 else at // _HASH
