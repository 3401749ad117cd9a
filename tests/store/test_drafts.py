"""Whatever is written in whatever order, what is kept of an operation is its last state."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from shared.model.ids import SEPARATOR
from shared.model.operations import Known, Member, Operation, OperationKey
from shared.store.archives import Finished
from shared.store.drafts import Drafts, Limits, Novelty, drafted
from shared.store.kept import id_of
from shared.store.parked import Bucket, unpacked
from shared.store.wish import View, Wish

NOW = datetime(2024, 5, 1, 10, tzinfo=UTC)
RETENTION = timedelta(hours=1)
BUCKETS = 2


def finished(operations: Sequence[Operation], run: str, now: datetime) -> Finished:
    members = [member for one in operations for member in one.members]
    return Finished(
        run=run,
        now=now,
        ids=b"".join(id_of(one.key) for one in operations),
        keys=[SEPARATOR.join(one.key).encode() for one in operations],
        counts=[len(one.members) for one in operations],
        numbers=[member.number for member in members],
        sizes=[len(member.raw) for member in members],
        texts=b"".join(member.raw for member in members),
    )


def operation(number: int, run: str, now: datetime, text: bytes = b"x") -> Operation:
    """That left as soon as it came."""
    return Operation(OperationKey(f"c{number}", "o", "r"), (Member(text, run, number, now, run, 1),))


class Rows:
    """Rows of buckets, and blobs, as they are written; a blob goes with the bucket that it lies with."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.buckets = dict.fromkeys(range(BUCKETS), Bucket())
        self.blobs: dict[str, Mapping[int, Sequence[bytes]]] = {}

    def write(self, news: Mapping[int, Sequence[Novelty]], run: str, now: datetime) -> Drafts:
        buckets = {number: self.buckets[number] for number in news}
        drafts = drafted(buckets, news, View(run, now), self.limits, lambda number: f"{number}/{run}")
        if drafts.blob:
            self.blobs[drafts.blob] = drafts.contents
        self.buckets |= {number: unpacked(data) for number, data in drafts.rows.items()}
        for name in [*self.blobs]:
            owner = self.buckets[int(name.split("/", maxsplit=1)[0])]
            if name not in {archive.blob for archive in owner.archives}:
                del self.blobs[name]
        return drafts

    def read(self, number: int, keys: Sequence[OperationKey], now: datetime) -> Known:
        wish = Wish(self.buckets[number], keys, View("reader", now))
        older: list[bytes] = []
        for archive in wish.archives:
            contents = {number: [archive.packed]} if archive.packed else self.blobs.get(archive.blob, {})
            older += contents.get(number, ())
        return wish.known(older)


@pytest.mark.parametrize("seed", range(60))
def test_the_last_state_of_every_operation_is_found_for_as_long_as_it_is_kept(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a history, not a secret
    limits = Limits(timedelta(), RETENTION, random.choice((500, 1_500, 5_000)), random.choice((150, 400)))
    rows = Rows(limits)
    states: dict[OperationKey, tuple[int, datetime, Operation]] = {}
    now = NOW
    for step in range(40):
        now += timedelta(minutes=random.randrange(9))
        run = f"run{step}"
        news: dict[int, list[Novelty]] = {}
        for number in range(BUCKETS):
            known = [
                one for place, kept, one in states.values() if place == number and now - kept < RETENTION
            ]
            revised = [
                Operation(one.key, (*one.members, Member(b"late", run, step, now, run, one.revision + 1)))
                for one in random.sample(known, min(len(known), random.randrange(3)))
            ]
            fresh = [
                operation(1_000 * step + 10 * place + number, run, now, random.randbytes(40))
                for place in range(random.choice((0, 1, 2, 6)))
            ]
            if fresh or revised:
                news[number] = [*([finished(fresh, run, now)] if fresh else []), *revised]
                states |= {one.key: (number, now, one) for one in (*fresh, *revised)}
        rows.write(news, run, now)
        for number in range(BUCKETS):
            alive = {
                key: one
                for key, (place, kept, one) in states.items()
                if place == number and now - kept < RETENTION
            }
            found = rows.read(number, [*alive], now).operations
            assert found == alive, f"step {step}"
