"""Small files that ask the kernel for much: its memory stays bounded, what it cannot take is read exactly."""

from collections.abc import Iterator, Sequence
from itertools import batched

import pytest

from shared.capture.parts import Parts
from shared.capture.sift import Sifted
from tests.capture.activity_log import envelope, record, text
from tests.capture.in_parts import check_parts, in_parts
from tests.fuzz.handmade import block, deflated, header, number, raw_block, sized
from tests.fuzz.test_bombs import BODIES

_MEGABYTE = 1 << 20
_TIMES = 12
"""Bytes of the sandbox for each byte of a block of the worst kind, which is one large operation."""

_ONE_PART = 1 << 26


def of_body(kind: object) -> object:
    return {"type": "record", "name": "r", "fields": [{"name": "Body", "type": kind}]}


def read(data: bytes, most: int = 1 << 22) -> tuple[Parts, Iterator[Sifted]]:
    """Reads a file, and gives its parts as they come."""
    parts = Parts("f", most)

    def found() -> Iterator[Sifted]:
        yield from parts.feed(data, last=True)
        yield parts.rest()

    return parts, found()


def memory_of(parts: Parts) -> int:
    """Bytes that the sandbox has, which only ever grow."""
    return parts._kernel._sandbox.view(0, 1 << 40).nbytes


def file_of(records: Sequence[bytes]) -> bytes:
    bodies = [b'{"records":[' + b",".join(some) + b"]}" for some in batched(records, 500, strict=False)]
    return header() + b"".join(block([body]) for body in bodies)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_asks_for_much_is_read_as_by_the_exact_way(body: bytes) -> None:
    check_parts(header() + block([body, envelope(record())]))
    parts, found = read(header() + block([body]), 1 << 16)
    assert [*found]
    assert memory_of(parts) < 32 * _MEGABYTE


@pytest.mark.parametrize(
    "item",
    [b"{},", b'{"a":1},', b'{"category":"x","time":"2024-01-01T00:00:00Z"},', text(record()) + b","],
    ids=["nothing", "little", "passing", "administrative"],
)
def test_many_records_in_one_body_take_memory_in_proportion(item: bytes) -> None:
    body = b'{"records":[' + item * (8 * _MEGABYTE // len(item)) + b"{}]}"
    parts, found = read(header() + block([body]))
    next(found)
    assert memory_of(parts) < _TIMES * len(body)


def test_many_fields_in_one_record_take_memory_in_proportion() -> None:
    body = b'{"records":[{' + b'"":1,' * (_MEGABYTE // 5) + b'"":1}]}'
    parts, found = read(header() + block([body] * 8))
    next(found)
    assert memory_of(parts) < _TIMES * 8 * len(body)


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_one_large_operation_takes_memory_in_proportion(codec: str) -> None:
    large = [record(status, level="x" * (9 * _MEGABYTE)) for status in ("Start", "Success")]
    for bodies, whole in (([envelope(*large)], 1), ([*map(envelope, large)], 0)):
        parts, found = read(header(codec) + block(bodies, codec))
        assert sum(len(part.whole) for part in found) == whole
        assert memory_of(parts) < _TIMES * 18 * _MEGABYTE


def test_events_of_one_byte_or_none_take_no_memory_each() -> None:
    for kind, count in ((["null", "bytes"], 3 * _MEGABYTE), ("null", 3 * _MEGABYTE)):
        parts, found = read(header(schema=of_body(kind)) + raw_block(bytes(3 * _MEGABYTE), count=count))
        assert len(next(found).asides) > 0
        assert memory_of(parts) < 40 * _MEGABYTE


@pytest.mark.parametrize("count", [1 << 20, 1 << 31, (1 << 32) - 1, (1 << 32) + 1])
def test_a_compressed_block_of_very_many_empty_events_is_broken(count: int) -> None:
    data = header("deflate", of_body("null")) + raw_block(deflated(b"\0"), count=count)
    [part] = check_parts(data)
    assert len(part.asides) == 1


@pytest.mark.parametrize("claim", [2_000_000_000, 1 << 26])
def test_a_block_that_claims_much_holds_what_there_is(claim: int) -> None:
    parts, found = read(header() + number(1) + number(claim) + bytes(_MEGABYTE))
    assert sum(len(one.raw) for part in found for one in part.asides) > _MEGABYTE
    assert memory_of(parts) < 16 * _MEGABYTE


def test_very_many_entries_of_one_operation_become_one_record() -> None:
    statuses = ["Start", "Accept", "Success", "Failure"]
    records = [text(record(statuses[place % 4], 1, level=place)) for place in range(100_000)]
    _, found = read(file_of(records), _ONE_PART)
    [part] = found
    [operation] = part.whole
    assert (operation.number, operation.arrived) == (100_000, 100_000)
    assert operation.record.line.count(b'"level":') == 100_000


def test_very_many_equal_entries_stay_once() -> None:
    records = [text(record("Start")), text(record("Success"))] * 50_000
    _, found = read(file_of(records), _ONE_PART)
    [part] = found
    assert [(one.number, one.arrived) for one in part.whole] == [(2, 100_000)]


def test_very_many_statuses_of_one_operation_are_read() -> None:
    records = [text(record(f"S{place}", resourceId="r")) for place in range(20_000)]
    _, found = read(file_of(records), _ONE_PART)
    [part] = found
    assert len({one.status for one in part.administrative}) == 20_000


def test_very_many_operations_are_the_same_whatever_the_seed() -> None:
    records = [
        text(record(status, place % 60, correlation=str(place)))
        for status in ("Start", "Success")
        for place in range(5_000)
    ]
    data = file_of(records)
    first = in_parts(data, most=16 << 20)
    assert sum(len(part.whole) for part in first) == 5_000
    assert in_parts(data, most=16 << 20) == first


def test_a_key_holds_whatever_can_stand_in_one() -> None:
    odd = [
        "a\\nb",
        "a\\u001fb",
        "a\\u0000",
        "a\x7fb",
        "\\ud800",
        "é",
        " ",
        "a,b",
        "\\\\",
        '\\"',
        "x" * 70_000,
    ]
    records = [
        text(record(status)).replace(name, key.encode())
        for key in odd
        for name in (b"c1", b"MICROSOFT.KEYVAULT/VAULTS/WRITE", b"/SUBSCRIPTIONS")
        for status in ("Start", "Success", "Start", "Accept")
    ]
    check_parts(file_of(records), (0, 1_000_003), 10_000)
    assert len({one for part in check_parts(file_of(records)) for one in part.whole}) > 3


def test_names_of_255_bytes_and_more_are_no_shape_of_others() -> None:
    names = ["n" * size for size in (1, 254, 255, 256, 257, 511, 512)]
    records = [text(record(status, **{name: 1})) for name in names for status in ("Start", "Success")]
    for some in (records, records[:6], records[2:4], records[:1] + records[7:8]):
        check_parts(header() + raw_block(event_of(some), count=1))


def event_of(records: Sequence[bytes]) -> bytes:
    body = b'{"records":[' + b",".join(records) + b"]}"
    return number(1) + b"\0" * 4 + number(1) + sized(body)
