"""Avro container files, block by block.

A block that is broken is reported and skipped: every block ends with the file's own sync marker, from
which reading goes on (avro.apache.org/docs/1.12.0/specification/#object-container-files).
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastavro import parse_schema, schemaless_reader
from fastavro.schema import SchemaParseException, UnknownType

from shared.capture.inflate import RAW_DEFLATE, InflateError, inflate

MAGIC = b"Obj\x01"
MAX_BLOCK = 1 << 29
"""Bytes that one block may have when inflated. Capture writes no file over 500 MB."""

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


@dataclass(frozen=True, slots=True)
class _Header:
    schema: Any
    codec: str
    sync: bytes
    end: int


def values_in(data: bytes) -> Iterator[Any | BrokenPart]:
    """The values in the file, and the parts of it that cannot be read.

    Raises:
        BrokenAvroError: the header cannot be read, so nothing can.
    """
    header = _header(data)
    at = header.end
    while at < len(data):
        block, after = _block(data, at, header)
        if isinstance(block, BrokenPart):
            yield block
        else:
            yield from _values(block[0], block[1], at, header)
        at = after


def _header(data: bytes) -> _Header:
    if not data.startswith(MAGIC):
        raise BrokenAvroError("not an Avro file")
    try:
        metadata, at = _metadata(data, len(MAGIC))
        schema = parse_schema(json.loads(metadata["avro.schema"]), _force=True)
        codec = metadata.get("avro.codec", b"null").decode()
    except _DECODING_ERRORS as error:
        raise BrokenAvroError(f"the Avro header cannot be read ({type(error).__name__})") from error
    if codec not in ("null", "deflate"):
        raise BrokenAvroError(f"the Avro codec {codec[:20]!r} is not supported")
    if at + _SYNC_SIZE > len(data):
        raise BrokenAvroError("the Avro header is cut off")
    return _Header(schema, codec, data[at : at + _SYNC_SIZE], at + _SYNC_SIZE)


def _metadata(data: bytes, at: int) -> tuple[dict[str, bytes], int]:
    """A map of bytes: blocks of pairs, a negative count is followed by the block's size."""
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
    if size < 0 or at + size > len(data):
        raise EOFError
    return data[at : at + size], at + size


def _block(data: bytes, start: int, header: _Header) -> tuple[tuple[int, bytes] | BrokenPart, int]:
    """How many values the block at `start` has and their bytes; and where the next block starts."""
    try:
        count, at = _long(data, start)
        content, at = _bytes(data, at)
    except (EOFError, ValueError):
        return _broken(data, start, header, "a block is cut off")
    if data[at : at + _SYNC_SIZE] != header.sync:
        return _broken(data, start, header, "a block does not end with the file's marker")
    after = at + _SYNC_SIZE
    if header.codec == "null":
        return (count, content), after
    try:
        inflated, _ = inflate(content, RAW_DEFLATE, MAX_BLOCK)
    except InflateError as error:
        return BrokenPart(start, data[start:after], f"a block cannot be inflated: {error}"), after
    return (count, inflated), after


def _broken(data: bytes, start: int, header: _Header, message: str) -> tuple[BrokenPart, int]:
    """Everything up to the next marker."""
    found = data.find(header.sync, start)
    after = len(data) if found < 0 else found + _SYNC_SIZE
    return BrokenPart(start, data[start:after], message), after


def _values(count: int, content: bytes, offset: int, header: _Header) -> Iterator[Any | BrokenPart]:
    stream = io.BytesIO(content)
    read = 0
    while stream.tell() < len(content):
        start = stream.tell()
        try:
            value = schemaless_reader(stream, header.schema, None)
        except _DECODING_ERRORS as error:
            message = f"event {read} of a block cannot be decoded ({type(error).__name__})"
            yield BrokenPart(offset, content[start:], message)
            return
        if stream.tell() == start:
            break
        read += 1
        yield value
    if read != count:
        message = f"a block says that it holds {count} events and holds {read}"
        yield BrokenPart(offset, content[stream.tell() :], message)
