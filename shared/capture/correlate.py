"""What becomes of the entries of a run, given what is kept: they leave, wait, or are duplicates.

Pure, so that a run which lost a race reads again and decides again. Deciding again for the same run gives
the same result, since every kept entry tells where it came from and in which run it left: that is how
a capture file that is handled twice writes the same bytes twice.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from operator import attrgetter

from shared.capture.batch import NOTHING, Batch, take_whole
from shared.capture.condense import Record, condense
from shared.capture.entries import START, TERMINAL, Entry, entry_again
from shared.capture.grouping import Fit, places
from shared.model.captures import Counts
from shared.model.operations import Known, Member, Operation, OperationKey, WaitingRoom, due

_ORDER = attrgetter("order")


@dataclass(frozen=True, slots=True)
class Run:
    """One capture file being handled, or one flush.

    Attributes:
        id: ID of the capture file, or of the flush.
        now: when (UTC).
        wait: how long an entry waits for the rest of its operation.
        since: if it was begun before, a moment (UTC) before which nothing left in it. Then nothing leaves
            because it has waited long enough: what left in it may have been handed on already, and is to be
            the same.
    """

    id: str
    now: datetime
    wait: timedelta
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen.

    Attributes:
        whole: operations that began and ended in the run, which was the first to see them.
        operations: other operations as they are to be kept; only those that change.
        rooms: waiting rooms as they are to be kept; only those that change.
        records: condensed records to be written, by time, but for those of whole operations.
        passed: entries to be handed on as they came, although administrative.
        counts: of the entries that arrived for correlation, and of those that were waiting.
    """

    whole: Batch
    operations: tuple[Operation, ...]
    rooms: tuple[WaitingRoom, ...]
    records: tuple[Record, ...]
    passed: tuple[Entry, ...]
    counts: Counts


def correlate(arrived: Collection[Entry], known: Known, run: Run, whole: Batch = NOTHING) -> Plan:
    """Decide about administrative entries with a correlation ID.

    Args:
        arrived: those of the run.
        known: what is kept of their operations.
        run: in which they arrived.
        whole: operations of the run that are whole by themselves; the entries of those of which more is known
            are weighed with the others.
    """
    alone, entangled = take_whole(whole, arrived, known)
    decision = _Decision(known, run)
    decision.add(chain(arrived, entangled))
    decision.settle()
    decision.leave()
    records = sorted(decision.records(), key=_ORDER)
    passed = sorted(decision.passed(), key=_ORDER)
    counts = _counts(alone) + decision.counts() + Counts(operations=len(alone) + len(records))
    return Plan(alone, decision.operations(), decision.rooms(), tuple(records), tuple(passed), counts)


def replay(known: Known, run: Run) -> Plan:
    """What a run decided that did not come to its end; nothing is decided anew.

    In the operations that left in the run nothing waits, since what left before takes everything along. In
    others nothing leaves, since the run was begun before.
    """
    rooms = {
        correlation: replace(room, members=tuple(member for member in room.members if member.run == run.id))
        for correlation, room in known.rooms.items()
    }
    return correlate((), Known(known.operations, rooms), run)


def _counts(whole: Batch) -> Counts:
    arrived, condensed = whole.arrived, whole.entries
    return Counts(entries=arrived, condensed=condensed, duplicates=arrived - condensed)


class _Decision:
    """What is kept and what arrived, while it is decided about."""

    def __init__(self, known: Known, run: Run) -> None:
        self._known = known
        self._run = run
        self._operations = {key: list(operation.members) for key, operation in known.operations.items()}
        self._rooms = {correlation: list(room.members) for correlation, room in known.rooms.items()}
        self._entries: dict[bytes, Entry] = {}
        self._arrived = 0
        self._duplicates = 0

    def add(self, entries: Iterable[Entry]) -> None:
        """Take entries in, but for those that are kept already."""
        kept = {member.raw: member for member in self._members()}
        run, now = self._run.id, self._run.now
        for entry in entries:
            self._arrived += 1
            raw = entry.raw
            if raw in self._entries:
                self._duplicates += 1
                continue
            self._entries[raw] = entry
            before = kept.get(raw)
            if before is not None:
                self._duplicates += before.source != run
                continue
            member = Member(raw, run, entry.number, now)
            key = entry.key
            if key.complete:
                self._operations.setdefault(key, []).append(member)
            else:
                self._rooms.setdefault(key.correlation, []).append(member)

    def settle(self) -> None:
        """Bring those in waiting rooms to their operations, or let them pass through.

        Which operation is the only one that fits is known when the wait is over, not before: of two that
        share a correlation ID one may stand in a file that is handled later. That holds for entries, too,
        that look like a whole operation among themselves.
        """
        waiting = {
            correlation: found
            for correlation, room in self._rooms.items()
            if (found := [member for member in room if member.waits])
        }
        beside: dict[str, list[OperationKey]] = {correlation: [] for correlation in waiting}
        for key in self._operations:
            if key.correlation in beside:
                beside[key.correlation].append(key)
        for correlation, members in waiting.items():
            self._settle(correlation, members, beside[correlation])

    def _settle(self, correlation: str, waiting: Iterable[Member], beside: Iterable[OperationKey]) -> None:
        """The same for one correlation ID, given its operations."""
        keys = {member.raw: self._entry(member).key for member in waiting}
        found = places(keys.values(), beside)
        joining: defaultdict[OperationKey, list[Member]] = defaultdict(list)
        forming: defaultdict[OperationKey, list[Member]] = defaultdict(list)
        passing: set[bytes] = set()
        for member in waiting:
            place = found[keys[member.raw]]
            if place.fit is Fit.FORMS and place.key:
                forming[place.key].append(member)
            elif place.fit is Fit.SEVERAL:
                passing.add(member.raw)
            elif self._is_due([member]):
                if place.key:
                    joining[place.key].append(member)
                else:
                    passing.add(member.raw)
        for key, members in forming.items():
            if self._is_due(members):
                joining[key] += members
        gone = {member.raw for members in joining.values() for member in members}
        for key, members in joining.items():
            self._operations.setdefault(key, []).extend(members)
        self._rooms[correlation] = [
            member._replace(run=self._run.id) if member.raw in passing else member
            for member in self._rooms[correlation]
            if member.raw not in gone
        ]

    def leave(self) -> None:
        """Let those leave whose operation is complete, left before, or has waited long enough."""
        for members in self._operations.values():
            waiting = [member for member in members if member.waits]
            if not waiting:
                continue
            revision = max([member.revision for member in members])
            if revision or self._is_complete(members) or self._is_due(waiting):
                members[:] = [
                    member._replace(run=self._run.id, revision=revision + 1) if member.waits else member
                    for member in members
                ]

    def operations(self) -> tuple[Operation, ...]:
        """As they are to be kept; only those that change."""
        known = self._known.operations
        made = (Operation(key, tuple(members)) for key, members in self._operations.items())
        return tuple([operation for operation in made if operation != known.get(operation.key)])

    def rooms(self) -> tuple[WaitingRoom, ...]:
        """Likewise."""
        known = self._known.rooms
        made = (WaitingRoom(correlation, tuple(members)) for correlation, members in self._rooms.items())
        return tuple(
            [room for room in made if room != known.get(room.correlation, WaitingRoom(room.correlation))]
        )

    def records(self) -> Iterator[Record]:
        """The condensed records of this run."""
        for key, members in self._operations.items():
            for revision in {member.revision for member in members if member.run == self._run.id}:
                entries = [self._entry(member) for member in members if 0 < member.revision <= revision]
                yield condense(key.uid, revision, entries)

    def passed(self) -> Iterator[Entry]:
        """The entries that pass through in this run."""
        for room in self._rooms.values():
            yield from (self._entry(member) for member in room if member.run == self._run.id)

    def counts(self) -> Counts:
        """What became of the entries; the number of records is not among it."""
        here = self._run.id
        condensed = passed = parked = unparked = 0
        for member in self._members():
            if member.run == here:
                condensed += member.revision > 0
                passed += member.revision == 0
                unparked += member.source != here
            elif member.source == here:
                parked += 1
        return Counts(
            entries=self._arrived,
            condensed=condensed,
            passed_through=passed,
            duplicates=self._duplicates,
            parked=parked,
            unparked=unparked,
            unmatched=passed,
        )

    def _members(self) -> Iterator[Member]:
        return chain.from_iterable(chain(self._operations.values(), self._rooms.values()))

    def _entry(self, member: Member) -> Entry:
        entry = self._entries.get(member.raw)
        if entry is None:
            entry = self._entries[member.raw] = entry_again(member.number, member.raw)
        return entry

    def _is_complete(self, members: Iterable[Member]) -> bool:
        """Whether there are a Start and an end."""
        statuses = {self._entry(member).status for member in members}
        return START in statuses and not TERMINAL.isdisjoint(statuses)

    def _is_due(self, members: Iterable[Member]) -> bool:
        if self._run.since is not None:
            return False
        moment = due(members, self._run.wait)
        return moment is not None and moment <= self._run.now
