"""Sorting what came out of a file: to be combined, to be handed on, repeated, or unreadable; part by part.

A file falls into parts, so that memory does not grow with it. A part holds what is ready: entries that pass
through, what is set aside, and operations that are complete. Those that had their last entry long ago go
first, since more may come of the others. What is open stays in memory for the next part, unless there is too
much of it: then the oldest goes too, to be parked.

Where the cuts are depends on the file alone, so that a file which is handled again falls into the same parts.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from shared.capture.aside import Aside
from shared.capture.entries import Entry
from shared.capture.whole import is_complete
from shared.model.captures import Counts
from shared.model.operations import OperationKey

PART: Final = 4 << 20
"""Bytes of entries that are held at most, but for the last event's; a part has about half of it. More costs
memory, about half as much again as this; less costs storage round trips, for each part some."""

ITEM: Final = 256
"""Bytes that each entry counts beside its text, so that very many small ones fill a part, too."""

WINDOW: Final = 32_768
"""Entries that pass through, and are remembered at least, by 16 bytes of digest each."""

_DIGEST_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class Sifted:
    """What came out of a part of a file.

    Attributes:
        administrative: entries to be combined with others.
        passed: entries to be handed on as they came.
        asides: what could not be read.
        counts: of all but the administrative ones.
    """

    administrative: tuple[Entry, ...]
    passed: tuple[Entry, ...]
    asides: tuple[Aside, ...]
    counts: Counts


def sift(found: Iterable[Entry | Aside]) -> Sifted:
    """Sort all at once; of those handed on, what is equal byte for byte stays once.

    Of the others duplicates are found when they are combined, since they have the same key.
    """
    parts = Parts(most=sys.maxsize, window=sys.maxsize)
    parts.add(found)
    return parts.rest()


class Parts:
    """The entries of one file, until they leave in a part.

    Args:
        most: bytes of entries that are held.
        window: how many entries that pass through are remembered at least, so that repeated ones are found.
    """

    def __init__(self, most: int = PART, window: int = WINDOW) -> None:
        self._most = most
        self._window = window
        self._groups: dict[OperationKey, list[Entry]] = {}
        self._size = 0
        self._passed: list[Entry] = []
        self._asides: list[Aside] = []
        self._beside = 0
        self._duplicates = self._unmatched = 0
        self._seen: set[bytes] = set()
        self._seen_before: set[bytes] = set()

    def cut(self, events: Iterable[Iterable[Entry | Aside]]) -> list[Sifted]:
        """Take in what was found in events; gives the parts that are full."""
        full: list[Sifted] = []
        for found in events:
            self.add(found)
            if self._size + self._beside >= self._most:
                full.append(self._next())
        return full

    def add(self, found: Iterable[Entry | Aside]) -> None:
        """Take in what was found in an event."""
        groups = self._groups
        size = 0
        for item in found:
            if isinstance(item, Aside):
                self._asides.append(item)
                self._beside += len(item.raw) + ITEM
            elif item.administrative and item.key.correlation:
                key = item.key
                group = groups.pop(key, None)
                if group is None:
                    group = []
                group.append(item)
                groups[key] = group  # The last one now.
                size += len(item.raw) + ITEM
            else:
                self._pass(item)
        self._size += size

    def _next(self) -> Sifted:
        taken = self._take([key for key, group in self._groups.items() if is_complete(group)])
        taken += self._take([*self._groups])
        return self._sifted(taken)

    def rest(self) -> Sifted:
        """The last part: everything that is left."""
        taken = [entry for group in self._groups.values() for entry in group]
        self._groups.clear()
        self._size = 0
        return self._sifted(taken)

    def _take(self, keys: Iterable[OperationKey]) -> list[Entry]:
        """Entries of these operations, until no more than half is held."""
        taken: list[Entry] = []
        for key in keys:
            if self._size <= self._most // 2:
                break
            group = self._groups.pop(key)
            self._size -= sum(len(entry.raw) + ITEM for entry in group)
            taken += group
        return taken

    def _sifted(self, administrative: list[Entry]) -> Sifted:
        passed, asides = self._passed, self._asides
        counts = Counts(
            entries=len(passed) + self._duplicates + len(asides),
            passed_through=len(passed),
            duplicates=self._duplicates,
            set_aside=len(asides),
            unmatched=self._unmatched,
        )
        self._passed, self._asides = [], []
        self._beside = self._duplicates = self._unmatched = 0
        return Sifted(tuple(administrative), tuple(passed), tuple(asides), counts)

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
        self._beside += len(entry.raw) + ITEM
