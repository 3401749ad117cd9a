"""The kernel: compiled code that takes capture files apart and makes condensed records, in a sandbox.

What arrives in the logs is chosen by whoever makes the calls, so it is read where it can do no harm: in
WebAssembly, in a memory of its own for each file. The source is in the folder `kernel`, and says what is left
to the exact reader; this module is the only one that talks to it.

Numbers go through the state that the kernel shows after each call, texts through lists in its memory; the
layouts here are those of the `extern struct`s there.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Final

import wasmtime

from shared.capture.condense import Record
from shared.capture.entries import SUCCESS, Entry
from shared.capture.whole import Whole
from shared.model.operations import OperationKey

_MOST: Final = 1 << 30
"""Bytes that a sandbox may have."""

_STATE: Final = struct.Struct("<29I")
_COUNTS: Final = 8
"""Where in the state the numbers of entries and of events stand."""
_LISTS: Final = 9
"""Numbers before the lists in the state."""
_HELD, _ODD, _PASSED, _ROWS, _MEMBERS, _NUMBERS, _KEYS, _UIDS, _LINES, _TEXTS = range(10)

_SEED: Final = 8
_NUMBER: Final = 4
_ROW: Final = struct.Struct("<12I2q")
_MEMBER: Final = struct.Struct("<8Iq")
_BESIDE: Final = struct.Struct("<6Iq")

_STATUSES: Final = ("start", "accept", SUCCESS, "failure", "cancelled")
_CODES: Final = {status: code for code, status in enumerate(_STATUSES)}
_NO_KEY: Final = OperationKey("", "", "")
_NO_UID: Final = "0" * 32
_OTHER_RANK: Final = 2
_RANKS: Final = (0, 1, 3, 3, 3)


class Stop(IntEnum):
    """Why the kernel stops: the numbers are those of `Stop` in `kernel/main.zig`."""

    END = 0
    FULL = 1
    BODY = 2
    RECORDS = 3
    BLOCK = 4


@dataclass(frozen=True, slots=True)
class Left:
    """What left the kernel when a part was cut.

    Attributes:
        whole: operations whose records are made.
        others: entries of other operations.
    """

    whole: list[Whole]
    others: list[Entry]


@cache
def _compiled() -> tuple[wasmtime.Engine, wasmtime.Module]:
    """The kernel, compiled once in each process."""
    engine = wasmtime.Engine()
    return engine, wasmtime.Module.from_file(engine, str(Path(__file__).with_suffix(".wasm")))


class Kernel:
    """A sandbox, for one file.

    Args:
        most: bytes of entries that are held before a part has to be cut, those that wait beside them included.

    Raises:
        Trap: from any method; the kernel failed, which it does rather than go on in a state that is not sound.
    """

    def __init__(self, most: int) -> None:
        engine, module = _compiled()
        self._store = wasmtime.Store(engine)
        self._store.set_limits(memory_size=_MOST)
        self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._on_loan: list[memoryview] = []
        self._state_at = self._call("status")
        self._call("begin", int.from_bytes(os.urandom(_SEED), "little", signed=True), most)
        self._look()

    def describe(self, letters: str, sync: bytes) -> None:
        """Say what the file's header says.

        Args:
            letters: the schema of its events.
            sync: 16 bytes, which end its blocks.
        """
        self._give(sync + letters.encode("ascii"))
        self._call("describe")

    def run(self, data: bytes | memoryview = b"", alone: int = 0, beside: int = 0) -> Stop:
        """Read what comes next in the file, or go on in what it was given last.

        Args:
            data: blocks of the file, of which the last may be cut off.
            alone: if it is what one compressed block holds, how many events that should be.
            beside: bytes that are held elsewhere, and count as held.
        """
        if data:
            self._write(self._call("reserve", len(data)), data)
        self._call("run", len(data), alone, beside)
        self._look()
        return Stop(self._state[0])

    @property
    def left(self) -> int:
        """How many bytes it holds that it could not read yet, since they are no whole block."""
        return self._state[1]

    def back(self) -> bytes:
        """Take back what it did not read."""
        found = bytes(self._list(_HELD)[-self.left :]) if self.left else b""
        self._call("back")
        self._look()
        return found

    @property
    def number(self) -> int:
        """How many entries, things set aside included, the file had so far."""
        return self._state[2]

    @property
    def events(self) -> int:
        """How many events it had."""
        return self._state[3]

    def count(self, number: int, events: int) -> None:
        """Say how many it had, after some were read elsewhere."""
        self._write(self._state_at + _COUNTS, struct.pack("<2I", number, events))
        self._look()

    @property
    def held(self) -> int:
        """Bytes of entries that it holds."""
        return self._state[4]

    @property
    def event(self) -> bytes:
        """The event at which it stopped, in Avro."""
        at, size = self._state[5:7]
        return bytes(self._list(_HELD)[at : at + size])

    def odd(self) -> list[tuple[int, int]]:
        """The records of the last body that are odd: number, and place in the body."""
        return [(row[4], row[5]) for row in _BESIDE.iter_unpack(self._list(_ODD))]

    def passed(self) -> list[Entry]:
        """The entries that pass through, as long as nothing leaves."""
        texts = self._list(_HELD)
        return [
            Entry(
                number,
                bytes(texts[at : at + size]),
                str(texts[category : category + length], "ascii"),
                _NO_KEY,
                "",
                time,
                time << 2 | _OTHER_RANK,
                False,  # noqa: FBT003 - there is one for each of very many entries
            )
            for at, size, category, length, number, _, time in _BESIDE.iter_unpack(self._list(_PASSED))
        ]

    def add(self, place: int, entry: Entry) -> None:
        """Give it an entry that was read exactly; it comes out under that place in those given to `leave`."""
        parts = [part.encode("utf-8", "surrogatepass") for part in entry.key]
        self._give(b"".join(parts))
        self._call("add", place, len(entry.raw), _CODES.get(entry.status, len(_CODES)), *map(len, parts))
        self._look()

    def leave(self, stay: int, given: dict[int, Entry]) -> Left:
        """Let operations leave, so that entries of no more than that many bytes stay.

        Args:
            stay: how many bytes.
            given: the entries that `add` was given, by place; it takes those away that leave.
        """
        for view in self._on_loan:
            view.release()
        self._on_loan.clear()
        self._call("choose", stay)
        self._look()
        rows = [*_ROW.iter_unpack(self._list(_ROWS))]
        names = iter(str(self._list(_KEYS), "ascii").split("\n"))
        keys = [None if row[0] else OperationKey(next(names), next(names), next(names)) for row in rows]
        uids = [key.uid if key and row[1] else "" for row, key in zip(rows, keys, strict=True)]
        self._fill(_UIDS, "".join([uid or _NO_UID for uid in uids]).encode())
        self._call("leave")
        self._look()
        lines, texts, numbers = self._lent(_LINES), self._lent(_TEXTS), bytes(self._list(_NUMBERS))
        left = Left([], [])
        for row, key, uid in zip(_ROW.iter_unpack(self._list(_ROWS)), keys, uids, strict=True):
            _, whole, member, size, arrived, succeeded, line, length, text, extent, category, letters, first, last = row
            if key is None or not whole:
                left.others.extend(self._members(member, size, key, given))
                continue
            name = str(texts[category : category + letters], "ascii")
            record = Record(uid, 1, name, first, last, lines, line, line + length)
            own = numbers[_NUMBER * member : _NUMBER * (member + size)]
            left.whole.append(Whole(key, record, texts, text, text + extent, own, arrived, succeeded > 0))
        return left

    def _members(
        self, first: int, number: int, key: OperationKey | None, given: dict[int, Entry]
    ) -> Iterator[Entry]:
        """The entries of an operation that is not whole."""
        texts = self._list(_TEXTS)
        members = self._list(_MEMBERS)[first * _MEMBER.size : (first + number) * _MEMBER.size]
        found = [*_MEMBER.iter_unpack(members)]
        key = key or next(given[row[4]].key for row in found if row[6])
        for at, size, category, length, place, status, odd, _, time in found:
            if odd:
                yield given.pop(place)
                continue
            yield Entry(
                place,
                bytes(texts[at : at + size]),
                str(texts[category : category + length], "ascii"),
                key,
                _STATUSES[status],
                time,
                time << 2 | _RANKS[status],
                True,
            )

    def _give(self, data: bytes) -> None:
        self._write(self._call("room", len(data)), data)

    def _look(self) -> None:
        self._state = _STATE.unpack(self._bytes(self._state_at, _STATE.size))

    def _list(self, number: int) -> memoryview:
        """One of the lists, as it is until the next call."""
        at, size = self._state[_LISTS + 2 * number : _LISTS + 2 * number + 2]
        return self._bytes(at, size)

    def _lent(self, number: int) -> memoryview:
        """A list that others may look at until the next part leaves; whoever looks later gets an error."""
        view = self._list(number)
        self._on_loan.append(view)
        return view

    def _bytes(self, at: int, size: int) -> memoryview:
        return self._memory[at : at + size]

    def _fill(self, number: int, data: bytes) -> None:
        self._list(number)[:] = data

    def _write(self, at: int, data: bytes | memoryview) -> None:
        self._bytes(at, len(data))[:] = data

    def _call(self, name: str, *numbers: int) -> int:
        result: int = self._exports[name](self._store, *numbers)
        # All of it, so that whatever place the kernel names, nothing beyond its memory is touched.
        buffer = self._exports["memory"].get_buffer_ptr(self._store)
        # Whoever still looks at it keeps it: a thread may go on where a run was cut off.
        buffer.store = self._store
        self._memory = memoryview(buffer).cast("B")
        return result
