"""Event bodies as Azure Monitor writes them, read in one pass: compact JSON, nothing odd.

The body is scanned once, down to the fields of its records, and not copied: msgspec gives slices of it. What
the scan does not see (spaces, a field that stands twice, escapes in a name) makes the body longer than the
sum of what was seen, so that a body whose length is exactly that sum has none of it. Everything else is left
to `records` and `entries`, which read anything, with the same result.
"""

from typing import Final

import msgspec

from shared.capture import times
from shared.capture.entries import ADMINISTRATIVE, CONDENSED, Entry, entry_of, fold, rank_of
from shared.capture.rawjson import UnreadableError
from shared.capture.shapes import Shape
from shared.model.operations import OperationKey

_OPENING: Final = b'{"records":['
_CLOSING: Final = b"]}"
_LIMIT: Final = 4_000
"""How much is remembered of each kind; then it starts afresh, so that memory stays bounded."""

# Parts of a time as the activity log writes it.
_HYPHEN: Final = slice(len('"2026'), len('"2026-'))
_POINT: Final = len('"2026-11-02T09:00:00.')
_TICKS: Final = slice(_POINT, -2)
_LENGTH: Final = len('"2026-11-02T09:00:00.1234567Z"')

_PARTS: Final = 3
_QUOTES: Final = 2 * _PARTS
_BETWEEN: Final = b'"\n"'

type _Record = dict[str, msgspec.Raw]
type _Kind = tuple[str, bool, str, int]
"""Category, whether it is administrative, status and its rank."""

_MISSING: Final = ("", False, "", 0, OperationKey("", "", ""), 0)
"""Stands for what is read the exact way."""


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    records: list[_Record]


class _OddError(Exception):
    """A value is not as usual, and is to be read the exact way."""


_ENVELOPES = msgspec.json.Decoder(_Envelope)


class CompactReader:
    """Reads the bodies of one file, and remembers what recurs: keys, shapes, kinds, seconds."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._kinds: dict[bytes, _Kind] = {}
        self._keys: dict[bytes, OperationKey] = {}
        self._seconds: dict[bytes, int] = {}

    def read(self, body: bytes, number: int) -> list[Entry] | None:
        """The entries in a body, numbered from `number`; None if it has to be read the exact way."""
        if not body.startswith(_OPENING) or b"\n" in body or b"\r" in body:
            return None
        try:
            if not body.isascii():
                body.decode("utf-8")
            return self._entries(body, _ENVELOPES.decode(body).records, number)
        except (UnicodeDecodeError, msgspec.DecodeError, RecursionError, UnreadableError):
            return None

    def _entries(self, body: bytes, records: list[_Record], number: int) -> list[Entry] | None:
        """The entries of a body in which nothing but the records stands; else None."""
        shapes, kinds, keys, seconds = self._shapes, self._kinds, self._keys, self._seconds
        entries: list[Entry] = []
        odd: list[tuple[int, int, int]] = []
        start = len(_OPENING)
        for record in records:
            names = tuple(record)
            shape = shapes.get(names)
            if shape is None:
                if CONDENSED in names:
                    return None
                shape = _remember(shapes, names, Shape(names))
            end = start + shape.size + sum(map(len, record.values()))
            try:
                kind = b"\n".join((record["category"], record["resultType"]))
                category, administrative, status, rank = kinds.get(kind) or self._kind(kind)
                named = b"\n".join((record["correlationId"], record["operationName"], record["resourceId"]))
                key = keys.get(named) or self._key(named)
                text = bytes(record["time"])
                second = seconds.get(text[:_POINT])
                if (
                    second is not None
                    and len(text) == _LENGTH
                    and (ticks := text[_TICKS]).isdigit()
                    and text[-2:] == b'Z"'
                ):
                    time = second + int(ticks) * 100
                else:
                    time = self._time(text)
            except (KeyError, _OddError):
                odd.append((len(entries), start, end))
                category, administrative, status, rank, key, time = _MISSING
            entries.append(
                Entry(
                    number,
                    category,
                    key,
                    status,
                    time,
                    time << 2 | rank,
                    administrative,
                    body,
                    start,
                    end,
                    shape,
                    record,
                )
            )
            number += 1
            start = end + 1
        # Without records there is no comma to take back.
        if start - bool(records) + len(_CLOSING) != len(body):
            return None
        for place, first, last in odd:
            entries[place] = entry_of(entries[place].number, body[first:last])
        return entries

    def _kind(self, text: bytes) -> _Kind:
        """What category and result type together say."""
        category, result = (_plain(part) for part in text.split(b"\n"))
        administrative = category.lower() in ADMINISTRATIVE
        status = fold(result) if administrative else ""
        return _remember(self._kinds, text, (category, administrative, status, rank_of(status)))

    def _key(self, text: bytes) -> OperationKey:
        """The key whose three parts stand in lines, as JSON text."""
        if text.isascii() and text.count(b'"') == _QUOTES and text.count(_BETWEEN) == _PARTS - 1:
            # Three strings, then, since each value is sound by itself.
            if b"\\" in text or text[:1] != b'"':
                raise _OddError
            parts = text[1:-1].decode("ascii").lower().split('"\n"')
        else:
            parts = [_plain(part).lower() for part in text.split(b"\n")]
        return _remember(self._keys, text, OperationKey(*parts))

    def _time(self, text: bytes) -> int:
        """The time, whose second is remembered if it is spelled as usual."""
        time = times.nanoseconds(_plain(text))
        second, ticks, end = text[:_POINT], text[_TICKS], text[_TICKS.stop :]
        usual = second[_HYPHEN] == b"-" and second.endswith(b".") and ticks.isdigit() and end == b'Z"'
        if usual and len(text) == _LENGTH and time < times.UNREADABLE:
            _remember(self._seconds, second, time - int(ticks) * 100)
        return time


def _plain(text: bytes) -> str:
    """The string, if it is one, without escapes and not empty."""
    if not text.startswith(b'"') or b"\\" in text or text == b'""':
        raise _OddError
    return text[1:-1].decode("utf-8")


def _remember[Key, Value](known: dict[Key, Value], key: Key, value: Value) -> Value:
    if len(known) >= _LIMIT:
        known.clear()
    known[key] = value
    return value
