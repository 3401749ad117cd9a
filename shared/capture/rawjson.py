"""JSON text taken apart into slices, so that what is not looked into is never re-encoded.

Numbers of nineteen digits, `1.0`, escapes and the order of fields survive, since nothing is parsed that
is not needed. msgspec does the work. What it refuses although others write it, which is one half of a
surrogate pair, NaN, or a field that stands twice, takes a slower way with the same result.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]  # missing in the type stubs
from typing import Self

import msgspec

from shared.capture.aside import AsideReason

type Fields = dict[str, bytes]
"""An object's fields in their order, each with its value's JSON text."""

type Slice = bytes | msgspec.Raw
"""A value's JSON text, perhaps as a part of a larger text that it keeps in memory."""

type Slices = Mapping[str, Slice]
"""An object's fields in their order."""

_SPACE = " \t\n\r"
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRING = msgspec.json.Decoder(str)


class UnreadableError(ValueError):
    """The text is not JSON that we can hand on.

    Attributes:
        reason: what is wrong with it.
    """

    def __init__(self, reason: AsideReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class _Repeated(bytes):
    """What stands behind a field's name that stands several times: `1,"name":2`, written as one value."""

    values: Sequence[bytes]

    @classmethod
    def of(cls, name: str, values: Sequence[bytes]) -> Self:
        """All values of the field."""
        made = cls((b"," + name_text(name) + b":").join(values))
        made.values = values
        return made


# Numbers stay text: nobody needs their value, and Python refuses to convert very long ones. NaN and Infinity,
# which Python's own parser and others write, stay text too.
_EXACT = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def items_of(text: bytes) -> list[bytes]:
    """The elements of an array. Invalid UTF-8 inside one is left to whoever reads that element.

    Raises:
        UnreadableError: not an array, or broken.
    """
    try:
        return [bytes(item) for item in _ITEMS.decode(text)]
    except (msgspec.DecodeError, RecursionError):
        return [item for _, item in _scan(text, "[]", _EXACT)]


def slices_of(text: bytes) -> Fields:
    """The fields of an object. Of one that stands several times, all values are kept as if they were one.

    Raises:
        UnreadableError: not an object, or broken.
    """
    try:
        fields = _raw_fields(text)
        if _adds_up(fields, text):
            return fields
        compact = msgspec.json.format(text, indent=-1)
        if _adds_up(_raw_fields(compact), compact):
            return fields
    except msgspec.ValidationError as error:
        raise UnreadableError(AsideReason.NOT_AN_OBJECT, "the record is no JSON object") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass  # The last is what a name in no UTF-8 raises.
    pairs = _scan(text, "{}", _EXACT)
    values: dict[str, list[bytes]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: all_[0] if len(all_) == 1 else _Repeated.of(name, all_) for name, all_ in values.items()}


def refs_of(text: bytes) -> dict[str, msgspec.Raw]:
    """The fields of an object that was read before; they refer to the text.

    Raises:
        DecodeError: it has to be read by `slices_of`.
        RecursionError: likewise.
    """
    return _FIELDS.decode(text)


def all_of(fields: Fields, name: str) -> Sequence[bytes]:
    """The JSON text of each value of a field."""
    value = fields.get(name)
    if isinstance(value, _Repeated):
        return value.values
    return [] if value is None else [value]


def last_of(fields: Fields, name: str) -> bytes:
    """The JSON text of a field's value; of an absent one nothing.

    Of a repeated one it is the last, as with most readers (RFC 8259, section 4).
    """
    return next(reversed(all_of(fields, name)), b"")


def outline_of(text: bytes) -> Fields:
    """The fields of an object; of a repeated one the last.

    Raises:
        UnreadableError: not an object, or broken.
    """
    try:
        return _raw_fields(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return dict(_scan(text, "{}", _EXACT))


def _raw_fields(text: bytes) -> Fields:
    return {name: bytes(value) for name, value in _FIELDS.decode(text).items()}


def _adds_up(fields: Fields, text: bytes) -> bool:
    """Whether the fields are all that is in the compact text: none repeated, no escapes in their names."""
    names = sum(len(name.encode("utf-8", "surrogatepass")) for name in fields)
    values = sum(map(len, fields.values()))
    quotes_colons_commas_braces = 4 * len(fields) + (1 if fields else 2)
    return names + values + quotes_colons_commas_braces == len(text)


def check(text: bytes) -> None:
    """Make sure that the text is one JSON value in valid UTF-8.

    Raises:
        UnreadableError: it is not.
    """
    try:
        string = text.decode("utf-8")
        _EXACT.decode(string)
    except UnicodeDecodeError as error:
        message = f"invalid UTF-8 at byte {error.start}"
        raise UnreadableError(AsideReason.INVALID_UTF8, message) from error
    except json.JSONDecodeError as error:
        raise _invalid(error.msg, error.pos) from error
    except RecursionError as error:
        raise _too_deep() from error


def string_of(text: bytes) -> str | None:
    """The string that the JSON text holds; None if it holds anything else."""
    if not text.startswith(b'"'):
        return None
    if b"\\" not in text:
        return text[1:-1].decode("utf-8", "replace")
    try:
        return _STRING.decode(text)
    except msgspec.DecodeError:
        value: str = json.loads(text)
        return value


def name_text(name: str) -> bytes:
    """A field's name as JSON text."""
    try:
        return msgspec.json.encode(name)
    except UnicodeEncodeError:
        return json.dumps(name).encode()


def object_text(fields: Fields) -> bytes:
    """An object of these fields, as JSON text."""
    return b"{" + fields_text(fields)[1:] + b"}"


def fields_text(fields: Fields) -> bytes:
    """These fields as they stand in an object, before each a comma."""
    return b"".join([b"," + name_text(name) + b":" + value for name, value in fields.items()])


def array_text(items: Iterable[bytes]) -> bytes:
    """An array of these elements, as JSON text."""
    return b"[" + b",".join(items) + b"]"


def in_one_line(text: bytes) -> bytes:
    """The same JSON text without line breaks, which only ever stand between tokens."""
    if b"\n" not in text and b"\r" not in text:
        return text
    try:
        return msgspec.json.format(text, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        return text.replace(b"\r", b" ").replace(b"\n", b" ")


def _scan(text: bytes, brackets: str, decoder: json.JSONDecoder) -> list[tuple[str, bytes]]:
    """The pairs of an object, or the elements of an array with empty names, by Python's own parser."""
    try:
        return _pairs(text.decode("utf-8", "surrogateescape"), brackets, decoder)
    except json.JSONDecodeError as error:
        raise _invalid(error.msg, error.pos) from error
    except RecursionError as error:
        raise _too_deep() from error


def _pairs(text: str, brackets: str, decoder: json.JSONDecoder) -> list[tuple[str, bytes]]:
    opening, closing = brackets[0], brackets[1]
    pairs: list[tuple[str, bytes]] = []
    at = _expect(text, 0, opening)
    if text[at : at + 1] == closing:
        _end(text, at + 1)
        return pairs
    while True:
        name = ""
        if opening == "{":
            name, after = scanstring(text, _expect(text, at, '"', skip=False), True)
            at = _expect(text, after, ":")
        _, after = decoder.raw_decode(text, at)
        pairs.append((name, text[at:after].encode("utf-8", "surrogateescape")))
        at = _skip(text, after)
        if text[at : at + 1] == closing:
            _end(text, at + 1)
            return pairs
        at = _expect(text, at, ",")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _expect(text: str, at: int, character: str, *, skip: bool = True) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != character:
        raise json.JSONDecodeError(f"Expecting {character!r}", text, at)
    return _skip(text, at + 1) if skip else at + 1


def _end(text: str, at: int) -> None:
    at = _skip(text, at)
    if at != len(text):
        raise json.JSONDecodeError("Extra data", text, at)


def _invalid(message: str, position: int) -> UnreadableError:
    return UnreadableError(AsideReason.INVALID_JSON, f"invalid JSON: {message} at character {position}")


def _too_deep() -> UnreadableError:
    return UnreadableError(AsideReason.TOO_DEEP, "nested too deep to be read")
