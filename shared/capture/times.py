"""Times as Azure's logs spell them, to the last digit."""

import re
from datetime import UTC, date, datetime, timedelta

UNREADABLE = 1 << 63
"""Sorts after every time that can be read."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_EPOCH_DAY = _EPOCH.toordinal()
_FIRST = _DAY * (date.min.toordinal() - _EPOCH_DAY)

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
        date_text, hour_text, minute, second, fraction, zone = match.groups()
        hour = int(hour_text)
    elif match := _AMERICAN.fullmatch(text):
        month, day, year, hour_text, minute, second, fraction, half, zone = match.groups()
        date_text = f"{year}-{int(month):02}-{int(day):02}"
        hour = _hour(int(hour_text), half)
    else:
        return UNREADABLE
    try:
        days = date.fromisoformat(date_text).toordinal() - _EPOCH_DAY
    except ValueError:
        return UNREADABLE
    clock = 3_600 * hour + 60 * int(minute) + int(second or 0)
    seconds = _DAY * days + clock - _offset(zone)
    if clock > _DAY or seconds < _FIRST:
        return UNREADABLE
    return seconds * 1_000_000_000 + int((fraction or "").ljust(9, "0"))


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    return hour % 12 + (12 if half in "Pp" else 0)


def _offset(zone: str | None) -> int:
    """Seconds ahead of UTC."""
    if zone is None or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "")
    offset = 3_600 * int(digits[:2]) + 60 * int(digits[2:])
    return -offset if zone[0] == "-" else offset


def iso(moment: int) -> str | None:
    """The time in ISO 8601 with the 100 ns digits that Azure gives; None if it is not known."""
    if moment >= UNREADABLE:
        return None
    seconds, rest = divmod(moment, 1_000_000_000)
    there = _EPOCH + timedelta(seconds=seconds)
    # `%Y` writes years before 1000 with fewer than four digits.
    return f"{there.year:04}-{there:%m-%dT%H:%M:%S}.{rest // 100:07}Z"
