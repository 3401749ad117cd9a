"""Which of the operations in a bucket a run has to know."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.model.operations import Known, Operation, OperationKey, WaitingRoom
from shared.store.archives import Archive, found_in, mark_in, mark_in_whole
from shared.store.kept import id_of, mark_of, microseconds, unpack
from shared.store.parked import Bucket

LIMIT: Final = 1_000
"""Operations of a bucket that a run takes along because they waited long enough; the next takes the rest."""


@dataclass(frozen=True, slots=True)
class View:
    """Who looks into buckets, and when.

    Attributes:
        run: ID of the capture file or flush; what came or left in it is always found.
        now: the present (UTC); what has waited long enough is always found.
        since: if the run was begun before, a moment (UTC) before which nothing came or left in it; what did
            may be in archives.
    """

    run: str
    now: datetime
    since: datetime | None = None


class Wish:
    """What is to be known of a bucket.

    For a correlation ID with an incomplete key or something in its waiting room it is everything.

    Args:
        bucket: as it was read.
        keys: of the operations that are asked for.
        view: of the run that asks.

    Attributes:
        bucket: the same.
    """

    def __init__(self, bucket: Bucket, keys: Collection[OperationKey], view: View) -> None:
        self.bucket = bucket
        self._now, self._run = microseconds(view.now), mark_of(view.run)
        self._since = microseconds(min(view.now, view.since or view.now))
        self._again = view.since is not None or self._run in bucket.writers
        self._before: dict[bytes, Operation | WaitingRoom] = {}
        self._single = {id_of(key): mark_of(key.correlation) for key in keys if key.complete}
        self._whole = {mark_of(key.correlation) for key in keys if not key.complete}
        kept = bucket.kept.values()
        due = sorted((one for one in kept if 0 < one.due <= self._now), key=lambda one: one.due)
        left = (one for one in kept if self._run in one.runs)
        self._single |= {one.id: one.correlation for one in [*due[:LIMIT], *left]}
        marks = set(self._single.values())
        rooms = (one for one in kept if one.is_room and one.waiting)
        self._whole |= {one.correlation for one in rooms if one.correlation in marks}

    @property
    def archives(self) -> list[Archive]:
        """Those that may hold something of it, the oldest first, but for those without marks."""
        kept = self.bucket.kept
        single = {mark_in(name, mark) for name, mark in self._single.items() if name not in kept}
        whole = set(map(mark_in_whole, self._whole))
        alive = [one for one in self.bucket.archives if one.marks and one.expires >= self._now]
        return [one for one in alive if self._again or one.may_hold(single, whole)]

    @property
    def unmarked(self) -> list[Archive]:
        """The others that may hold something that came or left in the run, the oldest first."""
        if not self._again:
            return []
        archives = self.bucket.archives
        unmarked = [one for one in archives if not one.marks or one.expires < self._now]
        return [one for one in unmarked if one.waited >= self._since]

    def look_back(self, unmarked: Iterable[bytes]) -> None:
        """Take in what these archives without marks hold; the oldest first."""

        def wants(_: bytes, __: bytes, runs: Iterable[bytes]) -> bool:
            return self._run in runs

        for packed in unmarked:
            self._before.update(found_in(packed, wants, 0))

    def known(self, older: Iterable[bytes]) -> Known:
        """The facts, given what these archives hold, and those that were looked back into."""
        found = dict(self._before)

        def add(name: bytes, one: Operation | WaitingRoom) -> None:
            found[name] = _continued(found[name], one) if self._again and name in found else one

        def wants(name: bytes, correlation: bytes, runs: Iterable[bytes]) -> bool:
            # What is known already may have changed since, so that nothing in it would be wanted for itself.
            return name in self._single or correlation in self._whole or self._run in runs or name in found

        for packed in older:
            for name, one in found_in(packed, wants, self._now):
                add(name, one)
        for name, kept in self.bucket.kept.items():
            if wants(name, kept.correlation, kept.runs):
                add(name, unpack(kept))
        operations = {one.key: one for one in found.values() if isinstance(one, Operation)}
        rooms = {one.correlation: one for one in found.values() if isinstance(one, WaitingRoom)}
        return Known(operations, rooms)


def _continued(before: Operation | WaitingRoom, after: Operation | WaitingRoom) -> Operation | WaitingRoom:
    """What is known of an operation that left, given what was kept of it later.

    If that began anew, since late entries found nothing of it, its revisions come after those before.
    """
    if not before.members or before.members[0] in after.members:
        return after
    last = max(member.revision for member in before.members)
    later = (
        member._replace(revision=member.revision + last) if member.revision else member
        for member in after.members
    )
    return replace(after, members=(*before.members, *later))
