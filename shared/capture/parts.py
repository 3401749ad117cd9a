"""A capture file as it comes, in parts, so that memory does not grow with it.

A part holds what is ready: entries that pass through, what is set aside, and operations that are complete.
Those that had their last entry long ago go first, since more may come of the others. What is open stays for
the next part, unless there is too much of it: then the oldest goes too, to be parked.

Where the cuts are depends on the file alone, so that a file which is handled again falls into the same parts.
"""

import io
from collections.abc import Generator, Iterable, Iterator
from typing import Final
from weakref import proxy

from fastavro import schemaless_reader

from shared.capture.aside import Aside
from shared.capture.avro import Taken
from shared.capture.avro_header import Header, letters_of
from shared.capture.decode import CaptureReader, numbered, records_of_event
from shared.capture.entries import Entry
from shared.capture.kernel import Kernel, Stop
from shared.capture.sift import WINDOW, Beside, Sifted

PART: Final = 8 << 20
"""Bytes of entries that are held at most, but for the last event's; a part has about three quarters of it.
More costs memory, three to four times as much as this; less costs storage round trips, for each part some."""

_STAYS: Final = 0.25
"""How much of what is held stays when a part is cut, since more may come of it. Less makes fewer parts, and
more operations of which something comes when they have left."""


class Parts:
    """One capture file, until its entries leave in parts.

    The texts of a part's whole operations stand in the kernel's memory: they are gone when the next part is
    asked for.

    Args:
        file: its name.
        most: bytes of entries that are held.
        window: how many entries that pass through are remembered at least, so that repeated ones are found.
    """

    def __init__(self, file: str, most: int = PART, window: int = WINDOW) -> None:
        self._file = file
        self._most = most
        self._stay = int(most * _STAYS)
        self._kernel = Kernel(most)
        # The reader does not hold on to this in turn, so that the sandbox goes as soon as nobody needs it.
        self._reader = CaptureReader(file, proxy(self))
        self._beside = Beside(window)
        self._given: dict[int, Entry] = {}
        self._places = 0
        self._full = False
        self._is_cut = False

    def feed(self, data: bytes, *, last: bool = False) -> Iterator[Sifted]:
        """Take in what comes next in the file; gives the parts that are full, one after the other.

        Args:
            data: the bytes.
            last: whether nothing comes after them.
        """
        yield from self.cut(self._reader.feed(data, last=last))
        if last and self._is_cut and self._kernel.held + self._beside.size > self._most - self._stay:
            # Of a file that has several, the last is no larger than the others.
            yield self._leave(self._stay)

    def cut(self, events: Iterable[Iterable[Entry | Aside]]) -> Iterator[Sifted]:
        """Take in what is found in events; gives the parts that are full, one after the other."""
        for found in events:
            self._add(found)
            if self._full or self._kernel.held + self._beside.size >= self._most:
                yield self._leave(self._stay)

    def rest(self) -> Sifted:
        """The last part: everything that is left."""
        return self._leave(0)

    def begin(self, header: Header) -> bool:
        """Begin a file; gives whether its events are of a kind that the kernel reads."""
        letters = letters_of(header.schema)
        if letters is not None:
            self._kernel.describe(letters, header.sync)
        return letters is not None

    def blocks(self, data: bytes | memoryview, where: int, header: Header) -> Generator[Taken, None, bool]:
        """Take what comes next in the file; gives whether all is well. If not, the next block is odd."""
        return (yield from self._run(header, data, where)) is Stop.END

    @property
    def left(self) -> int:
        """How many bytes were given to `blocks` that could not be read."""
        return self._kernel.left

    def back(self) -> bytes:
        """Take them back."""
        return self._kernel.back()

    def inflated(self, data: bytes, where: int, count: int, header: Header) -> Generator[Taken, None, bool]:
        """Take what one compressed block holds, all or nothing; gives whether it did."""
        if not 0 < count <= len(data):
            return False
        if (yield from self._run(header, data, where, count)) is Stop.END:
            return True
        self._kernel.back()
        return False

    def _run(
        self, header: Header, data: bytes | memoryview, where: int, alone: int = 0
    ) -> Generator[Taken, None, Stop]:
        """Have the kernel read that as far as it can; gives what it leaves, and time to cut a part."""
        kernel, progress = self._kernel, self._reader.progress
        if (kernel.number, kernel.events) != (progress.entries, progress.events):
            kernel.count(progress.entries, progress.events)
        stop = kernel.run(data, where, alone, self._beside.size)
        while stop not in (Stop.END, Stop.BLOCK):
            # Of a file whose bytes are no entries to hold, as where they repeat, too much may stand there.
            self._full = stop is Stop.FULL
            yield Taken(() if self._full else self._left_in_event(stop, header))
            stop = kernel.run(alone=alone, beside=self._beside.size)
        progress.entries, progress.events = kernel.number, kernel.events
        return stop

    def _left_in_event(self, stop: Stop, header: Header) -> list[Entry | Aside]:
        """What the kernel left in an event, read exactly."""
        kernel = self._kernel
        event = schemaless_reader(io.BytesIO(kernel.event), header.schema, None)
        records = [*records_of_event(event, self._file, kernel.events - 1)]
        if stop is Stop.RECORDS:
            return [item for number, place in kernel.odd() for item in numbered([records[place]], number)]
        found = [*numbered(records, kernel.number)]
        kernel.count(kernel.number + len(found), kernel.events)
        return found

    def _add(self, found: Iterable[Entry | Aside]) -> None:
        entries: dict[int, Entry] = {}
        for item in found:
            if isinstance(item, Entry) and item.administrative and item.key.correlation:
                entries[self._places] = item
                self._places += 1
            else:
                self._beside.add(item)
        if entries:
            self._given |= entries
            self._kernel.add(entries)

    def _leave(self, stay: int) -> Sifted:
        self._full, self._is_cut = False, True
        for entry in self._kernel.passed():
            self._beside.add(entry)
        left = self._kernel.leave(stay, self._given)
        return self._beside.taken(left.whole, left.others)
