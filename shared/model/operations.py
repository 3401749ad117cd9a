"""Operations: the log entries of one API call, and those that still wait for the rest of theirs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.model.ids import stable_hash

MOST_KEPT: Final = 1_000
"""Entries of an operation that are kept when they have left. Azure writes a dozen for one call; but a caller
may choose the correlation ID, and use the same again and again."""

MOST_KEPT_BYTES: Final = 8 << 20
"""Bytes of entries of an operation that are kept when they have left."""


class OperationKey(NamedTuple):
    """What the entries of one operation have in common, in lower case; a part that is absent is empty.

    The correlation ID alone would be wrong: a whole ARM deployment shares one.
    """

    correlation: str
    operation: str
    resource: str

    @property
    def uid(self) -> str:
        """Names the operation's condensed record, the same in every revision.

        It depends on the key alone. If it also depended on the first entry, an entry that comes late
        but happened early would give the next revision another name.
        """
        return stable_hash(self.correlation, self.operation, self.resource)

    @property
    def complete(self) -> bool:
        """Whether both the operation's name and its resource are there."""
        return bool(self.operation and self.resource)


class Member(NamedTuple):
    """One entry that is kept until its operation's time is over.

    There are many of them, so they are of a kind that is made fast.

    Attributes:
        raw: the entry's JSON text, in one line.
        source: ID of the capture file it came in.
        number: its place among that file's entries; with `source` it names the entry.
        arrived: when it was first kept (UTC).
        run: ID of the run in which it left; empty while it waits.
        revision: the first revision of the condensed record that holds it; 0 if it waits or passed through.
    """

    raw: bytes
    source: str
    number: int
    arrived: datetime
    run: str = ""
    revision: int = 0

    @property
    def waits(self) -> bool:
        """Whether it has not left yet."""
        return not self.run


@dataclass(frozen=True, slots=True)
class Operation:
    """Everything known of one operation.

    Attributes:
        key: what its entries have in common.
        members: its entries, in the order in which they were kept.
    """

    key: OperationKey
    members: tuple[Member, ...] = ()

    @property
    def revision(self) -> int:
        """How often a condensed record of it was written."""
        return max((member.revision for member in self.members), default=0)


@dataclass(frozen=True, slots=True)
class WaitingRoom:
    """The entries of one correlation ID that lack their operation's name or resource.

    They stay here until an operation is found to which they belong, or their wait is over.

    Attributes:
        correlation: the correlation ID, in lower case.
        members: the entries; those that passed through in the end stay until they expire.
    """

    correlation: str
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of some operations; of a correlation ID with a waiting room, of all its operations."""

    operations: Mapping[OperationKey, Operation] = field(default_factory=dict)
    rooms: Mapping[str, WaitingRoom] = field(default_factory=dict)


def due(members: Iterable[Member], wait: timedelta) -> datetime | None:
    """When the wait of the longest waiting entry is over; None if none waits."""
    arrived = [member.arrived for member in members if member.waits]
    return min(arrived) + wait if arrived else None


def bounded(members: tuple[Member, ...], run: str, before: datetime) -> tuple[Member, ...]:
    """What is kept of the entries of one operation, or of one waiting room.

    The first and the last ones. Of those between them that left in another run, and so stand in a file
    already, these go: what left as soon as it came, since its capture file brings it along if that is handled
    again; and what came before that moment.
    """
    size = sum(len(member.raw) for member in members)
    if len(members) <= MOST_KEPT and size <= MOST_KEPT_BYTES:
        return members
    gone: set[int] = set()
    for place, member in enumerate(members[:-1]):
        at_once = member.run == member.source
        if place == 0 or member.run in ("", run) or not (at_once or member.arrived < before):
            continue
        if len(members) - len(gone) <= MOST_KEPT and size <= MOST_KEPT_BYTES:
            break
        gone.add(place)
        size -= len(member.raw)
    return tuple(member for place, member in enumerate(members) if place not in gone)
