"""Avro container files written by hand, so that they can be wrong in every way."""

import io
import json
import zlib
from collections.abc import Iterable

import fastavro

from tests.capture.activity_log import SCHEMA

MARKER = bytes(range(0xF0, 0x100))
"""Bytes that no UTF-8 text has."""

_PARSED = fastavro.parse_schema(SCHEMA)


def number(value: int) -> bytes:
    """A zigzag number of variable length."""
    value = 2 * value if value >= 0 else -2 * value - 1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def sized(data: bytes) -> bytes:
    """Bytes, or a string, with their length before them."""
    return number(len(data)) + data


def header(codec: str = "null", schema: object = SCHEMA, marker: bytes = MARKER) -> bytes:
    """What stands before the blocks."""
    pairs = sized(b"avro.schema") + sized(json.dumps(schema).encode())
    pairs += sized(b"avro.codec") + sized(codec.encode())
    return b"Obj\x01" + number(2) + pairs + number(0) + marker


def event(body: bytes | None, sequence: int = 100) -> bytes:
    """An event of the schema that Capture uses."""
    stream = io.BytesIO()
    value = {
        "SequenceNumber": sequence,
        "Offset": "0",
        "EnqueuedTimeUtc": "5/1/2024 10:00:00 AM",
        "SystemProperties": {"x-opt-enqueued-time": 1},
        "Properties": {},
        "Body": body,
    }
    fastavro.schemaless_writer(stream, _PARSED, value)
    return stream.getvalue()


def raw_block(data: bytes, *, count: int, size: int | None = None, marker: bytes = MARKER) -> bytes:
    """A block that claims what it is told to claim."""
    return number(count) + number(len(data) if size is None else size) + data + marker


def block(bodies: Iterable[bytes | None], codec: str = "null", *, count: int | None = None) -> bytes:
    """A block of events of these bodies, as it should be but for the number of events."""
    events = [event(body) for body in bodies]
    data = b"".join(events)
    return raw_block(
        deflated(data) if codec == "deflate" else data, count=len(events) if count is None else count
    )


def deflated(data: bytes) -> bytes:
    """The data, compressed without a header."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()
