"""The header of an Avro container file, and the numbers that it and the blocks are made of.

avro.apache.org/docs/1.12.0/specification/#object-container-files
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from fastavro import parse_schema
from fastavro.schema import SchemaParseException, UnknownType

MAGIC: Final = b"Obj\x01"
SYNC_SIZE: Final = 16

_MAX_HEADER: Final = 1 << 20
_MAX_SCHEMA: Final = 1 << 14
"""Bytes; Capture's has a few hundred. Each event costs as much as the schema is long, however short it is."""

_PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})

DECODING_ERRORS = (
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
class Header:
    """What a file says about its blocks.

    Attributes:
        schema: of the values, as fastavro wants it.
        codec: `null` or `deflate`.
        sync: the marker that ends each block.
        end: where the first block begins.
    """

    schema: Any
    codec: str
    sync: bytes
    end: int


def header_of(data: bytes, *, last: bool) -> Header | None:
    """The header; None if it is not there as a whole yet.

    Raises:
        BrokenAvroError: it cannot be read.
    """
    if not data.startswith(MAGIC[: len(data)]):
        raise BrokenAvroError("not an Avro file")
    try:
        metadata, at = _metadata(data[:_MAX_HEADER], len(MAGIC))
    except EOFError as error:
        if last or len(data) >= _MAX_HEADER:
            raise BrokenAvroError("the Avro header is cut off") from error
        return None
    except ValueError as error:
        raise _unreadable(error) from error
    if at + SYNC_SIZE > len(data):
        if last:
            raise BrokenAvroError("the Avro header is cut off")
        return None
    try:
        described = metadata["avro.schema"]
        if len(described) > _MAX_SCHEMA:
            raise ValueError("the schema is too long")
        schema = parse_schema(_plain(json.loads(described)), _force=True)
        codec = metadata.get("avro.codec", b"null").decode()
    except DECODING_ERRORS as error:
        raise _unreadable(error) from error
    if codec not in ("null", "deflate"):
        raise BrokenAvroError(f"the Avro codec {codec[:20]!r} is not supported")
    return Header(schema, codec, data[at : at + SYNC_SIZE], at + SYNC_SIZE)


def _unreadable(error: Exception) -> BrokenAvroError:
    return BrokenAvroError(f"the Avro header cannot be read ({type(error).__name__})")


def _plain(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """The schema, if it is made of records, maps, choices and primitive types, as that of Capture is.

    Arrays and types that are named elsewhere can make endlessly many values of a few bytes, or of none, and
    values nested without an end; some logical types take for ever to convert, so all are left out.

    Raises:
        ValueError: it has other types.
        LookupError, RecursionError, TypeError: it is broken.
    """
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    kind = schema if isinstance(schema, str) else schema["type"]
    if isinstance(kind, dict | list):
        return _plain(kind)
    if kind == "record":
        fields = [{"name": field["name"], "type": _plain(field["type"])} for field in schema["fields"]]
        return {"type": "record", "name": schema["name"], "fields": fields}
    if kind == "map":
        return {"type": "map", "values": _plain(schema["values"])}
    if kind not in _PRIMITIVES:
        raise ValueError("the schema has types that Capture does not use")
    return kind


def _metadata(data: bytes, at: int) -> tuple[dict[str, bytes], int]:
    """A map of bytes: blocks of pairs, a negative count is followed by the block's size.

    Raises:
        EOFError: the data ends inside it.
        ValueError: it is broken.
    """
    metadata: dict[str, bytes] = {}
    while True:
        count, at = long_at(data, at)
        if count == 0:
            return metadata, at
        if count < 0:
            count = -count
            _, at = long_at(data, at)
        for _ in range(count):
            name, at = _bytes(data, at)
            metadata[name.decode()], at = _bytes(data, at)


def long_at(data: bytes, at: int) -> tuple[int, int]:
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
    size, at = long_at(data, at)
    if size < 0 or size > _MAX_HEADER:
        raise ValueError("a size is out of bounds")
    if at + size > len(data):
        raise EOFError
    return data[at : at + size], at + size


_LETTERS: Final = {
    "null": "N",
    "boolean": "O",
    "int": "I",
    "long": "L",
    "float": "F",
    "double": "D",
    "bytes": "B",
    "string": "S",
}
_MOST_CHOICES: Final = 9
_MOST_LETTERS: Final = 200
_BODY: Final = frozenset("U2NB")


def letters_of(schema: Any) -> str | None:  # noqa: ANN401 - a schema that fastavro parsed
    """The schema of events as `kernel/avro.zig` reads it; None if it is one that it does not read."""
    if not isinstance(schema, dict) or schema.get("type") != "record":
        return None
    letters = []
    for field in schema["fields"]:
        found = _letters(field["type"])
        is_body = field["name"] == "Body"
        if found is None or (is_body and not set(found) <= _BODY):
            return None
        letters.append("*" + found if is_body else found)
    text = "".join(letters)
    return text if text.count("*") == 1 and len(text) <= _MOST_LETTERS else None


def _letters(kind: Any) -> str | None:  # noqa: ANN401 - likewise
    if isinstance(kind, list):
        choices = [*map(_letters, kind)]
        if None in choices or not 0 < len(choices) <= _MOST_CHOICES:
            return None
        return f"U{len(choices)}" + "".join(choice or "" for choice in choices)
    if isinstance(kind, dict):
        if kind["type"] == "map":
            values = _letters(kind["values"])
            return None if values is None else "M" + values
        kind = kind["type"]
    return _LETTERS.get(kind) if isinstance(kind, str) else None
