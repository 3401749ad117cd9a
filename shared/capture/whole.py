"""Operations that begin and end within a part of a file: most of them."""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Final

import msgspec

from shared.capture.condense import Record
from shared.capture.entries import Entry, entry_of
from shared.model.operations import OperationKey

NUMBER: Final = 4
"""Bytes of an entry's number."""


class Whole(msgspec.Struct, frozen=True, gc=False):
    """An operation that is whole by itself, with its record if nothing else is known of it.

    Attributes:
        key: what its entries have in common; all of it is there.
        record: its condensed record, the first.
        texts: a text that holds its entries in the order in which they happened, each once, a line each.
        begin: where in it they begin.
        end: where they end, with a break.
        numbers: the numbers of these entries, of `NUMBER` bytes each.
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
        return len(self.numbers) // NUMBER

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Its entries, number and text."""
        numbers = memoryview(self.numbers).cast("I")
        return zip(numbers, bytes(self.texts[self.begin : self.end]).splitlines(), strict=True)

    def taken_apart(self) -> Iterator[Entry]:
        """Its entries, duplicates included, as if it had not been seen that they are all."""
        entries = [entry_of(number, raw) for number, raw in self.entries()]
        return chain(entries, repeat(entries[-1], self.arrived - self.number))
