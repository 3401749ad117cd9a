"""Avro container files, read as they come, block by block.

The reader does no I/O: it is fed the file's bytes in pieces of any size, and holds no more than one block. A
block that is broken is reported and skipped: every block ends with the file's own sync marker, from which
reading goes on (avro.apache.org/docs/1.12.0/specification/#object-container-files).
"""

import io
import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from fastavro import parse_schema, schemaless_reader
from fastavro.schema import SchemaParseException, UnknownType

from shared.capture.inflate import RAW_DEFLATE, InflateError, inflate

MAGIC = b"Obj\x01"
MAX_BLOCK = 1 << 28
"""Bytes that one block may have, and may have when inflated. An event has at most 20 MB (learn.microsoft.com/
azure/event-hubs/event-hubs-quotas), so no writer has reason for larger ones."""

_MAX_HEADER = 1 << 20
_MAX_BROKEN = 1 << 22
"""What cannot be read is reported in parts of this size, so that it need not be held whole."""

_SYNC_SIZE = 16
_DECODING_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    SchemaParseException,
    TypeError,
    UnknownType,
    ValueError,
)
"""What fastavro lets through when schema or data are broken."""


class BrokenAvroError(ValueError):
    """The file is no Avro container that we can read."""


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


_CUT_OFF = "a block is cut off"
_UNMARKED = "a block does not end with the file's marker"


@dataclass(frozen=True, slots=True)
class _Header:
    schema: Any
    codec: str
    sync: bytes
    end: int


class AvroReader:
    """Reads one file that comes in pieces.

    Attributes:
        block: where in the file the block begins that is being read.
    """

    def __init__(self) -> None:
        self.block = 0
        self._pieces: list[bytes] = []
        self._held = 0
        self._wanted = 0
        self._header: _Header | None = None
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
            self._header = _header(buffer, last=last)
            at = self.block = 0 if self._header is None else self._header.end
        if self._header is not None:
            stream = io.BytesIO(buffer)
            while at < len(buffer):
                after = yield from self._next(buffer, at, self._header, stream, last=last)
                if after == at:
                    break
                self.block += after - at
                at = after
        self._pieces, self._held = [buffer[at:]], len(buffer) - at

    def _next(
        self, buffer: bytes, at: int, header: _Header, stream: io.BytesIO, *, last: bool
    ) -> Generator[Any | BrokenPart, None, int]:
        """Read the block at `at`, or what is broken there; gives where the next begins, or `at` again."""
        if not self._trouble:
            frame = _frame(buffer, at, header.sync)
            if isinstance(frame, _Frame):
                yield from self._values(buffer, frame, header, stream)
                return frame.end + _SYNC_SIZE
            if frame and not last and buffer.find(header.sync, at) < 0:
                # What the block claims need not be true, so it is looked at again before all of it is there.
                self._wanted = min(frame - at, 2 * (len(buffer) - at))
                return at
            self._trouble = _CUT_OFF if frame else _UNMARKED
        self._wanted = 0
        found = buffer.find(header.sync, at)
        if found >= 0:
            after = found + _SYNC_SIZE
        elif last:
            after = len(buffer)
        else:
            # A marker may have begun.
            after = max(at, len(buffer) - _SYNC_SIZE + 1)
            if after - at < _MAX_BROKEN:
                return at
        yield BrokenPart(self.block, buffer[at:after], self._trouble)
        if found >= 0:
            self._trouble = ""
        return after

    def _values(
        self, buffer: bytes, frame: "_Frame", header: _Header, stream: io.BytesIO
    ) -> Iterator[Any | BrokenPart]:
        begin, end = frame.begin, frame.end
        if header.codec == "deflate":
            try:
                buffer, _ = inflate(buffer[begin:end], RAW_DEFLATE, MAX_BLOCK)
            except InflateError as error:
                raw = buffer[frame.start : end + _SYNC_SIZE]
                yield BrokenPart(self.block, raw, f"a block cannot be inflated: {error}")
                return
            begin, end, stream = 0, len(buffer), io.BytesIO(buffer)
        stream.seek(begin)
        read = 0
        while (start := stream.tell()) < end:
            try:
                value = schemaless_reader(stream, header.schema, None)
                if stream.tell() > end:
                    raise EOFError
            except _DECODING_ERRORS as error:
                message = f"event {read} of a block cannot be decoded ({type(error).__name__})"
                yield BrokenPart(self.block, buffer[start:end], message)
                return
            if stream.tell() == start:
                break
            read += 1
            yield value
        if read != frame.count:
            message = f"a block says that it holds {frame.count} events and holds {read}"
            yield BrokenPart(self.block, buffer[stream.tell() : end], message)


def values_in(data: bytes) -> Iterator[Any | BrokenPart]:
    """The values in a whole file, and the parts of it that cannot be read.

    Raises:
        BrokenAvroError: the header cannot be read, so nothing can.
    """
    return AvroReader().feed(data, last=True)


def _header(data: bytes, *, last: bool) -> _Header | None:
    """The header; None if it is not there as a whole yet."""
    if not data.startswith(MAGIC[: len(data)]):
        raise BrokenAvroError("not an Avro file")
    try:
        metadata, at = _metadata(data, len(MAGIC))
    except EOFError as error:
        if last or len(data) > _MAX_HEADER:
            raise BrokenAvroError("the Avro header is cut off") from error
        return None
    except ValueError as error:
        raise _unreadable(error) from error
    if at + _SYNC_SIZE > len(data):
        if last:
            raise BrokenAvroError("the Avro header is cut off")
        return None
    try:
        described = json.loads(metadata["avro.schema"])
        _refuse_arrays(described)
        schema = parse_schema(described, _force=True)
        codec = metadata.get("avro.codec", b"null").decode()
    except _DECODING_ERRORS as error:
        raise _unreadable(error) from error
    if codec not in ("null", "deflate"):
        raise BrokenAvroError(f"the Avro codec {codec[:20]!r} is not supported")
    return _Header(schema, codec, data[at : at + _SYNC_SIZE], at + _SYNC_SIZE)


def _unreadable(error: Exception) -> BrokenAvroError:
    return BrokenAvroError(f"the Avro header cannot be read ({type(error).__name__})")


def _refuse_arrays(schema: object) -> None:
    """No schema of Capture has any, and one of items without bytes would go on for ever."""
    if isinstance(schema, dict):
        if schema.get("type") == "array":
            raise ValueError("the schema has arrays")
        for part in schema.values():
            _refuse_arrays(part)
    elif isinstance(schema, list):
        for part in schema:
            _refuse_arrays(part)


def _metadata(data: bytes, at: int) -> tuple[dict[str, bytes], int]:
    """A map of bytes: blocks of pairs, a negative count is followed by the block's size.

    Raises:
        EOFError: the data ends inside it.
        ValueError: it is broken.
    """
    metadata: dict[str, bytes] = {}
    while True:
        count, at = _long(data, at)
        if count == 0:
            return metadata, at
        if count < 0:
            count = -count
            _, at = _long(data, at)
        for _ in range(count):
            name, at = _bytes(data, at)
            metadata[name.decode()], at = _bytes(data, at)


def _long(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag number of variable length.

    Raises:
        EOFError: the data ends inside it.
        ValueError: it is longer than 64 bits.
    """
    value = shift = 0
    while True:
        if at >= len(data):
            raise EOFError
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says whether more follows
            return (value >> 1) ^ -(value & 1), at
        shift += 7
        if shift > 63:  # noqa: PLR2004 - bits
            raise ValueError("a number is too long")


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = _long(data, at)
    if size < 0 or size > _MAX_HEADER:
        raise ValueError("a size is out of bounds")
    if at + size > len(data):
        raise EOFError
    return data[at : at + size], at + size


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
        count, at = _long(data, start)
        size, at = _long(data, at)
    except EOFError:
        return len(data) + 1
    except ValueError:
        return 0
    if not 0 <= size <= MAX_BLOCK:
        return 0
    end = at + size
    if end + _SYNC_SIZE > len(data):
        return end + _SYNC_SIZE
    return _Frame(start, count, at, end) if data[end : end + _SYNC_SIZE] == sync else 0
