"""Operations that begin and end within a part of a file: most of them."""

from collections.abc import Iterator
from itertools import chain, repeat
from struct import Struct
from typing import Final, NamedTuple

import msgspec

from shared.capture.condense import Record
from shared.capture.entries import Entry, entry_of
from shared.model.operations import OperationKey

ONCE: Final = Struct("<4IQ")
"""An entry of a whole operation: `Once` in `kernel/cut.zig`."""


class Spot(NamedTuple):
    """Where a whole operation's entry stands; with the file at hand, nothing else of it need be kept.

    Attributes:
        at: where it begins in the text that holds it.
        size: how many bytes it has.
        number: its place among the file's entries.
        place: where it begins in what a compressed block holds.
        offset: where it begins in the file; if its block is compressed, where that begins.
    """

    at: int
    size: int
    number: int
    place: int
    offset: int


def spots_in(once: bytes) -> Iterator[Spot]:
    """Where entries stand, a `ONCE` for each."""
    return map(Spot._make, ONCE.iter_unpack(once))


class Whole(msgspec.Struct, frozen=True, gc=False):
    """An operation that is whole by itself, with its record if nothing else is known of it.

    Attributes:
        key: what its entries have in common; all of it is there.
        record: its condensed record, the first.
        texts: a text that holds its entries.
        once: where, a `ONCE` for each in the order in which they happened.
        arrived: how many there were with duplicates.
        succeeded: whether one of them is a Success.
    """

    key: OperationKey
    record: Record
    texts: bytes | memoryview
    once: bytes
    arrived: int
    succeeded: bool

    @property
    def number(self) -> int:
        """How many entries it has."""
        return len(self.once) // ONCE.size

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Its entries in that order, number and text."""
        for spot in spots_in(self.once):
            yield spot.number, bytes(self.texts[spot.at : spot.at + spot.size])

    def taken_apart(self) -> Iterator[Entry]:
        """Its entries, duplicates included, as if it had not been seen that they are all."""
        entries = [entry_of(number, raw) for number, raw in self.entries()]
        return chain(entries, repeat(entries[-1], self.arrived - self.number))
