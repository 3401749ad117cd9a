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

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from shared.capture.entries import CONDENSED, START, TERMINAL, UNKNOWN, Entry
from shared.capture.rawjson import Fields, array_text, fields_of, name_text, object_text

_PER_ENTRY = frozenset({"properties", "resultSignature"})
"""Fields that each entry has for itself, so that the base does not lend them."""


@dataclass(frozen=True, slots=True)
class Record:
    """A condensed record.

    Attributes:
        uid: names it.
        revision: the highest counts.
        category: as the base spells it.
        times: of its entries, ascending, in nanoseconds since 1970 or `times.UNREADABLE`.
        line: its JSON text in one line.
    """

    uid: str
    revision: int
    category: str
    times: tuple[int, ...]
    line: bytes


def condense(uid: str, revision: int, entries: Iterable[Entry]) -> Record:
    """Make the condensed record of the entries, of which there must be at least one.

    The result depends on the entries alone, not on the order in which they are given.
    """
    ordered = sorted(entries, key=lambda entry: entry.order)
    base = next((entry for entry in ordered if entry.status == START), ordered[0])
    shared = {name: value for name, value in fields_of(base.raw).items() if name not in _PER_ENTRY}
    condensed = {
        "num_correlated_records": str(len(ordered)).encode(),
        **_members(ordered, shared),
        **_facts(ordered),
        "uid": msgspec.json.encode(uid),
        "revision": str(revision).encode(),
    }
    line = object_text({**shared, CONDENSED: object_text(condensed)})
    return Record(uid, revision, base.category, tuple(entry.time for entry in ordered), line)


def _members(ordered: Sequence[Entry], shared: Fields) -> Fields:
    """Everything from which the entries can be rebuilt, given the base's fields."""
    firsts: dict[str, Entry] = {}
    additional = [entry.raw for entry in ordered if firsts.setdefault(entry.status, entry) is not entry]
    statuses: Fields = {}
    absent: Fields = {}
    for status, entry in firsts.items():
        fields = fields_of(entry.raw)
        differing = {name: value for name, value in fields.items() if shared.get(name) != value}
        statuses[status] = object_text(differing)
        lacking = [name_text(name) for name in shared if name not in fields]
        if lacking:
            absent[status] = array_text(lacking)
    members = {"statuses": object_text(statuses)}
    if additional:
        members["additional_records"] = array_text(additional)
    if absent:
        members["absent"] = object_text(absent)
    return members


def _facts(ordered: Sequence[Entry]) -> Fields:
    """What the entries say together."""
    starts = sum(entry.status == START for entry in ordered)
    ends = [entry.status for entry in ordered if entry.status in TERMINAL]
    facts = {"attempts": str(starts).encode(), "outcome": name_text(ends[-1] if ends else UNKNOWN)}
    if not starts:
        facts["missing"] = array_text([name_text(START)])
    return facts
