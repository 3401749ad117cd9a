"""Entries: log records as Azure wrote them, and the few fields of them that we look at."""

from dataclasses import dataclass
from typing import Final

import msgspec

from shared.capture import rawjson, times
from shared.capture.aside import AsideReason
from shared.model.operations import OperationKey

CONDENSED: Final = "azure_activity_administrative_condensed"
"""The field that a condensed record has and an entry has not."""

START: Final = "start"
ACCEPT: Final = "accept"
SUCCESS: Final = "success"
TERMINAL: Final = frozenset({SUCCESS, "failure", "cancelled"})
"""Statuses after which no more is to be expected, though more may come."""
UNKNOWN: Final = "unknown"

_FOLDED: Final = {
    "started": START,
    "accepted": ACCEPT,
    "succeeded": SUCCESS,
    "failed": "failure",
    "canceled": "cancelled",
}
_ADMINISTRATIVE: Final = frozenset({"administrative", "write", "delete", "action"})
"""Categories of what we combine; the last three are how exports of 2018 and before spelled the first.

learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
"""
_RANKS: Final = {START: 0, ACCEPT: 1} | dict.fromkeys(TERMINAL, 3)
_OTHER_RANK: Final = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One log record.

    Attributes:
        number: its place among everything that came out of its capture file, from 0.
        raw: its JSON text as it arrived, in one line.
        category: as spelled; empty if it has none.
        key: what ties it to its operation.
        status: folded; empty unless administrative.
        time: nanoseconds since 1970, or `times.UNREADABLE`.
        administrative: whether it is to be combined with others.
    """

    number: int
    raw: bytes
    category: str
    key: OperationKey
    status: str
    time: int
    administrative: bool

    @property
    def order(self) -> tuple[int, int, bytes]:
        """Sorts an operation's entries the same way however they arrived."""
        return (self.time, _RANKS.get(self.status, _OTHER_RANK), self.raw)


class _Head(msgspec.Struct):
    """The fields we look at, as JSON text; empty where there is none."""

    category: msgspec.Raw = msgspec.Raw()
    correlationId: msgspec.Raw = msgspec.Raw()  # noqa: N815 - Azure's name
    operationName: msgspec.Raw = msgspec.Raw()  # noqa: N815
    resourceId: msgspec.Raw = msgspec.Raw()  # noqa: N815
    resultType: msgspec.Raw = msgspec.Raw()  # noqa: N815
    resultSignature: msgspec.Raw = msgspec.Raw()  # noqa: N815
    time: msgspec.Raw = msgspec.Raw()
    TimeGenerated: msgspec.Raw = msgspec.Raw()
    Type: msgspec.Raw = msgspec.Raw()
    properties: msgspec.Raw = msgspec.Raw()
    azure_activity_administrative_condensed: msgspec.Raw = msgspec.Raw()


_HEADS = msgspec.json.Decoder(_Head)
_HEAD_FIELDS = frozenset(_Head.__struct_fields__)


def entry_of(number: int, text: bytes) -> Entry:
    """Read one record's JSON text.

    Raises:
        UnreadableError: it cannot be read, or is no object.
    """
    raw = rawjson.in_one_line(text)
    head = _head(raw)
    category = _text(head.category)
    status = fold(_text(head.resultType) or _text(head.resultSignature).partition(".")[0])
    correlation = _text(head.correlationId).lower()
    administrative = _is_administrative(head, category, correlation, status)
    if administrative:
        rawjson.fields_of(raw)
    return Entry(
        number=number,
        raw=raw,
        category=category,
        key=OperationKey(correlation, _text(head.operationName).lower(), _text(head.resourceId).lower()),
        status=status if administrative else "",
        time=times.nanoseconds(_text(head.time) or _text(head.TimeGenerated)),
        administrative=administrative,
    )


def fold(status: str) -> str:
    """A status as we name it: `Started.` becomes `start`; none becomes `unknown`."""
    name = status.strip().rstrip(".").lower()
    return _FOLDED.get(name, name) or UNKNOWN


def _head(raw: bytes) -> _Head:
    if not raw.isascii():
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"invalid UTF-8 at byte {error.start} of the record"
            raise rawjson.UnreadableError(AsideReason.INVALID_UTF8, message) from error
    try:
        return _HEADS.decode(raw)
    except msgspec.ValidationError as error:
        message = "the record is no JSON object"
        raise rawjson.UnreadableError(AsideReason.NOT_AN_OBJECT, message) from error
    except (msgspec.DecodeError, RecursionError):
        rawjson.check(raw)
        fields = rawjson.outline_of(raw)
        return _Head(**{name: msgspec.Raw(fields[name]) for name in _HEAD_FIELDS & fields.keys()})


def _text(value: msgspec.Raw) -> str:
    """The string in a field; numbers as they are spelled; empty for anything else."""
    raw = bytes(value)
    if raw[:1] in b"-0123456789":
        return raw.decode("ascii")
    return rawjson.string_of(raw) or ""


def _is_administrative(head: _Head, category: str, correlation: str, status: str) -> bool:
    """Whether the entry is of the activity log's Administrative category.

    Entries without a category say so in `properties.eventCategory`, and are administrative if that is
    absent too (learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema). Since that holds
    for the activity log only, an entry must then look like one of its: a correlation ID, and a status
    that an API call has.
    """
    if bytes(head.azure_activity_administrative_condensed):
        return False
    if bytes(head.category) not in (b"", b"null", b'""'):
        return category.lower() in _ADMINISTRATIVE
    event_category = _event_category(bytes(head.properties))
    if event_category:
        return event_category.lower() == "administrative"
    return bool(correlation) and (status in _RANKS) and not bytes(head.Type)


def _event_category(properties: bytes) -> str:
    if not properties.startswith(b"{"):
        return ""
    return rawjson.string_of(rawjson.outline_of(properties).get("eventCategory", b"")) or ""
