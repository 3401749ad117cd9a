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

type _Place = tuple[int, int]
"""Where in the scratch file the entries of an operation stand, and how many bytes they have."""


class Kept:
    """What is kept of one capture file's operations, so that entries which come later find them."""

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed at the end
        self._end = 0
        self._places: dict[int, _Place] = {}
        self._waiting: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()

    def known(self, part: Sifted) -> Known:
        """What is kept of the operations in a part of the file."""
        operations: dict[OperationKey, Operation] = {}
        keys = {entry.key for entry in part.administrative} | {one.key for one in part.whole}
        for key in keys:
            hashed = hash(key)
            place = self._places.get(hashed)
            if place is not None:
                run, revision = ("", 0) if hashed in self._waiting else ("before", 1)
                members = (
                    Member(raw, "before", number, _NOW, run, revision)
                    for number, raw in enumerate(self._read(place))
                )
                operations[key] = Operation(key, tuple(members))
        return Known(operations)

    def keep(self, plan: Plan) -> None:
        """Keep what was decided."""
        self._scratch.seek(0, os.SEEK_END)
        texts: bytes | memoryview = b""
        begin = 0
        for whole in plan.whole:
            if whole.texts is not texts:
                texts, begin = whole.texts, self._write(whole.texts)
            self._remember(whole.key, (begin + whole.begin, whole.end - whole.begin), waits=False)
        for operation in plan.operations:
            members = b"".join([member.raw + b"\n" for member in operation.members])
            waits = any(member.waits for member in operation.members)
            self._remember(operation.key, (self._write(members), len(members)), waits=waits)

    def waiting(self) -> Iterator[bytes]:
        """The entries that have not left."""
        for hashed in self._waiting:
            yield from self._read(self._places[hashed])

    def _write(self, texts: bytes | memoryview) -> int:
        begin = self._end
        self._scratch.write(texts)
        self._end += len(texts)
        return begin

    def _remember(self, key: OperationKey, place: _Place, *, waits: bool) -> None:
        hashed = hash(key)
        self._places[hashed] = place
        if waits:
            self._waiting.add(hashed)
        else:
            self._waiting.discard(hashed)

    def _read(self, place: _Place) -> list[bytes]:
        """The texts of an operation's entries."""
        begin, size = place
        self._scratch.seek(begin)
        return self._scratch.read(size).splitlines()
