"""Sorting what came out of a file: to be combined, to be handed on, repeated, or unreadable."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from shared.capture.aside import Aside
from shared.capture.batch import NOTHING, Batch
from shared.capture.entries import Entry
from shared.model.captures import Counts

ITEM: Final = 256
"""Bytes that each entry counts beside its text, so that very many small ones fill a part, too."""

WINDOW: Final = 32_768
"""Entries that pass through, and are remembered at least, by 16 bytes of digest each."""

_DIGEST_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class Sifted:
    """What came out of a part of a file.

    Attributes:
        whole: operations that are whole by themselves.
        administrative: entries to be combined with others.
        passed: entries to be handed on as they came.
        asides: what could not be read.
        counts: of all but the administrative ones.
    """

    whole: Batch
    administrative: tuple[Entry, ...]
    passed: tuple[Entry, ...]
    asides: tuple[Aside, ...]
    counts: Counts


def sift(found: Iterable[Entry | Aside]) -> Sifted:
    """Sort all at once; of those handed on, what is equal byte for byte stays once.

    Of the others duplicates are found when they are combined, since they have the same key.
    """
    administrative: list[Entry] = []
    beside = Beside(sys.maxsize)
    for item in found:
        if isinstance(item, Entry) and item.administrative and item.key.correlation:
            administrative.append(item)
        else:
            beside.add(item)
    return beside.taken(NOTHING, administrative)


class Beside:
    """What is not to be combined, until it leaves in a part.

    Args:
        window: how many entries that pass through are remembered at least, so that repeated ones are found.

    Attributes:
        size: bytes that it holds.
    """

    def __init__(self, window: int) -> None:
        self.size = 0
        self._window = window
        self._passed: list[Entry] = []
        self._asides: list[Aside] = []
        self._duplicates = self._unmatched = 0
        self._seen: set[bytes] = set()
        self._seen_before: set[bytes] = set()

    def add(self, item: Entry | Aside) -> None:
        """Take in what passes through or is set aside."""
        if isinstance(item, Aside):
            self._asides.append(item)
            self.size += len(item.raw) + ITEM
        else:
            self._pass(item)

    def taken(self, whole: Batch, administrative: Iterable[Entry]) -> Sifted:
        """A part of these and of all that is held."""
        passed, asides = self._passed, self._asides
        counts = Counts(
            entries=len(passed) + self._duplicates + len(asides),
            passed_through=len(passed),
            duplicates=self._duplicates,
            set_aside=len(asides),
            unmatched=self._unmatched,
        )
        self._passed, self._asides = [], []
        self.size = self._duplicates = self._unmatched = 0
        return Sifted(whole, tuple(administrative), tuple(passed), tuple(asides), counts)

    def _pass(self, entry: Entry) -> None:
        """Hand an entry on, unless it repeats one that is remembered."""
        digest = sha256(entry.raw).digest()[:_DIGEST_SIZE]
        if digest in self._seen or digest in self._seen_before:
            self._duplicates += 1
            return
        self._seen.add(digest)
        if len(self._seen) >= self._window:
            self._seen, self._seen_before = set(), self._seen
        self._unmatched += entry.administrative
        self._passed.append(entry)
        self.size += len(entry.raw) + ITEM
