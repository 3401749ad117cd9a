"""The kernel: compiled code that takes capture files apart and makes condensed records, in a sandbox.

What arrives in the logs is chosen by whoever makes the calls, so it is read where it can do no harm: in
WebAssembly, in a memory of its own for each file. The source is in the folder `kernel`, and says what is left
to the exact reader; this module is the only one that talks to it.

Numbers go through the state that the kernel shows after each call, texts through lists in its memory; the
layouts here are those of the `extern struct`s there.
"""

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice, repeat
from typing import Final

from shared.capture.batch import ROW, Batch, key_of
from shared.capture.entries import ACCEPT, START, SUCCESS, Entry, rank_of
from shared.capture.sandbox import Sandbox
from shared.model.ids import hash_of_joined
from shared.model.operations import OperationKey

_STATE: Final = struct.Struct("<33I")
_ARGUMENTS: Final = struct.Struct("<4Q")


class _State(IntEnum):
    """What stands where in the state, counted in numbers."""

    STOP = 0
    LEFT = 1
    NUMBER = 2
    EVENTS = 3
    HELD = 4
    WHOLE = 5
    ODD = 6
    ROOM = 7
    ROOM_SIZE = 8
    EVENT = 9
    EVENT_SIZE = 10
    GIVEN = 13
    LISTS = 15


_HELD, _ODD, _PASSED, _ROWS, _MEMBERS, _ONCE, _KEYS, _UIDS, _LINES = range(9)

_NONE: Final = (0, 0, 0, 0)
_SEED: Final = 8
_MEMBER: Final = struct.Struct("<8Iq")
_BESIDE: Final = struct.Struct("<6Iq")
_GIVEN: Final = struct.Struct("<6I")

_STATUSES: Final = (START, ACCEPT, SUCCESS, "failure", "cancelled")
_CODES: Final = {status: code for code, status in enumerate(_STATUSES)}
_RANKS: Final = tuple(map(rank_of, _STATUSES))
_NO_KEY: Final = OperationKey("", "", "")
_NO_RANK: Final = rank_of("")


class Stop(IntEnum):
    """Why the kernel stops: the numbers are those of `Stop` in `kernel/reader.zig`."""

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

    whole: Batch
    others: list[Entry]


class Kernel:
    """The kernel, for one file.

    Any method fails with the error of the sandbox if the code in it does.

    Args:
        most: bytes of entries that are held before a part has to be cut, with those that wait beside them.
    """

    def __init__(self, most: int) -> None:
        self._sandbox = Sandbox()
        self._on_loan: list[memoryview] = []
        self._unsettled = False
        self._state_at = self._sandbox.call("status")
        self._arguments_at = self._sandbox.call("asked")
        self._call("begin", int.from_bytes(os.urandom(_SEED)), most)

    def describe(self, letters: str, sync: bytes) -> None:
        """Say what the file's header says.

        Args:
            letters: the schema of its events.
            sync: 16 bytes, which end its blocks.
        """
        self._give(sync + letters.encode("ascii"))
        self._call("describe")

    def run(self, data: bytes | memoryview = b"", where: int = 0, alone: int = 0, beside: int = 0) -> Stop:
        """Read what comes next in the file, or go on in what it was given last.

        Args:
            data: blocks of the file, of which the last may be cut off.
            where: where in the file they begin.
            alone: if it is what one compressed block holds, how many events that should be.
            beside: bytes that are held elsewhere, and count as held.
        """
        self._settle()
        size = len(data)
        if size > self._state[_State.ROOM_SIZE]:
            self._call("reserve", size)
        self._sandbox.write(self._state[_State.ROOM], data)
        self._call("run", size, where, alone, beside)
        return Stop(self._state[_State.STOP])

    @property
    def left(self) -> int:
        """How many bytes it holds that it could not read yet, since they are no whole block."""
        return self._state[_State.LEFT]

    def back(self) -> bytes:
        """Take back what it did not read."""
        found = bytes(self._list(_HELD)[-self.left :]) if self.left else b""
        self._call("back")
        return found

    @property
    def number(self) -> int:
        """How many entries, things set aside included, the file had so far."""
        return self._state[_State.NUMBER]

    @property
    def events(self) -> int:
        """How many events it had."""
        return self._state[_State.EVENTS]

    def count(self, number: int, events: int) -> None:
        """Say how many it had, after some were read elsewhere."""
        self._call("count", number, events)

    @property
    def held(self) -> int:
        """Bytes of entries that it holds."""
        return self._state[_State.HELD]

    @property
    def event(self) -> bytes:
        """The event at which it stopped, in Avro."""
        at, size = self._state[_State.EVENT], self._state[_State.EVENT_SIZE]
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
                time << 2 | _NO_RANK,
                False,
            )
            for at, size, category, length, number, _, time in _BESIDE.iter_unpack(self._list(_PASSED))
        ]

    def add(self, entries: Mapping[int, Entry]) -> None:
        """Give it entries that were read exactly; they come out under their places in those given to `leave`.

        Args:
            entries: by place.
        """
        rows: list[bytes] = []
        keys: list[bytes] = []
        for place, entry in entries.items():
            parts = [part.encode("utf-8", "surrogatepass") for part in entry.key]
            code = _CODES.get(entry.status, len(_CODES))
            rows.append(_GIVEN.pack(place, len(entry.raw), code, *map(len, parts)))
            keys += parts
        self._give(b"".join(rows + keys))
        self._call("add", len(entries))

    def leave(self, stay: int, given: dict[int, Entry]) -> Left:
        """Let operations leave, so that entries of no more than that many bytes stay.

        Args:
            stay: how many bytes.
            given: the entries that `add` was given, by place; it takes those away that leave.
        """
        self._call("choose", stay)
        number, odd = self._state[_State.WHOLE], self._state[_State.ODD]
        keys = bytes(self._list(_KEYS)).splitlines()
        uids = [*map(hash_of_joined, islice(keys, number))]
        self._list(_UIDS)[:] = "".join(uids).encode()
        self._call("leave")
        self._unsettled = True
        rows = bytes(self._list(_ROWS))
        whole = number * ROW.size
        batch = Batch(
            rows[:whole],
            keys[:number],
            uids,
            self._lent(_LINES),
            self._lent(_HELD),
            bytes(self._list(_ONCE)),
        )
        # What the odd ones have in common, their own entries tell.
        known = [*repeat(None, odd), *map(key_of, keys[number:])]
        others = [
            entry
            for row, key in zip(ROW.iter_unpack(rows[whole:]), known, strict=True)
            for entry in self._members(row[0], row[1], key, given)
        ]
        return Left(batch, others)

    def _members(
        self, first: int, number: int, key: OperationKey | None, given: dict[int, Entry]
    ) -> Iterator[Entry]:
        """The entries of an operation that is not whole."""
        texts = self._list(_HELD)
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
        self._call("room", len(data))
        self._sandbox.write(self._state[_State.GIVEN], data)

    def _list(self, number: int) -> memoryview:
        """One of the lists, as it is until the next call."""
        at = _State.LISTS + 2 * number
        return self._sandbox.view(self._state[at], self._state[at + 1])

    def _lent(self, number: int) -> memoryview:
        """A list that others may look at until the kernel goes on; whoever looks later gets an error."""
        view = self._list(number)
        self._on_loan.append(view)
        return view

    def _settle(self) -> None:
        """Take back what was lent, and have what left forgotten."""
        if not self._unsettled:
            return
        self._unsettled = False
        for view in self._on_loan:
            view.release()
        self._on_loan.clear()
        self._call("settle")

    def _call(self, name: str, *numbers: int) -> None:
        self._settle()
        if numbers:
            self._sandbox.write(self._arguments_at, _ARGUMENTS.pack(*numbers, *_NONE[len(numbers) :]))
        self._sandbox.call(name)
        self._state: tuple[int, ...] = _STATE.unpack(self._sandbox.view(self._state_at, _STATE.size))
