"""What leaves: lines of NDJSON, one compressed file of them, and the message that announces it."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec
from isal import isal_zlib

from shared.capture.batch import NOTHING, Batch
from shared.capture.condense import Record
from shared.capture.entries import Entry
from shared.capture.inflate import GZIP
from shared.capture.times import UNREADABLE, iso

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MESSAGE_VERSION: Final = 1
"""Version of the messages on the queue `condensed-ready`."""

LEVEL: Final = 2
"""Of igzip's levels: files are a quarter smaller than at its fastest, and it takes hardly longer. The next
level takes three times as long, and makes files smaller by a twentieth to a third."""

_ZSTD_LEVEL: Final = 3

_TOGETHER: Final = 1 << 17
"""Bytes that are compressed together. Where they are cut shows in what comes out."""

OTHERS: Final = "(others)"
"""Stands in a message for all further categories, and for those that are no names. A message holds 48 KiB
(learn.microsoft.com/azure/storage/queues/scalability-targets), whatever an entry says that it is."""


_MOST_CATEGORIES: Final = 100
_LONGEST_CATEGORY: Final = 100


class Compression(StrEnum):
    """How condensed files are compressed; zstd halves them, and takes twice as long."""

    GZIP = "gzip"
    ZSTD = "zstd"

    @property
    def ending(self) -> str:
        """Of the files' names."""
        return "gz" if self is Compression.GZIP else "zst"

    @property
    def content_type(self) -> str:
        """Of the files (RFC 6713, RFC 8878)."""
        return "application/gzip" if self is Compression.GZIP else "application/zstd"


class Packer:
    """Compresses lines bit by bit; the same lines give the same bytes, whatever pieces they come in."""

    def __init__(self, compression: Compression = Compression.GZIP) -> None:
        self._held: list[bytes | memoryview] = []
        self._size = 0
        self._stream = (
            isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, GZIP)
            if compression is Compression.GZIP
            else zstd.ZstdCompressor(_ZSTD_LEVEL)
        )

    def add(self, pieces: Iterable[bytes | memoryview]) -> bytes:
        """Take pieces of lines, which nobody needs after that; gives what is ready of the file."""
        packed: list[bytes] = []
        for piece in pieces:
            rest = memoryview(piece)
            while len(rest) >= (room := _TOGETHER - self._size):
                packed.append(self._stream.compress(self._with(rest[:room])))
                rest = rest[room:]
            self._held.append(rest)
            self._size += len(rest)
        self._held = [b"".join(self._held)]
        return b"".join(packed)

    def end(self) -> bytes:
        """The rest of the file."""
        return self._stream.compress(self._with(memoryview(b""))) + self._stream.flush()

    def _with(self, last: memoryview) -> bytes | memoryview:
        """What is held, and a last piece."""
        together = b"".join([*self._held, last]) if self._size else last
        self._held, self._size = [], 0
        return together


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands in a condensed file.

    Attributes:
        records: condensed records.
        passed: entries handed on as they came.
        categories: lines by category as spelled; entries without one under the empty name, and some under
            `OTHERS`.
        first: time of the earliest entry (ISO 8601), if any could be read.
        last: time of the latest entry.
    """

    records: int
    passed: int
    categories: dict[str, int]
    first: str | None
    last: str | None


def lines_of(
    passed: Iterable[Entry], records: Sequence[Record], batch: Batch = NOTHING
) -> list[bytes | memoryview]:
    """The lines in pieces, each line with its break: what passes through, then the condensed records.

    Args:
        passed: entries that pass through.
        records: by time.
        batch: whose records belong between them.
    """
    pieces: list[bytes | memoryview] = [piece for entry in passed for piece in (entry.raw, b"\n")]
    pieces += batch.lines_with(records)
    return pieces


class Tally:
    """Counts what leaves."""

    def __init__(self) -> None:
        self._records = self._passed = 0
        self._categories: Counter[str] = Counter()
        self._first = UNREADABLE
        self._last: int | None = None

    def add(self, passed: Sequence[Entry], records: Sequence[Record], batch: Batch = NOTHING) -> None:
        """Count more of it."""
        self._passed += len(passed)
        self._records += len(records) + len(batch)
        self._count(Counter([entry.category for entry in passed]))
        self._count(Counter([record.category for record in records]))
        self._count(batch.categories)
        firsts = [*(entry.time for entry in passed), *(record.first for record in records)]
        lasts = [*(entry.time for entry in passed), *(record.last for record in records)]
        if batch:
            firsts.append(batch.first)
            lasts.append(batch.last)
        self._first = min([self._first, *firsts])
        known = [time for time in lasts if time < UNREADABLE]
        self._last = max(known if self._last is None else [self._last, *known], default=None)

    def _count(self, found: Mapping[str, int]) -> None:
        known = self._categories
        for category, number in found.items():
            is_name = len(category) <= _LONGEST_CATEGORY and category.isprintable()
            is_counted = category in known or (is_name and len(known) < _MOST_CATEGORIES)
            known[category if is_counted else OTHERS] += number

    @property
    def contents(self) -> Contents:
        """What was counted."""
        return Contents(
            records=self._records,
            passed=self._passed,
            categories=dict(sorted(self._categories.items())),
            first=iso(self._first),
            last=None if self._last is None else iso(self._last),
        )


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
