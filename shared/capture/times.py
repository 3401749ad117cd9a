"""Times as Azure's logs spell them, to the last digit."""

import re
from datetime import UTC, datetime, timedelta

UNREADABLE = 1 << 63
"""Sorts after every time that can be read."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC) - _EPOCH

_CLOCK = r"(?P<hour>\d\d?): ?(?P<minute>\d\d)(?:: ?(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9})\d*)?)?"
_ZONE = r"(?: ?(?P<zone>[Zz]|[+-]\d\d:?\d\d))?"
_ISO = re.compile(r"(?P<date>\d{4}-\d\d-\d\d)[Tt ]" + _CLOCK + _ZONE, re.ASCII)
_AMERICAN = re.compile(
    r"(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<year>\d{4}),? " + _CLOCK + r"(?: ?(?P<half>[AaPp])[Mm])?" + _ZONE,
    re.ASCII,
)


def nanoseconds(text: str) -> int:
    """Nanoseconds since 1970 (UTC), or `UNREADABLE`.

    Azure writes `2019-10-24T00:13:46.3554259Z`, with one to nine digits, with an offset or without a zone
    (then UTC is meant), with a space for the T, with spaces after the colons, and in American notation
    with or without AM and PM.
    """
    text = text.strip()
    if match := _ISO.fullmatch(text):
        date, hour = match["date"], int(match["hour"])
    elif match := _AMERICAN.fullmatch(text):
        date = f"{match['year']}-{int(match['month']):02}-{int(match['day']):02}"
        hour = _hour(int(match["hour"]), match["half"])
    else:
        return UNREADABLE
    clock = timedelta(hours=hour, minutes=int(match["minute"]), seconds=int(match["second"] or 0))
    try:
        moment = datetime.fromisoformat(date).replace(tzinfo=UTC) - _EPOCH + clock - _offset(match["zone"])
    except ValueError:
        return UNREADABLE
    if clock > timedelta(days=1) or moment < _FIRST:
        return UNREADABLE
    seconds = moment.days * 86_400 + moment.seconds
    return seconds * 1_000_000_000 + int((match["fraction"] or "").ljust(9, "0"))


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    return hour % 12 + (12 if half in "Pp" else 0)


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta()
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset


def iso(moment: int) -> str | None:
    """The time in ISO 8601 with the 100 ns digits that Azure gives; None if it is not known."""
    if moment >= UNREADABLE:
        return None
    seconds, rest = divmod(moment, 1_000_000_000)
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest // 100:07}Z"
