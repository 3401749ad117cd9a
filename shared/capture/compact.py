"""Event bodies as Azure Monitor writes them, read fast.

msgspec scans a body for where its records are, and each record for the few fields that we look at; nothing is
decoded that is not needed. What is unusual about a body or a record (an envelope with more in it, a category
that is no string, NaN, a line break, half a surrogate pair) is left to `records` and `entries`, which read
anything, with the same result.
"""

from typing import Final

import msgspec

from shared.capture import times
from shared.capture.entries import ADMINISTRATIVE, CONDENSED, Entry, entry_of, fold, rank_of
from shared.capture.rawjson import UnreadableError
from shared.capture.records import is_crowd
from shared.model.operations import OperationKey

_LIMIT: Final = 1_000
"""How much is remembered of each kind; then it starts afresh, so that memory stays bounded."""

_OPENING: Final = b'{"records":['
_CLOSING: Final = b"]}"

# Parts of a time as the activity log writes it.
_HYPHEN: Final = slice(len("2026"), len("2026-"))
_POINT: Final = len("2026-11-02T09:00:00.")
_TICKS: Final = slice(_POINT, -1)
_LENGTH: Final = len("2026-11-02T09:00:00.1234567Z")

type _Names = tuple[str, str, str]
type _Kind = tuple[str, str]


class _Envelope(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    records: list[msgspec.Raw]


class _Head(msgspec.Struct, gc=False):
    """The fields that we look at; empty where there is none."""

    category: str = ""
    correlationId: str = ""  # noqa: N815 - Azure's name
    operationName: str = ""  # noqa: N815
    resourceId: str = ""  # noqa: N815
    resultType: str = ""  # noqa: N815
    time: str = ""
    condensed: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name=CONDENSED)


_ENVELOPES = msgspec.json.Decoder(_Envelope)
_HEADS = msgspec.json.Decoder(_Head)


class CompactReader:
    """Reads the bodies of one file, and remembers what recurs: keys, categories with statuses, seconds."""

    def __init__(self) -> None:
        self._keys: dict[_Names, OperationKey] = {}
        self._kinds: dict[_Kind, tuple[bool, str, int]] = {}
        self._seconds: dict[str, int] = {}

    def read(self, body: bytes, number: int) -> list[Entry] | None:
        """The entries in a body, numbered from `number`; None if it has to be read the exact way."""
        if not body.startswith(_OPENING[:-1]) or b"\n" in body or b"\r" in body:
            return None
        try:
            if not body.isascii():
                body.decode("utf-8")
            records = _ENVELOPES.decode(body).records
            if is_crowd(records, body) or not _holds_once(body, records):
                return None
            return self._entries(records, number)
        except (UnicodeDecodeError, msgspec.DecodeError, RecursionError, UnreadableError):
            return None

    def _entries(self, records: list[msgspec.Raw], number: int) -> list[Entry]:
        """The entries of records that are sound JSON. This is where most of the time goes.

        Raises:
            DecodeError: one of them is odd.
            UnreadableError: one of them cannot be read.
        """
        kinds, keys, seconds, decode = self._kinds, self._keys, self._seconds, _HEADS.decode
        entries: list[Entry] = []
        for place, record in enumerate(records, number):
            raw = bytes(record)
            head = decode(raw)
            category = head.category
            kind = (category, head.resultType)
            administrative, status, rank = kinds.get(kind) or self._kind(kind)
            text = head.time
            if not (category and text and (status or not administrative)) or head.condensed:
                entries.append(entry_of(place, raw))
                continue
            names = (head.correlationId, head.operationName, head.resourceId)
            key = keys.get(names) or _remember(keys, names, OperationKey(*map(str.lower, names)))
            second = seconds.get(text[:_POINT])
            ticks = text[_TICKS]
            if (
                second is not None
                and len(text) == _LENGTH
                and ticks.isdecimal()
                and ticks.isascii()
                and text[-1] == "Z"
            ):
                time = second + int(ticks) * 100
            else:
                time = self._time(text)
            entries.append(Entry(place, raw, category, key, status, time, time << 2 | rank, administrative))
        return entries

    def _kind(self, kind: _Kind) -> tuple[bool, str, int]:
        """Whether the category is administrative; then the status, if the result type gives it; its rank."""
        category, result = kind
        administrative = category.lower() in ADMINISTRATIVE
        status = fold(result) if administrative and result else ""
        return _remember(self._kinds, kind, (administrative, status, rank_of(status)))

    def _time(self, text: str) -> int:
        """The time, whose second is remembered if it is spelled as usual."""
        time = times.nanoseconds(text)
        second, ticks = text[:_POINT], text[_TICKS]
        usual = len(text) == _LENGTH and second[_HYPHEN] == "-" and second[-1] == "." and text[-1] == "Z"
        if usual and ticks.isdecimal() and ticks.isascii() and time < times.UNREADABLE:
            _remember(self._seconds, second, time - int(ticks) * 100)
        return time


def _holds_once(body: bytes, records: list[msgspec.Raw]) -> bool:
    """Whether these are all records of the body, which they are not if its only field stands there twice.

    A compact body is as long as they are together with what stands around them.
    """
    around = len(_OPENING) + max(0, len(records) - 1) + len(_CLOSING)
    if around + sum(map(len, records)) == len(body):
        return True
    return body.count(b'"records"') == 1 and b"\\u00" not in body


def _remember[Key, Value](known: dict[Key, Value], key: Key, value: Value) -> Value:
    if len(known) >= _LIMIT:
        known.clear()
    known[key] = value
    return value
