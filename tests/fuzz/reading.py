"""What is in a body, told by Python's own JSON parser alone: slow, short, and written from the rules.

The product reads bodies by cutting texts; here they are parsed to values, so that both have little in common
in which they could be wrong together.
"""

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass

from shared.capture.entries import ADMINISTRATIVE, fold
from shared.capture.times import nanoseconds

CONDENSED = "azure_activity_administrative_condensed"
"""The field that a condensed record has."""

_MARK_ORD = 0x10FF00
_SPACE = b" \t\r\n"
_FIELDS_OF_RECORDS = {"time", "TimeGenerated", "category", "operationName", "resourceId", "Type"}
_STATUSES_OF_CALLS = {"start", "accept", "success", "failure", "cancelled"}


@dataclass(frozen=True)
class Literal:
    """A number, NaN or an infinite number, as it was spelled."""

    text: str


@dataclass(frozen=True)
class Fields:
    """An object; a name may stand in it several times."""

    pairs: tuple[tuple[str, object], ...]

    def all_of(self, name: str) -> list[object]:
        return [value for known, value in self.pairs if known == name]

    def last_of(self, name: str) -> object:
        return next(reversed(self.all_of(name)), None)

    def text_of(self, name: str) -> str:
        """Its last value if that is a string, or a number that has digits."""
        value = self.last_of(name)
        if isinstance(value, Literal) and value.text[0] in "-0123456789":
            return value.text
        return value if isinstance(value, str) else ""


type Facts = tuple[str, tuple[str, str, str], str, int, bool]
"""Category, key, status, time, and whether it is administrative."""


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(_MARK_ORD + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("mark", _mark)

_JSON = json.JSONDecoder(
    object_pairs_hook=lambda pairs: Fields(tuple(pairs)),
    parse_int=Literal,
    parse_float=Literal,
    parse_constant=Literal,
)


def value_of(text: bytes) -> object:
    """The JSON value; bytes that are no UTF-8 become characters that nobody uses.

    Raises:
        ValueError: it is no JSON.
    """
    return _JSON.decode(text.decode("utf-8", "mark"))


def is_sound(value: object) -> bool:
    """Whether all of its text was UTF-8."""
    match value:
        case str():
            return all(ord(character) < _MARK_ORD for character in value)
        case list():
            return all(map(is_sound, value))
        case Fields():
            return all(is_sound(name) and is_sound(one) for name, one in value.pairs)
    return True


def records_in(body: bytes) -> list[Fields | None]:
    """The records in a body in their order; None for what is set aside."""
    text = body.removeprefix(b"\xef\xbb\xbf").strip(_SPACE)
    if not text:
        return [None]
    try:
        return [*_records_of(text)]
    except ValueError:
        if len(text.splitlines()) == 1 or not any(_is_object(line.strip()) for line in text.splitlines()):
            return [None]
    lines = (line.strip(_SPACE) for line in text.split(b"\n"))
    return [record for line in lines if line for record in _records_or_none(line)]


def facts_of(record: Fields) -> Facts:
    """What the product should see in a record."""
    category = record.text_of("category")
    status = fold(record.text_of("resultType") or record.text_of("resultSignature").partition(".")[0])
    key = tuple(record.text_of(name).lower() for name in ("correlationId", "operationName", "resourceId"))
    administrative = _is_administrative(record, category, key[0], status)
    time = nanoseconds(record.text_of("time") or record.text_of("TimeGenerated"))
    return category, (key[0], key[1], key[2]), status if administrative else "", time, administrative


def _records_of(text: bytes) -> Iterator[Fields | None]:
    value = value_of(text)
    if isinstance(value, list):
        yield from map(_record, value)
    elif isinstance(value, Fields) and _is_envelope(value):
        for array in value.all_of("records"):
            assert isinstance(array, list)
            yield from map(_record, array)
        yield from [None] * len({name for name, _ in value.pairs} - {"records"})
    elif not is_sound(value) and not isinstance(value, Fields):
        raise ValueError("no UTF-8")
    else:
        yield _record(value)


def _records_or_none(line: bytes) -> list[Fields | None]:
    try:
        return [*_records_of(line)]
    except ValueError:
        return [None]


def _record(value: object) -> Fields | None:
    return value if isinstance(value, Fields) and is_sound(value) else None


def _is_envelope(value: Fields) -> bool:
    arrays = value.all_of("records")
    names = {name for name, _ in value.pairs}
    return bool(arrays) and all(isinstance(one, list) for one in arrays) and not names & _FIELDS_OF_RECORDS


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(value_of(text), Fields)
    except ValueError:
        return False


def _is_administrative(record: Fields, category: str, correlation: str, status: str) -> bool:
    if record.all_of(CONDENSED):
        return False
    if record.last_of("category") not in (None, ""):
        return category.lower() in ADMINISTRATIVE
    properties = record.last_of("properties")
    inner = properties.last_of("eventCategory") if isinstance(properties, Fields) else None
    if isinstance(inner, str) and inner:
        return inner.lower() == "administrative"
    return bool(correlation) and status in _STATUSES_OF_CALLS and not record.all_of("Type")
