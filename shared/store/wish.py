"""Which of the operations in a bucket a run has to know."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.model.operations import Known, Operation, OperationKey, WaitingRoom
from shared.store import parked
from shared.store.parked import Archive, Bucket, Kept

LIMIT: Final = 1_000
"""Operations of a bucket that a run takes along because they waited long enough; the next takes the rest."""


@dataclass(frozen=True, slots=True)
class View:
    """Who looks into buckets, and when.

    Attributes:
        run: ID of the capture file or flush; what left in it is always found.
        now: the present (UTC); what has waited long enough is always found.
        again: whether the run was begun before, so that what left in it may have gone to an archive.
    """

    run: str
    now: datetime
    again: bool = False


class Wish:
    """What is to be known of a bucket.

    For a correlation ID with an incomplete key or something in its waiting room it is everything.

    Args:
        bucket: as it was read.
        keys: of the operations that are asked for.
        view: of the run that asks.
    """

    def __init__(self, bucket: Bucket, keys: Collection[OperationKey], view: View) -> None:
        now, run = parked.microseconds(view.now), parked.mark_of(view.run)
        self._bucket = bucket
        self._again = view.again or run in bucket.writers
        self._run = run
        self._single = {parked.id_of(key): parked.mark_of(key.correlation) for key in keys if key.complete}
        self._whole = {parked.mark_of(key.correlation) for key in keys if not key.complete}
        due = sorted((one for one in bucket.kept.values() if 0 < one.due <= now), key=lambda one: one.due)
        left = (one for one in bucket.kept.values() if run in one.runs)
        self._single |= {one.id: one.correlation for one in [*due[:LIMIT], *left]}
        marks = set(self._single.values())
        rooms = (one for one in bucket.kept.values() if one.is_room and one.waiting)
        self._whole |= {one.correlation for one in rooms if one.correlation in marks}

    def needs(self, archive: Archive) -> bool:
        """Whether something of it may be in an archive."""
        if self._again:
            return True
        marks = {mark for name, mark in self._single.items() if name not in self._bucket.kept}
        return not archive.holds().isdisjoint(marks | self._whole)

    def known(self, older: Iterable[bytes]) -> Known:
        """The facts, given the archives that are needed, the oldest first."""
        found: dict[bytes, Kept] = {}
        for data in older:
            found |= {name: one for name, one in parked.unpacked(data).kept.items() if self._wants(one)}
        found |= {name: one for name, one in self._bucket.kept.items() if self._wants(one) or name in found}
        operations: dict[OperationKey, Operation] = {}
        rooms: dict[str, WaitingRoom] = {}
        for one in map(parked.unpack, found.values()):
            if isinstance(one, Operation):
                operations[one.key] = one
            else:
                rooms[one.correlation] = one
        return Known(operations, rooms)

    def _wants(self, one: Kept) -> bool:
        return one.id in self._single or one.correlation in self._whole or self._run in one.runs
