"""Capture files and what became of their entries."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from operator import add, attrgetter
from typing import Self

from shared.model.ids import stable_hash


class Container(StrEnum):
    """The blob containers of the app."""

    CAPTURE = "capture"
    CONDENSED = "condensed"
    SET_ASIDE = "set-aside"


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """One blob that Event Hubs Capture wrote.

    Attributes:
        container: blob container.
        path: blob name, `{namespace}/{hub}/{partition}/{yyyy}/{MM}/{dd}/{HH}/{mm}/{ss}.avro`.
        namespace: name of the Event Hubs namespace.
        hub: name of the event hub.
        partition: as in the path.
        written_at: when the capture window was closed, from the path (UTC).
    """

    container: str
    path: str
    namespace: str
    hub: str
    partition: str
    written_at: datetime

    @property
    def id(self) -> str:
        """The same for the same blob."""
        return stable_hash(self.container, self.path)


class CaptureState(StrEnum):
    """How far the handling of a capture file has come."""

    LEASED = "leased"
    DONE = "done"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True, slots=True)
class Counts:
    """What one run did with its entries; runs add up.

    A run handles one capture file, or flushes parked operations (then `entries` is 0).

    Attributes:
        entries: entries that arrived, what could not be read included.
        condensed: entries that left in a condensed record for the first time, parked ones included.
        passed_through: entries that left as they came, parked ones included.
        duplicates: entries equal byte for byte to one seen before.
        set_aside: entries that could not be read.
        parked: entries put to wait for the rest of their operation.
        unparked: entries that were waiting and left in this run.
        unmatched: those of `passed_through` that are administrative but fit no operation.
        operations: condensed records written, later revisions included.
    """

    entries: int = 0
    condensed: int = 0
    passed_through: int = 0
    duplicates: int = 0
    set_aside: int = 0
    parked: int = 0
    unparked: int = 0
    unmatched: int = 0
    operations: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(add, _NUMBERS(self), _NUMBERS(other)))

    @property
    def still_parked(self) -> int:
        """Entries that wait, seen over all the runs that were added up."""
        return self.parked - self.unparked

    @property
    def missing(self) -> int:
        """Entries that came in and are not accounted for; negative if there are more than came in."""
        out = self.condensed + self.passed_through + self.duplicates + self.set_aside + self.still_parked
        return self.entries - out

    def check(self) -> None:
        """Hold the invariant that every entry leaves exactly once.

        Raises:
            AssertionError: entries were lost or made up.
        """
        if self.missing:
            raise AssertionError(f"{self.missing} of {self.entries} entries are not accounted for: {self}")


_NUMBERS = attrgetter(*(field.name for field in fields(Counts)))
