"""Operations that begin and end within one run and of which nothing was known before: most of them.

They need not be weighed against what is kept, so their records are made straight from the entries.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

import msgspec

from shared.capture.condense import Record, condensed, in_order
from shared.capture.entries import START, TERMINAL, Entry
from shared.model.operations import Known, OperationKey

_RAW = attrgetter("raw")


class Whole(msgspec.Struct, frozen=True, gc=False):
    """A whole operation.

    Attributes:
        key: what its entries have in common.
        uid: names its condensed record.
        entries: in the order in which they happened, each once.
        arrived: how many there were with duplicates.
    """

    key: OperationKey
    uid: str
    entries: list[Entry]
    arrived: int

    @property
    def record(self) -> Record:
        """Its condensed record, the first."""
        return condensed(self.uid, 1, self.entries)


def take_whole(arrived: Iterable[Entry], known: Known) -> tuple[list[Whole], list[Entry]]:
    """Whole operations, and the entries of all others.

    Where a correlation ID has entries that lack their operation's name or resource, everything depends on
    everything, so none of its operations is taken.
    """
    groups: dict[OperationKey, list[Entry]] = {}
    tangled = set(known.rooms)
    for entry in arrived:
        key = entry.key
        group = groups.get(key)
        if group is not None:
            group.append(entry)
        else:
            groups[key] = [entry]
            if not key.complete:
                tangled.add(key.correlation)
    operations = known.operations
    whole: list[Whole] = []
    others: list[Entry] = []
    for key, group in groups.items():
        if key in operations or key.correlation in tangled or not is_complete(group):
            others += group
        else:
            whole.append(Whole(key, key.uid, _distinct(group), len(group)))
    return whole, others


def is_complete(entries: Iterable[Entry]) -> bool:
    """Whether there are a Start and an end."""
    statuses = {entry.status for entry in entries}
    return START in statuses and not TERMINAL.isdisjoint(statuses)


def _distinct(entries: list[Entry]) -> list[Entry]:
    """The entries in order, each once."""
    ordered = in_order(entries)
    if len({entry.moment for entry in ordered}) == len(ordered):
        return ordered
    return [next(same) for _, same in groupby(ordered, _RAW)]
