"""Whatever is written in whatever order, what is kept of an operation is its last state."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random

import pytest

from shared.model.ids import SEPARATOR
from shared.model.operations import MOST_KEPT, Member, Operation, OperationKey
from shared.store.archives import Archive, Finished
from shared.store.drafts import Limits, Novelty, drafted
from shared.store.kept import id_of
from shared.store.parked import Bucket, unpacked
from shared.store.wish import View, Wish

RETENTION = timedelta(hours=1)
BUCKETS = 3
SEEDS = 40
FEWER_SEEDS = 8
"""Where each takes a second, since everything is looked for after every step."""


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


class Rows:
    """Rows of buckets, and blobs; a blob that the bucket that it lies with needs no more is gone at once."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.buckets = dict.fromkeys(range(BUCKETS), Bucket())
        self.blobs: dict[str, Mapping[int, Sequence[bytes]]] = {}

    def write(self, news: Mapping[int, Sequence[Novelty]], run: str, now: datetime, most: int) -> set[int]:
        """Write so many buckets at most, since others may be lost; gives those that are written."""
        buckets = {number: self.buckets[number] for number in news}
        drafts = drafted(buckets, news, View(run, now), self.limits, lambda number: f"{number}/{run}")
        if drafts.blob:
            self.blobs[drafts.blob] = drafts.contents
        written = dict([*drafts.rows.items()][:most])
        self.buckets |= {number: unpacked(data) for number, data in written.items()}
        for name in [*self.blobs]:
            owner = self.buckets[int(name.split("/", maxsplit=1)[0])]
            if name not in {archive.blob for archive in owner.archives}:
                del self.blobs[name]
        return {*written}

    def read(self, number: int, keys: Iterable[OperationKey], view: View) -> Mapping[OperationKey, Operation]:
        wish = Wish(self.buckets[number], [*keys], view)
        wish.look_back(self._contents(number, wish.unmarked))
        return wish.known(self._contents(number, wish.archives)).operations

    def _contents(self, number: int, archives: Iterable[Archive]) -> Iterator[bytes]:
        for archive in archives:
            contents = {number: [archive.packed]} if archive.packed else self.blobs.get(archive.blob, {})
            yield from contents.get(number, ())


@dataclass
class History:
    """What is written in the course of time, drawn from a seed, and what should be found then."""

    random: Random
    rows: Rows
    now: datetime = datetime(2024, 5, 1, 10, tzinfo=UTC)
    states: dict[OperationKey, tuple[int, datetime, Operation]] = field(default_factory=dict)
    runs: dict[str, datetime] = field(default_factory=dict)

    def alive(self, number: int) -> dict[OperationKey, Operation]:
        """What has to be found in a bucket."""
        return {
            key: one
            for key, (place, kept, one) in self.states.items()
            if place == number and (self.now - kept < RETENTION or waits(one))
        }

    def step(self, run: str) -> None:
        """Something arrives, and what becomes of it is written, unless somebody else was faster."""
        self.now += timedelta(minutes=self.random.randrange(9))
        self.runs[run] = self.now
        news: dict[int, list[Novelty]] = {}
        made: dict[int, list[Operation]] = {}
        for number in self.random.sample(range(BUCKETS), BUCKETS):
            fresh = [self._fresh(run, number, place) for place in range(self.random.choice((0, 1, 2, 6)))]
            known = [*self.alive(number).values()]
            others = [self._later(one, run) for one in self.random.sample(known, min(len(known), 2))]
            if fresh:
                news[number] = [finished(fresh, run, self.now), *others]
            elif others:
                news[number] = [*others]
            made[number] = fresh + others
        for number in self.rows.write(news, run, self.now, self.random.choice((1, BUCKETS, BUCKETS))):
            self.states |= {one.key: (number, self.now, one) for one in made[number]}

    def _fresh(self, run: str, number: int, place: int) -> Operation:
        """An operation that left as soon as it came."""
        key = OperationKey(f"{run} {number} {place}", "o", "r")
        return Operation(key, (Member(self.random.randbytes(40), run, place, self.now, run, 1),))

    def _later(self, one: Operation, run: str) -> Operation:
        """The operation with an entry that waits, or after that has left."""
        if waits(one):
            members = (
                member._replace(run=run, revision=one.revision + 1) if member.waits else member
                for member in one.members
            )
            return Operation(one.key, tuple(members))
        leaves = self.random.random() < 0.7
        late = Member(b"late", run, 0, self.now, run, one.revision + 1)
        return Operation(one.key, (*one.members, late if leaves else late._replace(run="", revision=0)))


def waits(one: Operation) -> bool:
    return any(member.waits for member in one.members)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_last_state_of_every_operation_is_found_for_as_long_as_it_is_kept(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a history, not a secret
    roomy, large = random.choice((500, 1_500, 5_000)), random.choice((150, 400))
    rows = Rows(Limits(timedelta(), RETENTION, roomy, large))
    history = History(random, rows)
    for step in range(40):
        history.step(f"run{step}")
        for number in range(BUCKETS):
            alive = history.alive(number)
            assert rows.read(number, alive, View("reader", history.now)) == alive, f"step {step}"
            run = f"run{random.randrange(step + 1)}"
            left = {key for key, one in alive.items() if run in {member.run for member in one.members}}
            again = rows.read(number, (), View(run, history.now, since=history.now - RETENTION))
            assert {key: again[key] for key in left} == {key: alive[key] for key in left}, f"step {step}"


@pytest.mark.parametrize("seed", range(FEWER_SEEDS))
def test_what_had_waited_is_found_by_the_run_in_which_it_left_whatever_took_its_room(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a history, not a secret
    roomy, large = random.choice((500, 1_500, 5_000)), random.choice((150, 400))
    history = History(random, Rows(Limits(timedelta(), RETENTION, roomy, large, remembered=0)))
    for step in range(40):
        history.step(f"run{step}")
        for number, (run, moment) in product(range(BUCKETS), history.runs.items()):
            found = history.rows.read(number, (), View(run, history.now, since=moment))
            for key, one in history.alive(number).items():
                if any(member.run == run != member.source for member in one.members):
                    assert found[key] == one, f"step {step}, {run}"


def test_of_very_many_entries_those_stay_that_had_waited_and_left_within_the_retention() -> None:
    now = datetime(2024, 5, 1, 10, tzinfo=UTC)
    first, *others = [Member(b"%d" % number, "f", number, now, "f", 1) for number in range(MOST_KEPT + 1)]
    waited = Member(b"waited", "earlier", 0, now - RETENTION - timedelta(minutes=30), "f", 1)
    one = Operation(OperationKey("c", "o", "r"), (first, waited, *others))
    rows = Rows(Limits(timedelta(hours=1), RETENTION))
    rows.write({0: [one]}, "later", now, 1)
    members = rows.read(0, (one.key,), View("reader", now))[one.key].members
    assert len(members) == MOST_KEPT
    assert waited in members
