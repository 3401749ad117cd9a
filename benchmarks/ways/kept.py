"""What the handler keeps in its table, kept in a scratch file without a service in between.

Entries that wait are copied. Of those that left at once in a whole operation it is kept where they stand in
the capture file.
"""

import os
import tempfile
from bisect import bisect
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, compress
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from benchmarks.ways.texts import Texts
from shared.capture.batch import ROW, key_of
from shared.capture.correlate import Plan
from shared.capture.sift import Sifted
from shared.capture.whole import ONCE, Spot, spots_in
from shared.model.ids import SEPARATOR
from shared.model.operations import Known, Member, Operation, OperationKey

_NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)


class _Copied(NamedTuple):
    """Where an operation's entries were copied to in the scratch file.

    Attributes:
        begin: where the first one begins.
        size: how many bytes they have, with a line break after each.
    """

    begin: int
    size: int


class _Part(NamedTuple):
    """What is kept of the whole operations of one part.

    Attributes:
        rows: where in the scratch file begins a `ROW` for each.
        once: where in the scratch file begins what these are about.
    """

    rows: int
    once: int


class Kept:
    """What is kept of one capture file's operations, so that entries which come later find them.

    Args:
        file: the capture file.
    """

    def __init__(self, file: Path) -> None:
        self._texts = Texts(file)
        self._scratch = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed at the end
        self._end = 0
        self._kept: dict[int, int | _Copied] = {}
        self._parts: list[_Part] = []
        self._waiting: dict[int, _Copied] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()
        self._texts.close()

    def known(self, part: Sifted) -> Known:
        """What is kept of the operations in a part of the file."""
        whole = part.whole.joined
        keys = {entry.key for entry in part.administrative}
        keys.update(map(key_of, compress(whole, map(self._kept.__contains__, map(hash, whole)))))
        places = {key: place for key in keys if (place := self._kept.get(_hash_of(key))) is not None}
        copied = {key: place for key, place in places.items() if isinstance(place, _Copied)}
        left = {key: self._spots(place) for key, place in places.items() if isinstance(place, int)}
        texts = self._texts.at(chain.from_iterable(left.values()))
        operations = [
            *(self._operation(key, self._copies(place)) for key, place in copied.items()),
            *(self._operation(key, [texts[spot] for spot in spots]) for key, spots in left.items()),
        ]
        return Known({operation.key: operation for operation in operations})

    def keep(self, plan: Plan) -> None:
        """Keep what was decided."""
        whole = plan.whole
        rows = self._write(whole.rows)
        self._parts.append(_Part(rows, self._write(whole.once)))
        places = range(rows, rows + len(whole.rows), ROW.size)
        self._kept.update(zip(map(hash, whole.joined), places, strict=True))
        raws = (member.raw for operation in plan.operations for member in operation.members)
        begin = self._write(b"".join([piece for raw in raws for piece in (raw, b"\n")]))
        for operation in plan.operations:
            hashed = _hash_of(operation.key)
            size = sum(len(member.raw) + 1 for member in operation.members)
            self._kept[hashed] = place = _Copied(begin, size)
            begin += size
            self._waiting.pop(hashed, None)
            if any(member.waits for member in operation.members):
                self._waiting[hashed] = place

    def waiting(self) -> Iterator[bytes]:
        """The texts of the entries that have not left, with their line breaks."""
        for place in self._waiting.values():
            yield self._read(*place)

    def _operation(self, key: OperationKey, entries: Iterable[bytes]) -> Operation:
        run, revision = ("", 0) if _hash_of(key) in self._waiting else ("before", 1)
        members = (Member(raw, "before", number, _NOW, run, revision) for number, raw in enumerate(entries))
        return Operation(key, tuple(members))

    def _copies(self, place: _Copied) -> list[bytes]:
        return self._read(*place).splitlines()

    def _spots(self, row: int) -> list[Spot]:
        """Where the entries of an operation that left whole stand in the capture file."""
        at, count, *_ = ROW.unpack(self._read(row, ROW.size))
        part = self._parts[bisect(self._parts, row, key=attrgetter("rows")) - 1]
        return [*spots_in(self._read(part.once + at * ONCE.size, count * ONCE.size))]

    def _write(self, data: bytes) -> int:
        begin = self._end
        self._end += os.pwrite(self._scratch.fileno(), data, begin)
        return begin

    def _read(self, begin: int, size: int) -> bytes:
        return os.pread(self._scratch.fileno(), size, begin)


def _hash_of(key: OperationKey) -> int:
    return hash(SEPARATOR.join(key).encode("utf-8", "surrogatepass"))
