"""Whole operations that left the kernel together.

Nearly always nothing else is known of any of them, so that their records can leave as they are. Then they are
handled as one, and objects of the single ones are made for those only who ask.
"""

import struct
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import lt
from typing import Final, Self, overload

from shared.capture.condense import Record
from shared.capture.entries import Entry
from shared.capture.whole import ONCE, Whole
from shared.model.ids import SEPARATOR
from shared.model.operations import Known, OperationKey

ROW: Final = struct.Struct("<8I2q2I")
"""An operation: `Row` in `kernel/cut.zig`."""

_SEPARATOR: Final = SEPARATOR.encode()

_WORDS: Final = ROW.size // 4
_LONGS: Final = ROW.size // 8

# Where in a row what stands, counted in words, but for times.
_ONCE: Final = 0
_SIZE: Final = 1
_ARRIVED: Final = 2
_LINE: Final = 4
_CATEGORY: Final = 6
_FIRST: Final = 4
_LAST: Final = 5


@dataclass(frozen=True, slots=True)
class Batch(Sequence[Whole]):
    """Whole operations of one part of a file.

    Attributes:
        rows: a `ROW` for each.
        joined: of each the key, its parts joined as those that are hashed; they are ASCII.
        uids: of their records.
        lines: a text that holds the lines of their records, by time and uid.
        texts: a text that holds their entries.
        once: where, see `Whole`.
    """

    rows: bytes = b""
    joined: Sequence[bytes] = ()
    uids: Sequence[str] = ()
    lines: bytes | memoryview = b""
    texts: bytes | memoryview = b""
    once: bytes = b""

    def __len__(self) -> int:
        return len(self.uids)

    @overload
    def __getitem__(self, place: int) -> Whole: ...

    @overload
    def __getitem__(self, place: slice) -> list[Whole]: ...

    def __getitem__(self, place: int | slice) -> Whole | list[Whole]:
        places = range(len(self))[place]
        return self._at(places) if isinstance(places, int) else [*map(self._at, places)]

    def _at(self, place: int) -> Whole:
        at, size, arrived, _, line, line_size, name, name_size, first, last, succeeded, _ = ROW.unpack_from(
            self.rows, place * ROW.size
        )
        category = str(self.texts[name : name + name_size], "ascii")
        record = Record(self.uids[place], 1, category, first, last, self.lines, line, line + line_size)
        once = self.once[ONCE.size * at : ONCE.size * (at + size)]
        return Whole(self._key(place), record, self.texts, once, arrived, succeeded > 0)

    def keys(self) -> set[OperationKey]:
        """Of all operations."""
        return set(map(self._key, range(len(self))))

    def spread(self, bucket_of: Callable[[str], int]) -> dict[int, Self]:
        """Those of each bucket that a correlation ID may fall into."""
        places: defaultdict[int, list[int]] = defaultdict(list)
        for place, correlation in enumerate(self._correlations()):
            places[bucket_of(correlation)].append(place)
        return {bucket: self._only(found) for bucket, found in places.items()}

    @classmethod
    def together(cls, batches: Iterable[Self]) -> Self:
        """All operations of batches that came from one."""
        found = [batch for batch in batches if batch]
        if len(found) <= 1:
            return found[0] if found else cls()
        return replace(
            found[0],
            rows=b"".join(batch.rows for batch in found),
            joined=[key for batch in found for key in batch.joined],
            uids=[uid for batch in found for uid in batch.uids],
        )

    def apart(self, known: Iterable[OperationKey], tangled: Container[str]) -> tuple[Self, list[Whole]]:
        """Those that are none of these operations, nor of these correlation IDs; and the others."""
        refused = {key.uid for key in known}.intersection(self.uids)
        if not refused and not tangled:
            return self, []
        leave = [place for place, uid in enumerate(self.uids) if uid in refused]
        if tangled:
            correlations = enumerate(self._correlations())
            also = {place for place, correlation in correlations if correlation in tangled}
            leave = sorted(also.union(leave))
        return self._without(leave), [*map(self._at, leave)]

    @property
    def entries(self) -> int:
        """How many entries they have."""
        return sum(self._words(_SIZE))

    @property
    def arrived(self) -> int:
        """How many entries there were with duplicates."""
        return sum(self._words(_ARRIVED))

    @property
    def categories(self) -> Counter[str]:
        """How many there are of each category."""
        found: Counter[str] = Counter()
        places = Counter(zip(self._words(_CATEGORY), self._words(_CATEGORY + 1), strict=True))
        for (at, size), number in places.items():
            found[str(self.texts[at : at + size], "ascii")] += number
        return found

    @property
    def first(self) -> int:
        """Time of the earliest entry, in nanoseconds since 1970; there must be one."""
        return min(self._times(_FIRST))

    @property
    def last(self) -> int:
        """Time of the latest entry; likewise."""
        return max(self._times(_LAST))

    @property
    def spans(self) -> Iterator[tuple[int, int]]:
        """Of each operation, where in `once` its entries begin, and how many bytes they have there."""
        size = ONCE.size
        for at, number in zip(self._words(_ONCE), self._words(_SIZE), strict=True):
            yield at * size, number * size

    def lines_with(self, records: Sequence[Record]) -> Iterator[bytes | memoryview]:
        """Their lines, and between them those of other records, so that all are ordered by `Record.order`.

        Args:
            records: the others, in that order.
        """
        firsts, uids = self._times(_FIRST), self.uids
        lines = [*zip(self._words(_LINE), self._words(_LINE + 1), strict=True)]

        def order(place: int) -> tuple[int, str]:
            return firsts[place], uids[place]

        # Those that come from one part are in order already, but for such as happened at once.
        is_ordered = all(map(lt, firsts, firsts[1:]))
        places: Sequence[int] = range(len(self)) if is_ordered else sorted(range(len(self)), key=order)
        before = (bisect(places, (record.first, record.uid), key=order) for record in records)
        for number, (begin, end) in enumerate(pairwise([0, *before, len(self)])):
            yield from self._stretches([lines[place] for place in places[begin:end]])
            if number < len(records):
                yield records[number].text

    def _stretches(self, lines: Sequence[tuple[int, int]]) -> Iterator[bytes | memoryview]:
        """Lines; those that lie one after the other in one piece."""
        begin = end = lines[0][0] if lines else 0
        for at, size in lines:
            if at != end:
                yield self.lines[begin:end]
                begin = at
            end = at + size
        yield self.lines[begin:end]

    def _without(self, places: Sequence[int]) -> Self:
        """All but these few, which are ordered."""
        size = ROW.size
        between = [(before + 1, place) for before, place in pairwise([-1, *places, len(self)])]
        return replace(
            self,
            rows=b"".join([self.rows[begin * size : end * size] for begin, end in between]),
            joined=[key for begin, end in between for key in self.joined[begin:end]],
            uids=[uid for begin, end in between for uid in self.uids[begin:end]],
        )

    def _only(self, places: Sequence[int]) -> Self:
        size = ROW.size
        return replace(
            self,
            rows=b"".join([self.rows[place * size : (place + 1) * size] for place in places]),
            joined=[self.joined[place] for place in places],
            uids=[self.uids[place] for place in places],
        )

    def _key(self, place: int) -> OperationKey:
        return key_of(self.joined[place])

    def _correlations(self) -> Iterator[str]:
        """The correlation ID of each."""
        return (str(key.partition(_SEPARATOR)[0], "ascii") for key in self.joined)

    def _words(self, place: int) -> list[int]:
        """A number of each row."""
        return memoryview(self.rows).cast("I")[place::_WORDS].tolist()

    def _times(self, place: int) -> list[int]:
        return memoryview(self.rows).cast("q")[place::_LONGS].tolist()


def key_of(joined: bytes) -> OperationKey:
    """A key, of its parts as they are joined here."""
    return OperationKey(*str(joined, "ascii").split(SEPARATOR))


NOTHING: Final = Batch()
"""No operations."""


def take_whole(batch: Batch, others: Iterable[Entry], known: Known) -> tuple[Batch, list[Entry]]:
    """The operations of a batch of which nothing else is known, and the entries of the rest.

    Where a correlation ID has entries that lack their operation's name or resource, everything depends on
    everything, so none of its operations is taken.

    Args:
        batch: all of them.
        others: what arrived beside them.
        known: what is kept.
    """
    tangled = {entry.key.correlation for entry in others if not entry.key.complete}
    alone, entangled = batch.apart(known.operations, tangled | known.rooms.keys())
    return alone, [entry for one in entangled for entry in one.taken_apart()]
