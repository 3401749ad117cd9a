"""What leaves: lines of NDJSON, one compressed file of them, and the message that announces it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from isal import igzip

from shared.capture.condense import Record
from shared.capture.entries import Entry
from shared.capture.times import UNREADABLE, iso

MESSAGE_VERSION: Final = 1
"""Version of the messages on the queue `condensed-ready`."""

_LEVEL: Final = 2
"""igzip's best effort at speed: half the size of its fastest level."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands in a condensed file.

    Attributes:
        records: condensed records.
        passed: entries handed on as they came.
        categories: lines by category as spelled; entries without one under the empty name.
        first: time of the earliest entry (ISO 8601), if any could be read.
        last: time of the latest entry.
    """

    records: int
    passed: int
    categories: dict[str, int]
    first: str | None
    last: str | None


def lines_of(passed: Iterable[Entry], records: Iterable[Record]) -> Iterator[bytes]:
    """The lines, without their breaks: what passes through, then the condensed records."""
    for entry in passed:
        yield entry.raw
    for record in records:
        yield record.line


def contents_of(passed: Sequence[Entry], records: Sequence[Record]) -> Contents:
    """Count what leaves."""
    categories = Counter(entry.category for entry in passed)
    categories.update(record.category for record in records)
    times = [entry.time for entry in passed if entry.time < UNREADABLE]
    times += [time for record in records for time in record.times if time < UNREADABLE]
    return Contents(
        records=len(records),
        passed=len(passed),
        categories=dict(sorted(categories.items())),
        first=iso(min(times)) if times else None,
        last=iso(max(times)) if times else None,
    )


def compressed(lines: Iterable[bytes]) -> bytes:
    """The lines as NDJSON in gzip; the same lines give the same bytes."""
    return igzip.compress(b"".join(line + b"\n" for line in lines), _LEVEL)


def folder_of(customer: str, moment: datetime) -> str:
    """Where files of that hour stand in the container `condensed`."""
    return f"{customer}/{moment:%Y/%m/%d/%H}"


def message(*, integration: str, customer: str, blob: str, source: str, contents: Contents) -> str:
    """The message that announces a condensed file."""
    body = {
        "version": MESSAGE_VERSION,
        "integration": integration,
        "customer": customer,
        "blob": blob,
        "source": source,
        "counts": {"condensed": contents.records, "passedThrough": contents.passed},
        "categories": contents.categories,
        "first": contents.first,
        "last": contents.last,
    }
    return msgspec.json.encode(body).decode()
