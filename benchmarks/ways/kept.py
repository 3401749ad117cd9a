"""What the handler keeps in its table, kept in a scratch file without a service in between.

Entries that wait are copied. Of those that left at once in a whole operation it is kept where they stand in
the capture file; where its blocks are compressed, they are copied, too.
"""

import os
import struct
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.ways.texts import Texts
from shared.capture.correlate import Plan
from shared.capture.sift import Sifted
from shared.capture.whole import ONCE, Spot
from shared.model.ids import SEPARATOR
from shared.model.operations import Known, Member, Operation, OperationKey

_NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)

_HASH = 8
_SPAN = struct.Struct("II")
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
        self._may_have_left = bytearray(_MARKS)
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
        marks, copied = self._may_have_left, self._copied
        for place, hashed in enumerate(map(hash, part.whole.joined)):
            if marks[hashed & _MARK] or hashed in copied:
                keys.add(part.whole[place].key)
        operations = ((key, self._operation(key)) for key in keys)
        return Known({key: operation for key, operation in operations if operation is not None})

    def keep(self, plan: Plan) -> None:
        """Keep what was decided."""
        whole = plan.whole
        hashes = [*map(hash, whole.joined)]
        for hashed in hashes:
            self._may_have_left[hashed & _MARK] = 1
        spans = array("I", chain.from_iterable(whole.spans))
        copy = None if self._texts.are_plain else self._write(whole.texts)
        self._left.append(
            _Left(array("q", hashes).tobytes(), self._write(spans), self._write(whole.once), copy)
        )
        texts = [b"".join([member.raw + b"\n" for member in one.members]) for one in plan.operations]
        begin = self._write(b"".join(texts))
        for operation, text in zip(plan.operations, texts, strict=True):
            hashed = _hash_of(operation.key)
            self._copied[hashed] = begin, len(text)
            begin += len(text)
            if any(member.waits for member in operation.members):
                self._waiting.add(hashed)
            else:
                self._waiting.discard(hashed)

    def waiting(self) -> Iterator[bytes]:
        """The entries that have not left."""
        for hashed in self._waiting:
            yield from self._entries(hashed)

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
        if not self._may_have_left[hashed & _MARK]:
            return ()
        for left in reversed(self._left):
            number = left.find(hashed)
            if number is not None:
                at, size = _SPAN.unpack(self._read(left.spans + number * _SPAN.size, _SPAN.size))
                spots = map(Spot._make, ONCE.iter_unpack(self._read(left.once + at, size)))
                if left.copy is None:
                    return self._texts.at(spots)
                return [self._read(left.copy + spot.at, spot.size) for spot in spots]
        return ()

    def _write(self, data: bytes | memoryview | array[int]) -> int:
        begin = self._end
        self._scratch.seek(begin)
        self._end += self._scratch.write(data)
        return begin

    def _read(self, begin: int, size: int) -> bytes:
        return os.pread(self._scratch.fileno(), size, begin)


def _hash_of(key: OperationKey) -> int:
    return hash(SEPARATOR.join(key))


type _Place = tuple[int, int]
"""Where something begins in the scratch file, and how many bytes it has."""


@dataclass(frozen=True, slots=True)
class _Left:
    """The whole operations of one part.

    Attributes:
        hashes: of their keys, of eight bytes each.
        spans: where in the scratch file begins a `_SPAN` for each.
        once: where in the scratch file begins what these spans are of.
        copy: where in the scratch file begins a copy of their texts, if they were copied.
    """

    hashes: bytes
    spans: int
    once: int
    copy: int | None

    def find(self, hashed: int) -> int | None:
        """Which of them an operation is, if any."""
        sought = hashed.to_bytes(_HASH, "little", signed=True)
        at = self.hashes.find(sought)
        while at % _HASH and at > 0:
            at = self.hashes.find(sought, at + 1)
        return None if at < 0 else at // _HASH
