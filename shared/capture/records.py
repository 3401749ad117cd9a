"""From text to entries: envelopes, arrays, bare records, one a line or one a document."""

from collections.abc import Iterator, Sized
from itertools import chain
from typing import Final

from shared.capture import rawjson
from shared.capture.aside import Aside, AsideReason, Position
from shared.capture.rawjson import UnreadableError

type Found = tuple[Position, bytes]
"""One record's JSON text and where it stood."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_RECORD_FIELDS = frozenset({"time", "TimeGenerated", "category", "operationName", "resourceId", "Type"})
"""A record may itself have a field `records`; an envelope has none of these."""

_FEW: Final = 1_000
_LEAST: Final = 16
"""Bytes that records have at least on the average, where there are more than a few."""


def _is_crowd(items: Sized, text: bytes) -> bool:
    """Whether there are so many in the text that they can be no records, and would only fill memory."""
    return len(items) > _FEW and len(items) * _LEAST > len(text)


def records_in(text: bytes, position: Position) -> Iterator[Found | Aside]:
    """Take the body of an event, or a whole document, apart into records.

    It may be `{"records": [...]}`, an array, a bare record, or several of these one a line.
    """
    whole, text = text, text.removeprefix(_BYTE_ORDER_MARK).strip(b" \t\r\n")
    if not text:
        yield Aside(AsideReason.EMPTY_BODY, "nothing but white space", position, whole)
        return
    try:
        found = list(_records_of(text, position))
    except UnreadableError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and not _is_crowd(lines, text) and _has_records(lines):
            yield from _one_a_line(text, position)
        else:
            yield Aside(error.reason, str(error), position, whole)
        return
    yield from found


def _records_of(text: bytes, position: Position) -> Iterator[Found | Aside]:
    if text.startswith(b"["):
        for number, item in enumerate(_items(text)):
            yield position.at(record=number), item
    elif text.startswith(b"{"):
        fields = rawjson.slices_of(text)
        arrays = rawjson.all_of(fields, "records")
        if arrays and all(array.startswith(b"[") for array in arrays) and not _RECORD_FIELDS & fields.keys():
            yield from _in_envelope(fields, position)
        else:
            yield position, text
    else:
        rawjson.check(text)
        yield Aside(AsideReason.NOT_AN_OBJECT, "the text is no JSON object or array", position, text)


def _in_envelope(fields: rawjson.Fields, position: Position) -> Iterator[Found | Aside]:
    items = chain.from_iterable(map(_items, rawjson.all_of(fields, "records")))
    for number, item in enumerate(items):
        yield position.at(record=number), item
    for name, value in fields.items():
        if name != "records":
            message = f"the envelope has a field {name[:100]!r} beside its records"
            yield Aside(AsideReason.UNKNOWN_ENVELOPE_FIELD, message, position, value)


def _items(text: bytes) -> list[bytes]:
    items = rawjson.items_of(text)
    if _is_crowd(items, text):
        message = f"{len(items)} values in {len(text)} bytes are no records"
        raise UnreadableError(AsideReason.TOO_MANY, message)
    return items


def _has_records(lines: list[bytes]) -> bool:
    """Whether at least one line is a record on its own, so that the text is one record a line."""
    return any(_is_object(line.strip()) for line in lines)


def _is_object(text: bytes) -> bool:
    try:
        rawjson.outline_of(text)
    except UnreadableError:
        return False
    return True


def _one_a_line(text: bytes, position: Position) -> Iterator[Found | Aside]:
    for number, line in enumerate(text.split(b"\n"), start=1):
        stripped = line.strip(b" \t\r")
        if not stripped:
            continue
        here = position.at(line=number)
        try:
            found = list(_records_of(stripped, here))
        except UnreadableError as error:
            yield Aside(error.reason, str(error), here, stripped)
        else:
            yield from found
