"""Avro container files, read as they come, block by block.

The reader does no I/O: it is fed the file's bytes in pieces of any size, and holds no more than one block. A
block that is broken is reported and skipped: every block ends with the file's own sync marker, from which
reading goes on (avro.apache.org/docs/1.12.0/specification/#object-container-files).
"""

import io
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from fastavro import schemaless_reader

from shared.capture.avro_header import DECODING_ERRORS, SYNC_SIZE, Header, header_of, long_at
from shared.capture.inflate import RAW_DEFLATE, InflateError, inflate

MAX_BLOCK = 1 << 26
"""Bytes that one block may have, and may have when inflated. An event has at most 20 MB (learn.microsoft.com/
azure/event-hubs/event-hubs-quotas), so no writer has reason for larger ones."""

_MAX_BROKEN = 1 << 22
"""What cannot be read is reported in parts of this size, so that it need not be held whole."""


@dataclass(frozen=True, slots=True)
class BrokenPart:
    """A part of the file that cannot be read.

    Attributes:
        offset: where it begins in the file.
        raw: its bytes.
        message: what is wrong with it.
    """

    offset: int
    raw: bytes
    message: str


_CHECKSUM = 4
"""Bytes of zlib's checksum, of which some writers leave a part behind what they compress."""

_CUT_OFF = "a block is cut off"
_UNMARKED = "a block does not end with the file's marker"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a lane found in events that it took.

    Attributes:
        found: whatever it is.
    """

    found: Any


class Lane(Protocol):
    """Takes whole blocks, if they are as they should be; what it leaves is read value by value."""

    def begin(self, header: Header) -> bool:
        """Begin a file; gives whether it can read such a one at all."""
        ...

    def blocks(self, data: bytes | memoryview, where: int, header: Header) -> Generator[Taken, None, bool]:
        """Take what comes next in the file, blocks as they stand in it from a place on.

        What is no whole block yet waits for more. Gives whether all is well; if not, the next block is to be
        taken `back`, and read here.
        """
        ...

    @property
    def left(self) -> int:
        """How many bytes it did not read."""
        ...

    def back(self) -> bytes:
        """Take back what it did not read."""
        ...

    def inflated(self, data: bytes, where: int, count: int, header: Header) -> Generator[Taken, None, bool]:
        """Take what the compressed block at a place holds, all or nothing; gives whether it did."""
        ...


class AvroReader:
    """Reads one file that comes in pieces.

    Args:
        lane: takes blocks before they are read here, if there is one.

    Attributes:
        block: where in the file the block begins that is being read.
    """

    def __init__(self, lane: Lane | None = None) -> None:
        self._lane = lane
        self.block = 0
        self._pieces: list[bytes] = []
        self._held = 0
        self._wanted = 0
        self._header: Header | None = None
        self._trouble = ""

    def feed(self, data: bytes, *, last: bool = False) -> Iterator[Any | BrokenPart]:
        """The values in all blocks that are complete by now, and the parts that cannot be read.

        Args:
            data: what comes next in the file.
            last: whether nothing comes after it.

        Raises:
            BrokenAvroError: the header cannot be read, so nothing can.
        """
        self._pieces.append(data)
        self._held += len(data)
        if self._held < self._wanted and not last:
            return
        buffer = b"".join(self._pieces)
        at = 0
        if self._header is None:
            self._header = header_of(buffer, last=last)
            if self._header is not None:
                at = self.block = self._header.end
                if self._lane is not None and not self._lane.begin(self._header):
                    self._lane = None
        if self._header is not None:
            buffer, at = yield from self._read(buffer, at, self._header, last=last)
        rest = buffer[at:]
        self._pieces, self._held = [rest] if rest else [], len(rest)

    def _read(
        self, buffer: bytes, at: int, header: Header, *, last: bool
    ) -> Generator[Any | BrokenPart, None, tuple[bytes, int]]:
        """Read the blocks that are there; gives what is left, in a buffer from a place on."""
        stream = io.BytesIO(buffer)
        lane = self._lane if header.codec == "null" else None
        while at < len(buffer) or (last and lane is not None and lane.left):
            if lane is not None and not self._trouble:
                before = lane.left
                all_is_well = yield from lane.blocks(memoryview(buffer)[at:], self.block + before, header)
                self.block += before + len(buffer) - at - lane.left
                if all_is_well and not last:
                    return b"", 0
                buffer, at = lane.back(), 0
                stream = io.BytesIO(buffer)
                if not buffer:
                    break
            after = yield from self._next(buffer, at, header, stream, last=last)
            if after == at:
                break
            self.block += after - at
            at = after
        return buffer, at

    def _next(
        self, buffer: bytes, at: int, header: Header, stream: io.BytesIO, *, last: bool
    ) -> Generator[Any | BrokenPart, None, int]:
        """Read the block at `at`, or what is broken there; gives where the next begins, or `at` again."""
        if not self._trouble:
            frame = _frame(buffer, at, header.sync)
            if isinstance(frame, _Frame):
                values = self._inflated(buffer, frame, header)
                if header.codec == "null":
                    values = self._plain(buffer, frame, header, stream)
                return (yield from values)
            if frame and not last:
                # Whether what the block claims is true shows when all of it is there; telling it before would
                # make the outcome depend on how the file comes.
                self._wanted = frame - at
                return at
            self._trouble = _CUT_OFF if frame else _UNMARKED
        self._wanted = 0
        full = at + _MAX_BROKEN
        found = buffer.find(header.sync, at, full + SYNC_SIZE - 1)
        if found >= 0:
            after = found + SYNC_SIZE
        elif len(buffer) >= full + SYNC_SIZE - 1:
            after = full
        elif last:
            after = len(buffer)
        else:
            return at
        yield BrokenPart(self.block, buffer[at:after], self._trouble)
        if found >= 0:
            self._trouble = ""
        return after

    def _plain(
        self, buffer: bytes, frame: "_Frame", header: Header, stream: io.BytesIO
    ) -> Generator[Any | BrokenPart, None, int]:
        """What is in a block; gives where the next begins."""
        at, trouble = yield from _events(buffer, frame, header, stream)
        if not trouble:
            return frame.end + SYNC_SIZE
        found = buffer.find(header.sync, at)
        yield BrokenPart(self.block, buffer[at:found], trouble)
        return found + SYNC_SIZE

    def _inflated(
        self, buffer: bytes, frame: "_Frame", header: Header
    ) -> Generator[Any | BrokenPart, None, int]:
        """The same for a compressed block."""
        try:
            inflated, beyond = inflate(buffer[frame.begin : frame.end], RAW_DEFLATE, MAX_BLOCK)
        except InflateError as error:
            after = buffer.find(header.sync, frame.begin) + SYNC_SIZE
            yield BrokenPart(self.block, buffer[frame.start : after], f"a block cannot be inflated: {error}")
            return after
        taken = self._lane is not None and (
            yield from self._lane.inflated(inflated, self.block, frame.count, header)
        )
        if not taken:
            inner = _Frame(0, frame.count, 0, len(inflated))
            at, trouble = yield from _events(inflated, inner, header, io.BytesIO(inflated))
            if trouble:
                yield BrokenPart(self.block, inflated[at:], trouble)
        if len(beyond) <= _CHECKSUM:
            return frame.end + SYNC_SIZE
        at = frame.end - len(beyond)
        found = buffer.find(header.sync, at)
        yield BrokenPart(self.block, buffer[at:found], "a block goes on after what was compressed")
        return found + SYNC_SIZE


def _events(
    data: bytes, frame: "_Frame", header: Header, stream: io.BytesIO
) -> Generator[Any, None, tuple[int, str]]:
    """The values of a block; gives where they stop, and what is wrong, if anything."""
    end = frame.end
    stream.seek(frame.begin)
    read = 0
    while (start := stream.tell()) < end:
        if read == frame.count and data.find(header.sync, start, end) >= 0:
            break  # It claims to be as large as several blocks.
        try:
            value = schemaless_reader(stream, header.schema, None)
            if stream.tell() > end:
                raise EOFError
        except DECODING_ERRORS:
            return start, f"event {read} of a block cannot be decoded"
        if stream.tell() == start:
            break
        read += 1
        yield value
    if start < end:
        return start, f"a block goes on after its {read} events"
    if read != frame.count:
        return start, f"a block says that it holds {frame.count} events and holds {read}"
    return start, ""


def values_in(data: bytes) -> Iterator[Any | BrokenPart]:
    """The values in a whole file, and the parts of it that cannot be read.

    Raises:
        BrokenAvroError: the header cannot be read, so nothing can.
    """
    return AvroReader().feed(data, last=True)


@dataclass(frozen=True, slots=True)
class _Frame:
    """A block: where it starts, how many values it should have, where they begin and end."""

    start: int
    count: int
    begin: int
    end: int


def _frame(data: bytes, start: int, sync: bytes) -> _Frame | int:
    """The block at `start`; if it is not there as a whole yet, how far it goes; 0 if it is broken."""
    try:
        count, at = long_at(data, start)
        size, at = long_at(data, at)
    except EOFError:
        return len(data) + 1
    except ValueError:
        return 0
    if not 0 <= size <= MAX_BLOCK:
        return 0
    end = at + size
    if end + SYNC_SIZE > len(data):
        return end + SYNC_SIZE
    return _Frame(start, count, at, end) if data[end : end + SYNC_SIZE] == sync else 0
