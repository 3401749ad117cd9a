"""JSON text taken apart into slices, so that what is not looked into is never re-encoded.

Numbers of nineteen digits, `1.0`, escapes and the order of fields survive, since nothing is parsed that
is not needed. msgspec does the work. What it refuses although it is well-formed, which is one half of a
surrogate pair, takes a slower way with the same result.
"""

import json
from collections.abc import Iterable
from json.decoder import scanstring  # type: ignore[attr-defined]  # missing in the type stubs
from typing import NoReturn

import msgspec

from shared.capture.aside import AsideReason

type Fields = dict[str, bytes]
"""An object's fields in their order, each with its value's JSON text."""

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


def _refuse(name: str) -> NoReturn:
    raise UnreadableError(AsideReason.NOT_A_NUMBER, f"{name} is not JSON")


# Numbers stay text: nobody needs their value, and Python refuses to convert very long ones.
_STRICT = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)
_LENIENT = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def items_of(text: bytes) -> list[bytes]:
    """The elements of an array. NaN or invalid UTF-8 inside one is left to whoever reads that element.

    Raises:
        UnreadableError: not an array, or broken.
    """
    try:
        return [bytes(item) for item in _ITEMS.decode(text)]
    except (msgspec.DecodeError, RecursionError):
        return [item for _, item in _scan(text, "[]", _LENIENT)]


def fields_of(text: bytes) -> Fields:
    """The fields of an object.

    Raises:
        UnreadableError: not an object, broken, or a field stands in it twice.
    """
    try:
        fields = _raw_fields(text)
        if _adds_up(fields, text):
            return fields
        compact = msgspec.json.format(text, indent=-1)
        if _adds_up(_raw_fields(compact), compact):
            return fields
    except (msgspec.DecodeError, RecursionError):
        pass
    pairs = _scan(text, "{}", _STRICT)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise UnreadableError(AsideReason.REPEATED_FIELD, "a field stands twice in the entry")
    return fields


def outline_of(text: bytes) -> Fields:
    """The fields of an object; of a repeated one the last, and NaN is left to whoever reads the value.

    Raises:
        UnreadableError: not an object, or broken.
    """
    try:
        return _raw_fields(text)
    except (msgspec.DecodeError, RecursionError):
        return dict(_scan(text, "{}", _LENIENT))


def _raw_fields(text: bytes) -> Fields:
    return {name: bytes(value) for name, value in _FIELDS.decode(text).items()}


def _adds_up(fields: Fields, text: bytes) -> bool:
    """Whether the fields are all that is in the compact text: none repeated, no escapes in their names."""
    names = sum(len(name.encode("utf-8", "surrogatepass")) for name in fields)
    values = sum(map(len, fields.values()))
    quotes_colons_commas_braces = 4 * len(fields) + (1 if fields else 2)
    return names + values + quotes_colons_commas_braces == len(text)


def check(text: bytes) -> None:
    """Make sure that the text is one JSON value in valid UTF-8, without NaN or Infinity.

    Raises:
        UnreadableError: it is not.
    """
    try:
        string = text.decode("utf-8")
        _STRICT.decode(string)
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
    return b"{" + b",".join(name_text(name) + b":" + value for name, value in fields.items()) + b"}"


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
