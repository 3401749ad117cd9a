"""Operations that begin and end within a part of a file and of which nothing was known before: most of them.

They need not be weighed against what is kept, so their records are made where they are read.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator
from itertools import chain, repeat

import msgspec

from shared.capture.condense import Record
from shared.capture.entries import Entry, entry_of
from shared.model.operations import Known, OperationKey


class Whole(msgspec.Struct, frozen=True, gc=False):
    """An operation that is whole by itself, with its record if nothing else is known of it.

    Attributes:
        key: what its entries have in common; all of it is there.
        record: its condensed record, the first.
        texts: a text that holds its entries in the order in which they happened, each once, a line each.
        begin: where in it they begin.
        end: where they end, with a break.
        numbers: the numbers of these entries, of four bytes each, the lowest first.
        arrived: how many there were with duplicates.
        succeeded: whether one of them is a Success.
    """

    key: OperationKey
    record: Record
    texts: bytes | memoryview
    begin: int
    end: int
    numbers: bytes
    arrived: int
    succeeded: bool

    @property
    def number(self) -> int:
        """How many entries it has."""
        return len(self.numbers) // _NUMBER

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Its entries, number and text."""
        numbers = array("I", self.numbers)
        if sys.byteorder == "big":
            numbers.byteswap()
        return zip(numbers, bytes(self.texts[self.begin : self.end]).splitlines(), strict=True)

    def taken_apart(self) -> Iterator[Entry]:
        """Its entries, duplicates included, as if it had not been seen that they are all."""
        entries = [entry_of(number, raw) for number, raw in self.entries()]
        return chain(entries, repeat(entries[-1], self.arrived - self.number))


_NUMBER = 4


def take_whole(
    whole: Iterable[Whole], others: Iterable[Entry], known: Known
) -> tuple[list[Whole], list[Entry]]:
    """Those of which nothing else is known, and the entries of the rest.

    Where a correlation ID has entries that lack their operation's name or resource, everything depends on
    everything, so none of its operations is taken.

    Args:
        whole: all of them.
        others: what arrived beside them.
        known: what is kept.
    """
    tangled = {entry.key.correlation for entry in others if not entry.key.complete}
    tangled |= known.rooms.keys()
    alone: list[Whole] = []
    entries: list[Entry] = []
    for one in whole:
        if one.key in known.operations or one.key.correlation in tangled:
            entries += one.taken_apart()
        else:
            alone.append(one)
    return alone, entries
