"""What the handler keeps in its table, kept in a scratch file without a service in between."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from shared.capture.correlate import Plan
from shared.capture.sift import Sifted
from shared.model.operations import Known, Member, Operation, OperationKey

_NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)

_SIZE = 28
"""Bits of a place that say how many bytes stand there; those above say where."""


class Kept:
    """What is kept of one capture file's operations, so that entries which come later find them."""

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed at the end
        self._end = 0
        self._places: dict[int, int] = {}
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
        shorts = [*map(hash, part.whole.uids)]
        if not self._places.keys().isdisjoint(shorts):
            keys |= {part.whole[place].key for place, short in enumerate(shorts) if short in self._places}
        operations: dict[OperationKey, Operation] = {}
        for key in keys:
            short = hash(key.uid)
            place = self._places.get(short)
            if place is not None:
                run, revision = ("", 0) if short in self._waiting else ("before", 1)
                members = (
                    Member(raw, "before", number, _NOW, run, revision)
                    for number, raw in enumerate(self._read(place))
                )
                operations[key] = Operation(key, tuple(members))
        return Known(operations)

    def keep(self, plan: Plan) -> None:
        """Keep what was decided."""
        self._scratch.seek(0, os.SEEK_END)
        begin = self._write(plan.whole.texts)
        places = (begin + one << _SIZE | size for one, size in plan.whole.places)
        self._places.update(zip(map(hash, plan.whole.uids), places, strict=True))
        for operation in plan.operations:
            members = b"".join([member.raw + b"\n" for member in operation.members])
            self._remember(operation.key, members, waits=any(member.waits for member in operation.members))

    def waiting(self) -> Iterator[bytes]:
        """The entries that have not left."""
        for hashed in self._waiting:
            yield from self._read(self._places[hashed])

    def _write(self, texts: bytes | memoryview) -> int:
        begin = self._end
        self._scratch.write(texts)
        self._end += len(texts)
        return begin

    def _remember(self, key: OperationKey, texts: bytes, *, waits: bool) -> None:
        short = hash(key.uid)
        self._places[short] = self._write(texts) << _SIZE | len(texts)
        if waits:
            self._waiting.add(short)
        else:
            self._waiting.discard(short)

    def _read(self, place: int) -> list[bytes]:
        """The texts of an operation's entries."""
        self._scratch.seek(place >> _SIZE)
        return self._scratch.read(place & (1 << _SIZE) - 1).splitlines()
