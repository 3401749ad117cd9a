"""Deciding what becomes of a run's entries, and keeping what was decided, beside others who do the same."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import attrgetter

from shared.capture.batch import NOTHING, Batch
from shared.capture.correlate import Plan, Run, correlate, replay
from shared.capture.entries import Entry
from shared.capture.whole import ONCE, spots_in
from shared.model.captures import Counts
from shared.model.operations import Known, Operation, OperationKey, WaitingRoom
from shared.store.archives import Finished
from shared.store.bucket_rows import Loaded
from shared.store.drafts import Novelty
from shared.store.operations import BUCKETS, Here, OperationStore, bucket_of
from shared.store.tables import ConflictError
from shared.store.wish import View

_ATTEMPTS = 32
"""How often a run decides again after losing a race. In each round somebody wins."""

_TOGETHER = 4
"""How often all buckets are written together; where so many meet, each is then written by itself."""


@dataclass(frozen=True, slots=True)
class _Arrived:
    """What a run has for a bucket.

    Attributes:
        entries: those that are to be combined with others.
        whole: operations that are whole by themselves.
    """

    entries: list[Entry] = field(default_factory=list)
    whole: Batch = field(default_factory=Batch)

    def keys(self) -> set[OperationKey]:
        """Of the operations that have something here."""
        return {entry.key for entry in self.entries} | self.whole.keys()


type _Decide = Callable[[_Arrived, Known], Plan]


class ContendedError(Exception):
    """Too many others changed the same operations; try again later."""


class Correlator:
    """Correlates the entries of runs with what is kept.

    Deciding about a run again gives what was decided at first: what is kept tells in which run it left.

    Args:
        operations: what is kept.
    """

    def __init__(self, operations: OperationStore) -> None:
        self._operations = operations

    async def decide(
        self,
        integration_id: str,
        run: Run,
        entries: Iterable[Entry],
        whole: Batch = NOTHING,
    ) -> Plan:
        """Decide about the entries of a capture file, and about what waited long enough beside them.

        The plan's records stand in the same texts as the whole operations, and are good for as long.

        Args:
            integration_id: whose they are.
            run: in which they arrived.
            entries: administrative ones with a correlation ID.
            whole: operations that are whole by themselves, as long as nothing else is known of them.

        Raises:
            ContendedError: too many others changed the same operations.
        """
        by_bucket = {bucket: _Arrived(whole=part) for bucket, part in whole.spread(bucket_of).items()}
        for entry in entries:
            by_bucket.setdefault(bucket_of(entry.key.correlation), _Arrived()).entries.append(entry)
        # What left in a run that was cut off may be in any bucket.
        numbers = by_bucket if run.since is None else range(BUCKETS)
        return await self._decide(
            integration_id,
            {number: by_bucket.get(number, _Arrived()) for number in numbers},
            View(run.id, run.now, run.since),
            lambda arrived, known: correlate(arrived.entries, known, run, arrived.whole),
        )

    async def flush(self, integration_id: str, run: Run, buckets: Collection[int]) -> Plan:
        """Let leave what waited long enough in these buckets, and forget what was kept long enough.

        Raises:
            ContendedError: too many others changed the same operations.
        """
        return await self._decide(
            integration_id,
            dict.fromkeys(buckets, _Arrived()),
            View(run.id, run.now),
            lambda _, known: correlate((), known, run),
            tidy=True,
        )

    async def left_in(self, integration_id: str, run: Run) -> Plan:
        """What left in a run that did not come to its end; nothing is decided anew.

        Raises:
            ContendedError: too many others changed the same operations.
        """
        begun = replace(run, since=run.now)
        return await self._decide(
            integration_id,
            dict.fromkeys(range(BUCKETS), _Arrived()),
            View(begun.id, begun.now, begun.since),
            lambda _, known: replay(known, begun),
        )

    async def given_up(self, integration_id: str, here: Here, since: datetime) -> Plan:
        """What had waited and left in the runs of a capture file that is given up; nothing is decided anew.

        Entries of the file itself that left in it may stand in records beside them, and are not counted.
        Those that wait, or left in other runs, count as parked.

        Args:
            integration_id: whose they are.
            here: tells which runs are the file's.
            since: a moment (UTC) before which nothing left in them.

        Raises:
            ContendedError: others kept changing what is kept.
        """
        for _ in range(_ATTEMPTS):
            try:
                kept = await self._operations.across(integration_id, here, since)
            except ConflictError:
                continue
            return await asyncio.to_thread(_given_up, kept, here, since)
        raise ContendedError(f"lost {_ATTEMPTS} races for what is kept")

    async def _decide(
        self,
        integration_id: str,
        arrived: Mapping[int, _Arrived],
        view: View,
        decide: _Decide,
        *,
        tidy: bool = False,
    ) -> Plan:
        plans: dict[int, Plan] = {}
        undecided = dict(arrived)
        for attempt in range(_ATTEMPTS):
            keys = {number: mine.keys() for number, mine in undecided.items()}
            try:
                loaded = await self._operations.load(integration_id, keys, view)
            except ConflictError:
                continue
            decided, changed = await asyncio.to_thread(_decided, undecided, loaded, view, decide)
            plans |= decided
            changes = {
                number: new for number, new in changed.items() if new or (tidy and loaded[number].etag)
            }
            lost = await self._operations.save(
                integration_id, loaded, changes, view, apart=attempt >= _TOGETHER
            )
            undecided = {number: undecided[number] for number in lost}
            if not undecided:
                return _together(plans[number] for number in sorted(plans))
        raise ContendedError(f"lost {_ATTEMPTS} races for operations")


def _decided(
    arrived: Mapping[int, _Arrived], loaded: Mapping[int, Loaded], view: View, decide: _Decide
) -> tuple[dict[int, Plan], dict[int, list[Novelty]]]:
    """What is decided about each bucket, and what is new in it then."""
    plans = {number: decide(mine, loaded[number].known) for number, mine in arrived.items()}
    return plans, {number: _changed(plan, view) for number, plan in plans.items()}


def _changed(plan: Plan, view: View) -> list[Novelty]:
    finished = [_finished(plan.whole, view)] if plan.whole else []
    return [*finished, *plan.operations, *plan.rooms]


def _finished(whole: Batch, view: View) -> Finished:
    """Whole operations as they are to be kept, so that late entries find them."""
    spans = [*whole.spans]
    once = b"".join([whole.once[at : at + size] for at, size in spans])
    spots = [*spots_in(once)]
    return Finished(
        run=view.run,
        now=view.now,
        ids=bytes.fromhex("".join(whole.uids)),
        keys=whole.joined,
        counts=[size // ONCE.size for _, size in spans],
        numbers=[spot.number for spot in spots],
        sizes=[spot.size for spot in spots],
        texts=b"".join([whole.texts[spot.at : spot.at + spot.size] for spot in spots]),
    )


def _together(plans: Iterable[Plan]) -> Plan:
    """The plans of several buckets as one."""
    found = list(plans)
    return Plan(
        whole=Batch.together(plan.whole for plan in found),
        operations=tuple(one for plan in found for one in plan.operations),
        rooms=tuple(one for plan in found for one in plan.rooms),
        records=tuple(sorted((one for plan in found for one in plan.records), key=attrgetter("order"))),
        passed=tuple(sorted((one for plan in found for one in plan.passed), key=lambda entry: entry.order)),
        counts=sum((plan.counts for plan in found), Counts()),
    )


def _given_up(kept: Iterable[Operation | WaitingRoom], here: Here, since: datetime) -> Plan:
    """See `Correlator.given_up`."""
    operations: dict[OperationKey, Operation] = {}
    rooms: dict[str, WaitingRoom] = {}
    condensed: list[str] = []
    passed: list[str] = []
    gone = 0
    for one in kept:
        came = [member for member in one.members if here(member.run) and not here(member.source)]
        gone += sum(here(member.source) and not here(member.run) for member in one.members)
        if isinstance(one, Operation):
            left = tuple(member for member in one.members if not member.waits)
            operations[one.key] = replace(one, members=left)
            condensed += [member.run for member in came]
        else:
            rooms[one.correlation] = replace(one, members=tuple(came))
            passed += [member.run for member in came]
    known = Known(operations, rooms)
    runs = sorted({*condensed, *passed})
    plan = _together([replay(known, Run(run, since, timedelta(), since)) for run in runs])
    counts = Counts(
        entries=gone,
        condensed=len(condensed),
        passed_through=len(passed),
        parked=gone,
        unparked=len(condensed) + len(passed),
        unmatched=len(passed),
        operations=len(plan.records),
    )
    return replace(plan, counts=counts)
