"""What is to be written when something is new in buckets: their rows, and what goes to a blob before them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import msgspec

from shared.model.operations import Operation, WaitingRoom, bounded
from shared.store import parked
from shared.store.archives import MAX_REMEMBERED, Archive, Finished, archive_of, moved, oldest, remembered
from shared.store.kept import Kept, microseconds, pack
from shared.store.parked import Bucket
from shared.store.wish import View

ROOMY: Final = 640 * 1024
"""Packed bytes of buckets that are written together, beyond which their oldest archives go to a blob. More
would cost fewer requests, and more time, since rows travel as a whole whenever they change; and all buckets
have to go into one transaction."""

LARGE: Final = 1 << 20
"""Bytes of entries from which on finished operations go to a blob at once, and not by way of rows. Less costs
more requests; more costs time."""

type Novelty = Operation | WaitingRoom | Finished
"""What may be new in a bucket."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long what is kept, and where.

    Attributes:
        wait: how long an entry waits for the rest of its operation.
        retention: how long an operation is kept after its last change.
        roomy: packed bytes that buckets may have in their rows if they are written together.
        large: bytes of entries of finished operations that go to a blob at once.
        remembered: bytes that a bucket may spend on the marks of its archives.
    """

    wait: timedelta
    retention: timedelta
    roomy: int = ROOMY
    large: int = LARGE
    remembered: int = MAX_REMEMBERED


@dataclass(frozen=True, slots=True)
class Drafts:
    """Buckets that are to be written together.

    Attributes:
        buckets: as they are to be, by number.
        rows: what stands in their rows.
        blob: name of the blob that is to be written before them; empty if there is none.
        contents: what it is to hold: archives, by number of the bucket.
    """

    buckets: Mapping[int, Bucket]
    rows: Mapping[int, bytes]
    blob: str = ""
    contents: Mapping[int, Sequence[bytes]] = field(default_factory=dict)


def drafted(
    buckets: Mapping[int, Bucket],
    news: Mapping[int, Sequence[Novelty]],
    view: View,
    limits: Limits,
    blob_at: Callable[[int], str],
) -> Drafts:
    """What is to be written.

    Args:
        buckets: as they were read.
        news: what is new in them.
        view: of the run that writes.
        limits: see there.
        blob_at: gives the name of a blob that lies with a bucket.
    """
    now = microseconds(view.now)
    finished = {number: _finished(new, view, limits) for number, new in news.items()}
    is_large = sum(len(one.texts) for some in finished.values() for one in some) >= limits.large
    fresh: dict[int, Bucket] = {}
    for number, new in news.items():
        kept = _kept(new, view, limits)
        some = () if is_large else finished[number]
        fresh[number] = parked.changed(buckets[number], kept, some, now, view.run)
    packed = {number: parked.packed(bucket) for number, bucket in fresh.items()}
    leaving = _oldest(fresh, packed, limits.roomy)
    if is_large:
        for number, some in finished.items():
            if some:
                archives = (*fresh[number].archives, archive_of((), some, now))
                fresh[number] = replace(fresh[number], archives=archives)
                leaving[number] = [*leaving.get(number, ()), len(archives) - 1]
    # The blob lies with the first of them, which is to delete it in the end.
    name = next((blob_at(number) for number in fresh if number in leaving), "")
    contents = {n: [fresh[n].archives[place].packed for place in places] for n, places in leaving.items()}
    # It is deleted when the bucket that it lies with needs it no more, so that all need it for as long.
    moving = [fresh[number].archives[place] for number, places in leaving.items() for place in places]
    expires = max((archive.expires for archive in moving), default=0)
    blob = Archive(expires, b"", name, waited=max((archive.waited for archive in moving), default=0))
    for number, places in leaving.items():
        lying = moved(fresh[number].archives, places, blob)
        fresh[number] = replace(fresh[number], archives=remembered(lying, limits.remembered))
    rows = {number: parked.whole(packed[number], bucket) for number, bucket in fresh.items()}
    return Drafts(fresh, rows, name, contents)


def _finished(news: Iterable[Novelty], view: View, limits: Limits) -> list[Finished]:
    expires = microseconds(view.now + limits.retention)
    return [
        msgspec.structs.replace(one, expires=expires) for one in news if isinstance(one, Finished) and one.ids
    ]


def _kept(news: Iterable[Novelty], view: View, limits: Limits) -> list[Kept]:
    expires = view.now + limits.retention
    # What came before had left that long ago, so that no run is handled again that took it along.
    before = view.now - limits.retention - limits.wait
    return [
        pack(replace(one, members=bounded(one.members, view.run, before)), limits.wait, expires)
        for one in news
        if not isinstance(one, Finished)
    ]


def _oldest(buckets: Mapping[int, Bucket], packed: Mapping[int, bytes], roomy: int) -> dict[int, list[int]]:
    """Places of the archives that have to leave rows, since there is too much in them."""
    here = {number: bucket.size for number, bucket in buckets.items()}
    total = sum(here.values())
    if total + sum(map(len, packed.values())) <= roomy or total < roomy // 2:
        # There is room, or too little would leave to make any.
        return {}
    share = roomy // 2 // len(buckets)
    places = {
        number: oldest(bucket.archives, here[number] + len(packed[number]) - share)
        for number, bucket in buckets.items()
    }
    return {number: some for number, some in places.items() if some}
