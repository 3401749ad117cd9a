"""What becomes of the entries of a run, given what is kept: they leave, wait, or are duplicates.

Pure, so that a run which lost a race reads again and decides again. Deciding again for the same run gives
the same result, since every kept entry tells where it came from and in which run it left: that is how
a capture file that is handled twice writes the same bytes twice.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from operator import attrgetter

from shared.capture.batch import NOTHING, Batch, take_whole
from shared.capture.condense import Record, condense
from shared.capture.entries import START, TERMINAL, Entry, entry_of
from shared.capture.grouping import Fit, places
from shared.capture.whole import Whole
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
    """

    id: str
    now: datetime
    wait: timedelta


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
    groups: defaultdict[str, _Correlation] = defaultdict(lambda: _Correlation(run))
    for key, operation in known.operations.items():
        groups[key.correlation].operations[key] = list(operation.members)
    for correlation, room in known.rooms.items():
        groups[correlation].room = list(room.members)
    alone, entangled = take_whole(whole, arrived, known)
    for entry in chain(arrived, entangled):
        groups[entry.key.correlation].add(entry)
    records: list[Record] = []
    passed: list[Entry] = []
    operations: list[Operation] = []
    rooms: list[WaitingRoom] = []
    counts = _counts(alone)
    for correlation, group in groups.items():
        group.settle()
        group.leave()
        records += group.records()
        passed += group.passed()
        counts += group.counts()
        operations += _changed(group.operations, known.operations)
        room = WaitingRoom(correlation, tuple(group.room))
        if (room.members or correlation in known.rooms) and room != known.rooms.get(correlation):
            rooms.append(room)
    records.sort(key=_ORDER)
    passed.sort(key=lambda entry: entry.order)
    counts += Counts(operations=len(alone) + len(records))
    return Plan(alone, tuple(operations), tuple(rooms), tuple(records), tuple(passed), counts)


def replay(known: Known, run: Run) -> Plan:
    """What a run decided that did not come to its end; nothing is decided anew.

    In the operations that left in the run nothing waits, since what left before takes everything along.
    """
    rooms = {
        correlation: replace(room, members=tuple(member for member in room.members if member.run == run.id))
        for correlation, room in known.rooms.items()
    }
    return correlate((), Known(known.operations, rooms), run)


def operation_of(whole: Whole, run: str, now: datetime) -> Operation:
    """A whole operation of that run as it is to be kept, so that late entries find it."""
    members = (Member(raw, run, number, now, run, 1) for number, raw in whole.entries())
    return Operation(whole.key, tuple(members))


def _counts(whole: Batch) -> Counts:
    arrived, condensed = whole.arrived, whole.entries
    return Counts(entries=arrived, condensed=condensed, duplicates=arrived - condensed)


def _changed(
    operations: Mapping[OperationKey, list[Member]], known: Mapping[OperationKey, Operation]
) -> list[Operation]:
    kept = (Operation(key, tuple(members)) for key, members in operations.items())
    return [operation for operation in kept if operation != known.get(operation.key)]


class _Correlation:
    """Everything of one correlation ID while it is decided about."""

    def __init__(self, run: Run) -> None:
        self.operations: dict[OperationKey, list[Member]] = {}
        self.room: list[Member] = []
        self._run = run
        self._seen: dict[bytes, Member] | None = None
        self._entries: dict[bytes, Entry] = {}
        self._duplicates = 0
        self._arrived = 0

    def add(self, entry: Entry) -> None:
        """Take an entry in, unless it is kept already."""
        if self._seen is None:
            self._seen = {member.raw: member for member in self._members()}
        self._arrived += 1
        raw = entry.raw
        if raw in self._entries:
            self._duplicates += 1
            return
        self._entries[raw] = entry
        before = self._seen.get(raw)
        if before is not None:
            self._duplicates += before.source != self._run.id
            return
        member = Member(raw, self._run.id, entry.number, self._run.now)
        self._seen[raw] = member
        if entry.key.complete:
            self.operations.setdefault(entry.key, []).append(member)
        else:
            self.room.append(member)

    def settle(self) -> None:
        """Bring those in the waiting room to their operations, or let them pass through.

        Which operation is the only one that fits is known when the wait is over, not before: of two that
        share a correlation ID one may stand in a file that is handled later. That holds for entries, too,
        that look like a whole operation among themselves.
        """
        waiting = [member for member in self.room if member.waits]
        if not waiting:
            return
        keys = {member.raw: self._entry(member).key for member in waiting}
        found = places(keys.values(), self.operations)
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
            self.operations.setdefault(key, []).extend(members)
        self.room = [
            replace(member, run=self._run.id) if member.raw in passing else member
            for member in self.room
            if member.raw not in gone
        ]

    def leave(self) -> None:
        """Let those leave whose operation is complete, left before, or has waited long enough."""
        for members in self.operations.values():
            if not any(member.waits for member in members):
                continue
            revision = max(member.revision for member in members)
            if revision or self._is_complete(members) or self._is_due(members):
                members[:] = [
                    replace(member, run=self._run.id, revision=revision + 1) if member.waits else member
                    for member in members
                ]

    def records(self) -> list[Record]:
        """The condensed records of this run."""
        made = []
        for key, members in self.operations.items():
            for revision in {member.revision for member in members if member.run == self._run.id}:
                entries = [self._entry(member) for member in members if 0 < member.revision <= revision]
                made.append(condense(key.uid, revision, entries))
        return made

    def passed(self) -> list[Entry]:
        """The entries that pass through in this run."""
        return [self._entry(member) for member in self.room if member.run == self._run.id]

    def counts(self) -> Counts:
        """What became of the entries; the number of records is not among it."""
        here = self._run.id
        leaving = [member for member in self._members() if member.run == here]
        condensed = sum(member.revision > 0 for member in leaving)
        return Counts(
            entries=self._arrived,
            condensed=condensed,
            passed_through=len(leaving) - condensed,
            duplicates=self._duplicates,
            parked=sum(member.source == here and member.run != here for member in self._members()),
            unparked=sum(member.source != here for member in leaving),
            unmatched=len(leaving) - condensed,
        )

    def _members(self) -> Iterable[Member]:
        for members in self.operations.values():
            yield from members
        yield from self.room

    def _entry(self, member: Member) -> Entry:
        entry = self._entries.get(member.raw)
        if entry is None:
            entry = self._entries[member.raw] = entry_of(member.number, member.raw)
        return entry

    def _is_complete(self, members: Iterable[Member]) -> bool:
        """Whether there are a Start and an end."""
        statuses = {self._entry(member).status for member in members}
        return START in statuses and not TERMINAL.isdisjoint(statuses)

    def _is_due(self, members: Iterable[Member]) -> bool:
        moment = due(members, self._run.wait)
        return moment is not None and moment <= self._run.now
