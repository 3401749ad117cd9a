"""Reads capture files in parts, and holds what comes out against the way that reads everything exactly."""

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import batched

from shared.capture.aside import Aside
from shared.capture.avro_header import header_of, long_at
from shared.capture.batch import Batch
from shared.capture.condense import Record, condense, in_order
from shared.capture.decode import entries_of_capture
from shared.capture.entries import START, SUCCESS, TERMINAL, Entry
from shared.capture.output import lines_of
from shared.capture.parts import PART, Parts
from shared.capture.sift import Sifted, sift
from shared.capture.whole import Spot, Whole, spots_in
from shared.model.captures import Counts
from shared.model.operations import OperationKey

type Facts = tuple[int, bytes, str, OperationKey, str, int, int, bool]
"""All of an entry."""


@dataclass(frozen=True)
class Operation:
    """An operation that is whole within a part, copied.

    Attributes:
        key: what its entries have in common.
        entries: all of each.
        arrived: how many there were with repeated ones.
        succeeded: whether one is a Success.
        record: of the condensed record all but its text: name, revision, category, first and last time.
        line: the text.
    """

    key: OperationKey
    entries: tuple[Facts, ...]
    arrived: int
    succeeded: bool
    record: tuple[str, int, str, int, int]
    line: bytes


@dataclass(frozen=True)
class Part:
    """A part of a file, copied while it was there to be looked at."""

    whole: tuple[Operation, ...]
    administrative: tuple[Facts, ...]
    passed: tuple[Facts, ...]
    asides: tuple[object, ...]
    counts: Counts


def facts_of(entry: Entry) -> Facts:
    """All of an entry, to be compared."""
    return (
        entry.number,
        entry.raw,
        entry.category,
        entry.key,
        entry.status,
        entry.time,
        entry.moment,
        entry.administrative,
    )


def copy_of(part: Sifted) -> Part:
    """A part that can be looked at for ever."""
    whole = tuple(map(_copied, part.whole))
    _check_batch(part.whole, whole)
    return Part(
        whole,
        tuple(map(facts_of, part.administrative)),
        tuple(map(facts_of, part.passed)),
        tuple(map(seen_of, part.asides)),
        part.counts,
    )


def _check_batch(batch: Batch, whole: tuple[Operation, ...]) -> None:
    """What is said of all together is what the single ones are; their lines stand in order, without a gap."""
    assert len(batch) == len(whole)
    assert batch.keys() == {one.key for one in whole}
    assert batch.categories == Counter(one.record[2] for one in whole)
    assert batch.entries == sum(len(one.entries) for one in whole)
    assert batch.arrived == sum(one.arrived for one in whole)
    if whole:
        assert (batch.first, batch.last) == (
            min(one.record[3] for one in whole),
            max(one.record[4] for one in whole),
        )
    ordered = sorted(whole, key=lambda one: (one.record[3], one.record[0]))
    assert b"".join(lines_of([], [], batch)) == b"".join(one.line + b"\n" for one in ordered)


def seen_of(aside: Aside) -> object:
    """What is set aside; the bytes of a file that is set aside whole are not always held."""
    raw = b"" if aside.whole_file else aside.raw
    return aside.reason, aside.message, aside.position, raw, aside.whole_file


def _copied(one: Whole) -> Operation:
    apart = tuple(map(facts_of, one.taken_apart()))
    entries, repeated = apart[: one.number], apart[one.number :]
    assert [(entry[0], entry[1]) for entry in entries] == [*one.entries()]
    assert len(apart) == one.arrived
    assert set(repeated) <= set(entries)
    return Operation(one.key, entries, one.arrived, one.succeeded, _facts_of(one.record), one.record.line)


def _facts_of(record: Record) -> tuple[str, int, str, int, int]:
    return record.uid, record.revision, record.category, record.first, record.last


def in_parts(data: bytes, size: int = 0, most: int = PART) -> list[Part]:
    """A file's parts, copied; what was left of a part cannot be looked at when the next one is there.

    Args:
        data: the file.
        size: in pieces of how many bytes it comes; 0 if all at once.
        most: bytes of entries that are held before a part is cut.
    """
    parts = Parts("f", most)
    text_at = partial(_text_at, data, cache(partial(_inflated, data)))
    found: list[Part] = []
    before: Whole | None = None
    for part in _all_of(parts, data, size):
        if before is not None:
            assert _is_gone(before)
        found.append(copy_of(part))
        for one in part.whole:
            _check_spots(one, text_at)
        before = next(iter(part.whole), None)
    return found


def _inflated(data: bytes, block: int) -> bytes:
    """What the compressed block at a place in a file holds."""
    _, at = long_at(data, block)
    size, at = long_at(data, at)
    return zlib.decompress(data[at : at + size], -zlib.MAX_WBITS)


def _text_at(data: bytes, inflated: Callable[[int], bytes], spot: Spot) -> bytes:
    header = header_of(data, last=True)
    assert header is not None
    if header.codec == "null":
        return data[spot.offset : spot.offset + spot.size]
    return inflated(spot.offset)[spot.place : spot.place + spot.size]


def _check_spots(one: Whole, text_at: Callable[[Spot], bytes]) -> None:
    """The entries stand in the file where they are said to."""
    for spot, (number, raw) in zip(spots_in(one.once), one.entries(), strict=True):
        assert spot.number == number
        assert text_at(spot) == raw


def _is_gone(one: Whole) -> bool:
    """Whether nobody can look at it any more."""
    for look in (lambda: one.record.line, lambda: [*one.entries()]):
        try:
            look()
        except ValueError:
            continue
        return False
    return True


def _all_of(parts: Parts, data: bytes, size: int) -> Iterator[Sifted]:
    for piece in batched(data, size, strict=False) if size else [data]:
        yield from parts.feed(bytes(piece))
    yield from parts.feed(b"", last=True)
    yield parts.rest()


def check_parts(data: bytes, sizes: Iterable[int] = (0,), most: int = PART) -> list[Part]:
    """Everything in a file comes out in its parts as the exact way reads it, however its bytes come.

    Args:
        data: the file.
        sizes: in pieces of how many bytes it comes, each in turn.
        most: bytes of entries that are held before a part is cut.
    """
    first, *others = [in_parts(data, size, most) for size in sizes]
    for other in others:
        assert other == first
    wanted = sift(entries_of_capture(data, "f"))
    assert [one for part in first for one in part.asides] == [*map(seen_of, wanted.asides)]
    counts = [part.counts for part in first]
    assert sum(counts[1:], counts[0]) == wanted.counts
    _check_passed(data, first, wanted)
    _check_operations(first, wanted)
    return first


def _check_passed(data: bytes, parts: list[Part], wanted: Sifted) -> None:
    """Of equal ones another may stay; and the key of one that passes through is nobody's concern."""
    found = [one for part in parts for one in part.passed]
    assert Counter(map(_content_of, found)) == Counter(_content_of(facts_of(one)) for one in wanted.passed)
    if wanted.counts.duplicates:
        raws = {one.number: one.raw for one in entries_of_capture(data, "f") if isinstance(one, Entry)}
        assert all(raws[one[0]] == one[1] for one in found)
    else:
        assert sorted(one[0] for one in found) == [one.number for one in wanted.passed]


def _content_of(one: Facts) -> object:
    _, raw, category, _, _, time, _, administrative = one
    return raw, category, time, administrative


def _check_operations(parts: list[Part], wanted: Sifted) -> None:
    entries = {one.number: one for one in wanted.administrative}
    by_key: dict[OperationKey, list[Entry]] = defaultdict(list)
    for one in wanted.administrative:
        by_key[one.key].append(one)
    arrived: Counter[OperationKey] = Counter()
    raws: dict[OperationKey, set[bytes]] = defaultdict(set)
    for part in parts:
        for operation in part.whole:
            members = [entries[one[0]] for one in operation.entries]
            _check_operation(operation, members)
            arrived[operation.key] += operation.arrived
            raws[operation.key] |= {one.raw for one in members}
        for facts in part.administrative:
            assert facts == facts_of(entries[facts[0]])
            arrived[facts[3]] += 1
            raws[facts[3]].add(facts[1])
    assert arrived == {key: len(all_) for key, all_ in by_key.items()}
    assert raws == {key: {one.raw for one in all_} for key, all_ in by_key.items()}


def _check_operation(operation: Operation, members: list[Entry]) -> None:
    assert operation.entries == tuple(map(facts_of, members))
    assert members == in_order(members)
    assert {one.key for one in members} == {operation.key}
    assert operation.key.complete
    statuses = {one.status for one in members}
    assert START in statuses
    assert statuses & TERMINAL
    assert operation.succeeded == (SUCCESS in statuses)
    assert len({one.raw for one in members}) == len(members) <= operation.arrived
    record = condense(operation.key.uid, 1, members)
    assert operation.line == record.line
    assert operation.record == _facts_of(record)
