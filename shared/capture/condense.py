"""The condensed record: one for all entries of an operation, from which each can be rebuilt exactly.

The record has the base's fields but for `properties` and `resultSignature`. The base is the earliest
Start, or the earliest entry if there is none. The rest stands in one further field:

    azure_activity_administrative_condensed
        num_correlated_records   how many entries there are
        statuses                 by folded status, the fields in which its first entry differs from the
                                 base; `properties` and `resultSignature` always if it has them
        additional_records       further entries of a status, whole (if any)
        absent                   by status, fields of the base that its first entry lacks (if any)
        attempts                 how many Starts there are
        outcome                  status of the latest terminal entry, or `unknown`
        missing                  `["start"]` if there is no Start (if so)
        uid, revision            name the record; the highest revision counts

An entry is rebuilt by laying its status's fields over the base's and taking away those absent.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

import msgspec

from shared.capture.entries import CONDENSED, START, TERMINAL, UNKNOWN, Entry
from shared.capture.rawjson import Slice, array_text, fields_text, name_text, object_text, slices_of
from shared.capture.shapes import PER_ENTRY, taken_apart
from shared.capture.times import UNREADABLE
from shared.model.remembered import remembered

_OPENING = name_text(CONDENSED) + b':{"num_correlated_records":'
_MOMENT = attrgetter("moment")
_ORDER = attrgetter("order")


class Record(msgspec.Struct, frozen=True, gc=False):
    """A condensed record.

    There are many of them, so those that are made together share one text.

    Attributes:
        uid: names it.
        revision: the highest counts.
        category: as the base spells it.
        first: time of its earliest entry, in nanoseconds since 1970 or `times.UNREADABLE`.
        last: of the latest whose time can be read; likewise if there is none.
        lines: a text that holds its JSON text as one line.
        begin: where in it the line begins.
        end: where it ends, with its break.
    """

    uid: str
    revision: int
    category: str
    first: int
    last: int
    lines: bytes | memoryview
    begin: int
    end: int

    @property
    def line(self) -> bytes:
        """Its JSON text, without a break."""
        return bytes(self.text[:-1])

    @property
    def text(self) -> bytes | memoryview:
        """The line, with its break."""
        return self.lines[self.begin : self.end]

    @property
    def order(self) -> tuple[int, str, int]:
        """Sorts records."""
        return (self.first, self.uid, self.revision)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """The entries as they happened; the same however they are given."""
    ordered = sorted(entries, key=_MOMENT)
    if len({entry.moment for entry in ordered}) < len(ordered):
        ordered.sort(key=_ORDER)
    return ordered


def condense(uid: str, revision: int, entries: Iterable[Entry]) -> Record:
    """Make the condensed record of the entries, of which there must be at least one.

    The result depends on the entries alone, not on the order in which they are given.
    """
    return condensed(uid, revision, in_order(entries))


def condensed(uid: str, revision: int, ordered: Sequence[Entry]) -> Record:
    """The same for entries that are `in_order`."""
    base: Entry | None = None
    starts = 0
    outcome = UNKNOWN
    firsts: dict[str, Entry] = {}
    additional: list[bytes] = []
    for entry in ordered:
        status = entry.status
        if status == START:
            starts += 1
            base = base or entry
        elif status in TERMINAL:
            outcome = status
        if firsts.setdefault(status, entry) is not entry:
            additional.append(entry.raw)
    base = base or ordered[0]
    pieces, absent = _by_place(base, firsts, len(ordered)) or _by_name(base, firsts, len(ordered))
    if additional:
        pieces += (b',"additional_records":', array_text(additional))
    missing = "" if starts else ',"missing":["start"]'
    facts = f'"attempts":{starts},"outcome":"{outcome}"{missing},"uid":"{uid}","revision":{revision}}}}}\n'
    pieces += (absent, facts.encode())
    line = b"".join(pieces)
    times = [entry.time for entry in ordered]
    last = max((time for time in times if time < UNREADABLE), default=UNREADABLE)
    return Record(uid, revision, base.category, times[0], last, line, 0, len(line))


def _by_place(base: Entry, firsts: Mapping[str, Entry], number: int) -> tuple[list[Slice], bytes] | None:
    """What `_by_name` gives, if all entries have one shape, so that they differ by place; else nothing."""
    found = taken_apart(base.raw)
    if found is None:
        return None
    shape, lender = found
    lent = shape.lent(lender)
    pieces = shape.opening(lender)
    pieces.append(b',%b%d,"statuses":{' % (_OPENING, number))
    for status, entry in firsts.items():
        pieces.append(_name(status))
        if entry is base:
            pieces += shape.own(lender)
        else:
            found = taken_apart(entry.raw)
            if found is None or found[0] is not shape:
                return None
            pieces += shape.differing(found[1], lent)
        pieces.append(b"},")
    pieces[-1] = b"}}"
    return pieces, b","


def _by_name(base: Entry, firsts: Mapping[str, Entry], number: int) -> tuple[list[Slice], bytes]:
    """The text up to the statuses, and what says which fields the entries lack, with commas around it."""
    lent = {name: value for name, value in slices_of(base.raw).items() if name not in PER_ENTRY}
    statuses: list[bytes] = []
    absent: list[bytes] = []
    for status, entry in firsts.items():
        fields = slices_of(entry.raw)
        differing = {name: value for name, value in fields.items() if lent.get(name) != value}
        statuses.append(_name(status) + object_text(differing))
        lacking = [name_text(name) for name in lent if name not in fields]
        if lacking:
            absent.append(name_text(status) + b":" + array_text(lacking))
    opening = b"{" + fields_text(lent)[1:] + b"," if lent else b"{"
    pieces: list[Slice] = [opening, b'%b%d,"statuses":{' % (_OPENING, number), b",".join(statuses), b"}"]
    return pieces, b',"absent":{' + b",".join(absent) + b"}," if absent else b","


@remembered(1_000)
def _name(status: str) -> bytes:
    """What opens a status."""
    return name_text(status) + b":"
