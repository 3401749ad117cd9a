"""Entries: log records as Azure wrote them, and the few fields of them that we look at."""

from typing import Final

import msgspec

from shared.capture import rawjson, times
from shared.capture.aside import AsideReason
from shared.capture.rawjson import Fields
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
ADMINISTRATIVE: Final = frozenset({"administrative", "write", "delete", "action"})
"""Categories of what we combine; the last three are how exports of 2018 and before spelled the first.

learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
"""
_RANKS: Final = {START: 0, ACCEPT: 1} | dict.fromkeys(TERMINAL, 3)
_OTHER_RANK: Final = 2


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One log record.

    There are many of them, so they are of the lightest kind of class there is.

    Attributes:
        number: its place among everything that came out of its capture file, from 0.
        raw: its JSON text as it arrived, in one line.
        category: as spelled; empty if it has none.
        key: what ties it to its operation.
        status: folded; empty unless administrative.
        time: nanoseconds since 1970, or `times.UNREADABLE`.
        moment: sorts an operation's entries but for those that happened at once.
        administrative: whether it is to be combined with others.
    """

    number: int
    raw: bytes
    category: str
    key: OperationKey
    status: str
    time: int
    moment: int
    administrative: bool

    @property
    def order(self) -> tuple[int, bytes]:
        """Sorts an operation's entries the same way however they arrived."""
        return (self.moment, self.raw)


class _Head(msgspec.Struct, gc=False):
    """The fields that we look at; empty where there is none."""

    category: str = ""
    correlationId: str = ""  # noqa: N815 - Azure's name
    operationName: str = ""  # noqa: N815
    resourceId: str = ""  # noqa: N815
    resultType: str = ""  # noqa: N815
    time: str = ""
    condensed: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name=CONDENSED)


_HEADS = msgspec.json.Decoder(_Head)


def entry_of(number: int, text: bytes) -> Entry:
    """Read one record's JSON text.

    Raises:
        UnreadableError: it cannot be read, or is no object.
    """
    raw = rawjson.in_one_line(text)
    _refuse_invalid_utf8(raw)
    return entry_again(number, raw)


def entry_again(number: int, raw: bytes) -> Entry:
    """The same for the text of an entry, which was read before.

    Raises:
        UnreadableError: it cannot be read, or is no object.
    """
    try:
        head = _HEADS.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return _exactly(number, raw)
    administrative = head.category.lower() in ADMINISTRATIVE
    if not (head.category and head.time and (head.resultType or not administrative)) or head.condensed:
        return _exactly(number, raw)
    status = fold(head.resultType) if administrative else ""
    time = times.nanoseconds(head.time)
    key = OperationKey(head.correlationId.lower(), head.operationName.lower(), head.resourceId.lower())
    return Entry(number, raw, head.category, key, status, time, time << 2 | rank_of(status), administrative)


def _exactly(number: int, raw: bytes) -> Entry:
    """The same where a field that we look at is absent, no string, or anything else is unusual.

    Raises:
        UnreadableError: it cannot be read, or is no object.
    """
    fields = rawjson.slices_of(raw)
    category = _text(fields, "category")
    status = fold(_text(fields, "resultType") or _text(fields, "resultSignature").partition(".")[0])
    correlation = _text(fields, "correlationId").lower()
    administrative = _is_administrative(fields, category, correlation, status)
    status = status if administrative else ""
    time = times.nanoseconds(_text(fields, "time") or _text(fields, "TimeGenerated"))
    key = OperationKey(
        correlation, _text(fields, "operationName").lower(), _text(fields, "resourceId").lower()
    )
    return Entry(number, raw, category, key, status, time, time << 2 | rank_of(status), administrative)


def fold(status: str) -> str:
    """A status as we name it: `Started.` becomes `start`; none becomes `unknown`."""
    name = status.strip().rstrip(".").lower()
    return _FOLDED.get(name, name) or UNKNOWN


def rank_of(status: str) -> int:
    """Sorts what happened at once: Starts first, ends last."""
    return _RANKS.get(status, _OTHER_RANK)


def _refuse_invalid_utf8(raw: bytes) -> None:
    if raw.isascii():
        return
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"invalid UTF-8 at byte {error.start} of the record"
        raise rawjson.UnreadableError(AsideReason.INVALID_UTF8, message) from error


def _text(fields: Fields, name: str) -> str:
    """The string in a field; numbers as they are spelled; empty for anything else."""
    raw = rawjson.last_of(fields, name)
    if raw[:1] in b"-0123456789":
        return raw.decode("ascii")
    return rawjson.string_of(raw) or ""


def _is_administrative(fields: Fields, category: str, correlation: str, status: str) -> bool:
    """Whether the entry is of the activity log's Administrative category.

    Entries without a category say so in `properties.eventCategory`, and are administrative if that is
    absent too (learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema). Since that holds
    for the activity log only, an entry must then look like one of its: a correlation ID, and a status
    that an API call has.
    """
    if CONDENSED in fields:
        return False
    if rawjson.last_of(fields, "category") not in (b"", b"null", b'""'):
        return category.lower() in ADMINISTRATIVE
    event_category = _event_category(rawjson.last_of(fields, "properties"))
    if event_category:
        return event_category.lower() == "administrative"
    return bool(correlation) and (status in _RANKS) and "Type" not in fields


def _event_category(properties: bytes) -> str:
    if not properties.startswith(b"{"):
        return ""
    return rawjson.string_of(rawjson.last_of(rawjson.slices_of(properties), "eventCategory")) or ""
