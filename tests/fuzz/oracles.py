"""What holds for every file and every body, however odd. Each check fails with an assertion, or passes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from shared.capture.aside import Aside, AsideReason
from shared.capture.condense import condense
from shared.capture.decode import CaptureReader, entries_of_capture
from shared.capture.entries import Entry
from tests.capture.in_parts import check_parts
from tests.fuzz.blocks import blocks_of
from tests.fuzz.handmade import block, header
from tests.fuzz.reading import CONDENSED, Fields, facts_of, is_sound, records_in, value_of

type Item = Entry | Aside

GOOD = b'{"time":"2024-05-01T10:00:00Z","category":"Policy"}'
_DEEP = 2_000
_MANY = 900
_MOSTS = (1, 1_500, 1 << 16)
"""Bytes of entries that are held; the file says which of these."""


def check_file(data: bytes) -> None:
    """Reading never fails, gives the same in pieces of any size and in parts, and loses nothing."""
    found = [*entries_of_capture(data, "f")]
    size = 1 + (data[-1] if data else 0) % 64
    for pieces in (size, 16 * size):
        assert seen(in_pieces(data, pieces)) == seen(found)
    check_parts(data, (0, size), _MOSTS[len(data) % len(_MOSTS)])
    check_entries(found)
    blocks = blocks_of(data)
    if blocks is None:
        return
    rest = iter([_content(one) for one in found])
    for sound in blocks.sound:
        for one in entries_of_capture(sound, "f"):
            # Those of sound blocks come out in their order, with what is broken in between.
            assert _content(one) in rest
    assert sum(_is_broken(one) for one in found) >= blocks.broken


def check_body(body: bytes) -> None:
    """A body is read as Python's own parser reads it, whatever is beside it, and so it is by the kernel."""
    first, again = _read_twice(body)
    check_entries(first, start=1)
    assert [_content(one) for one in first] == [_content(one) for one in again]
    if _is_comparable(body):
        _compare(first, records_in(body))
    if b"\n" not in body and b"\r" not in body:
        at = 0
        for one in first:
            if isinstance(one, Entry):
                at = body.index(one.raw, at) + len(one.raw)


def check_entries(found: Sequence[Item], start: int = 0) -> None:
    """They are numbered in their order, of one line each, and can be rebuilt from their condensed records."""
    operations: dict[object, list[Entry]] = defaultdict(list)
    for place, one in enumerate(found, start):
        if not isinstance(one, Entry):
            continue
        assert one.number == place
        assert b"\n" not in one.raw
        assert b"\r" not in one.raw
        if one.administrative:
            operations[one.key].append(one)
    for entries in operations.values():
        if not any(_is_deep(one.raw) for one in entries):
            _check_operation(entries)


def in_pieces(data: bytes, size: int) -> Iterator[Item]:
    """What is in a file that comes in pieces of this size."""
    reader = CaptureReader("f")
    for at in range(0, len(data), size):
        for found in reader.feed(data[at : at + size]):
            yield from found
    for found in reader.feed(b"", last=True):
        yield from found


def seen(found: Iterable[Item]) -> list[object]:
    """All that there is to see of them; the bytes of a file set aside whole are not always held."""
    return [one if isinstance(one, Aside) and not one.whole_file else _facts(one) for one in found]


def _read_twice(body: bytes) -> tuple[list[Item], list[Item]]:
    """What is in a body, and in the same again, between good ones."""
    data = header() + block([GOOD, body, GOOD, body, GOOD])
    check_parts(data)
    found = [*entries_of_capture(data, "f")]
    goods = [place for place, one in enumerate(found) if isinstance(one, Entry) and one.raw == GOOD]
    each = (len(found) - 3) // 2
    assert {0, each + 1, len(found) - 1} <= {*goods}
    return found[1 : each + 1], found[each + 2 : -1]


def _compare(found: Sequence[Item], wanted: Sequence[Fields | None]) -> None:
    assert len(found) == len(wanted)
    for one, record in zip(found, wanted, strict=True):
        if isinstance(one, Aside):
            assert record is None
            continue
        assert record is not None
        assert value_of(one.raw) == record
        key = (one.key.correlation, one.key.operation, one.key.resource)
        assert (one.category, key, one.status, one.time, one.administrative) == facts_of(record)


def _check_operation(entries: Sequence[Entry]) -> None:
    record = condense("uid", 1, entries)
    assert record.line == condense("uid", 1, reversed(entries)).line
    assert b"\n" not in record.line
    record.line.decode("utf-8")
    wanted = [_by_name(value_of(one.raw)) for one in entries]
    for rebuilt in _members(record.line):
        wanted.remove(rebuilt)
    assert wanted == []
    assert all(one.key.uid == entries[0].key.uid for one in entries)


type _Named = dict[str, list[object]]


def _by_name(value: object) -> _Named:
    assert isinstance(value, Fields)
    return {name: value.all_of(name) for name, _ in value.pairs}


def _members(line: bytes) -> Iterator[_Named]:
    """The entries in a condensed record, rebuilt as its format says."""
    base = _by_name(value_of(line))
    [condensed] = base.pop(CONDENSED)
    assert isinstance(condensed, Fields)
    absent = condensed.last_of("absent")
    for status, fields in _pairs(condensed.last_of("statuses")):
        lacking = absent.last_of(status) if isinstance(absent, Fields) else None
        names = lacking if isinstance(lacking, list) else []
        yield {name: all_ for name, all_ in (base | _by_name(fields)).items() if name not in names}
    additional = condensed.last_of("additional_records")
    if isinstance(additional, list):
        yield from map(_by_name, additional)


def _pairs(value: object) -> Iterable[tuple[str, object]]:
    assert isinstance(value, Fields)
    return value.pairs


def _is_comparable(body: bytes) -> bool:
    """Whether it is not too much for the slow reader, and free of the characters that it keeps for itself."""
    if _is_deep(body) or body.count(b",") > _MANY:
        return False
    return is_sound(body.decode("utf-8", "replace")) and b"\\udbff" not in body.lower()


def _is_deep(raw: bytes) -> bool:
    return raw.count(b"[") + raw.count(b"{") > _DEEP


def _is_broken(one: Item) -> bool:
    return isinstance(one, Aside) and one.reason in (AsideReason.BROKEN_BLOCK, AsideReason.BROKEN_FILE)


def _facts(one: Item) -> object:
    """Everything but the bytes of what is set aside, which may be more or less of the body."""
    return (one.reason, one.message) if isinstance(one, Aside) else (one.number, _content(one))


def _content(one: Item) -> object:
    """What does not depend on where it stands."""
    if isinstance(one, Aside):
        return one.reason, one.raw
    return one.raw, one.category, one.key, one.status, one.time, one.moment, one.administrative
