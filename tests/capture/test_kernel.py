"""What the kernel makes of a file, against the way that reads everything exactly."""

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.activity import arrivals
from shared.capture.entries import CONDENSED
from tests.capture.activity_log import capture_file, envelope, record, text
from tests.capture.in_parts import Part, check_parts
from tests.capture.odd_records import bodies, files
from tests.fuzz.handmade import block, deflated, event, header, number, raw_block, sized

MOSTS = st.sampled_from([1, 700, 1_500, 4_000, 1 << 20])
PAIR = [record("Start"), record("Success", 1)]


def whole(parts: Sequence[Part]) -> int:
    """How many operations the kernel made records of."""
    return sum(len(part.whole) for part in parts)


def one_of(body: bytes) -> list[Part]:
    return check_parts(header() + block([body]))


@settings(deadline=None)
@given(bodies())
@example(b'{"records":[]}')
@example(b'{"records":[{}]}')
@example(b'{"records":[],"records":[]}')
@example(b'{"records":[{"category":"Policy","category":"Policy"}]}')
@example(b'{"records":[{"category":"Policy","categor\\u0079":"Policy"}]}')
def test_a_body_of_anything_is_read_as_the_exact_way_reads_it(body: bytes) -> None:
    one_of(body)


@settings(deadline=None, max_examples=60)
@given(files(), st.integers(1, 3_000), MOSTS)
def test_a_file_of_anything_is_cut_into_the_same_parts_however_it_comes(
    data: bytes, size: int, most: int
) -> None:
    check_parts(data, (0, size, 7 * size), most)


def test_activity_as_azure_writes_it_is_read_by_the_kernel() -> None:
    records = [*islice(arrivals(7), 1_500)]
    some = [envelope(*records[at : at + 40]) for at in range(0, len(records), 40)]
    for codec in ("null", "deflate"):
        data = capture_file(some, codec, sync_interval=200_000)
        parts = check_parts(data, (0, 100_000), 1 << 20)
        left = sum(len(part.administrative) for part in parts)
        assert len(parts) > 3
        assert whole(parts) > 400
        assert left < 600


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"level": "é", "identity": {"claims": {"name": "Zoë"}}},
        {"a": "\ud800"},
        {"a": [[[{"b": [1.0, -0, 1e-5, 10**400, True, None]}]]]},
        {"time": "2024-05-01T10:00:00Z"},
        {"category": "aCTION"},
        {"properties": None, "resultSignature": None},
        {"operationName": "~!@#$%^&*()_+`-=[]{}|;:<>?,./ "},
        {"level": "n" * 100_000},
        {"l" * 255: 1},
        {"": ""},
    ],
)  # fmt: skip
def test_a_whole_operation_leaves_with_its_record(change: dict[str, Any]) -> None:
    assert whole(one_of(envelope(*[one | change for one in PAIR]))) == 1
    spaced = json.dumps({"records": [one | change for one in PAIR]}, separators=(" , ", " :\t"))
    assert whole(one_of(spaced.encode())) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"correlationId": "\xe9"},
        {"operationName": 'a"b'},
        {"resourceId": "a\nb"},
        {"resourceId": "a\x1fb"},
        {"correlationId": 5},
        {"time": "2024-05-01 10:00:00Z"},
        {"time": "1969-05-01T10:00:00Z"},
        {"time": ""},
        {"category": ""},
        {"category": "Write\u0130"},
        {CONDENSED: {}},
        {"l" * 256: 1},
        {"a": "b", '"': 1},
        {str(place): place for place in range(100)},
    ],
)  # fmt: skip
def test_what_is_odd_about_a_record_is_left_to_the_exact_way(change: dict[str, Any]) -> None:
    assert whole(one_of(envelope(*[one | change for one in PAIR]))) == 0


@pytest.mark.parametrize(
    "odd", [b'"level":NaN', b'"level":1,"level":2', b'"l\\u0065vel":1', b'"level":"\xff"']
)
def test_an_odd_entry_takes_its_operation_along(odd: bytes) -> None:
    start, end = map(text, PAIR)
    other = envelope(*[one | {"correlationId": "other"} for one in PAIR])
    parts = check_parts(
        header() + block([other, b'{"records":[' + start + b"," + end[:-1] + b"," + odd + b"}]}"])
    )
    assert whole(parts) == 1


def test_the_parts_of_a_key_are_not_run_together() -> None:
    keys = [("ab", "c", "d"), ("a", "bc", "d"), ("a", "b", "cd"), ("a", "b,c", "d")]
    fields = [dict(zip(("correlationId", "operationName", "resourceId"), key, strict=True)) for key in keys]
    assert whole(one_of(envelope(*[one | key for key in fields for one in PAIR]))) == 4


def test_what_has_all_kinds_of_statuses_and_shapes_becomes_one_record() -> None:
    statuses = ["Start", "Accept", "Success", "Failure", "Cancelled", "Start", "Accepted", "Failed"]
    records = [record(status, place, **{f"f{place % 5}": place}) for place, status in enumerate(statuses)]
    for some in (records, records[::-1], [dict(reversed([*one.items()])) for one in records]):
        [part] = one_of(envelope(*some))
        [operation] = part.whole
        assert len(operation.entries) == 8
        assert b'"absent":' in operation.line
        assert b'"attempts":2' in operation.line


def test_more_kinds_of_records_than_are_remembered_are_told_apart() -> None:
    records = [
        record(status, 0, correlation=str(kind), **{f"field{kind}": kind})
        for status in ("Start", "Success")
        for kind in range(60)
    ]
    assert whole(one_of(envelope(*records))) == 60


def test_entries_of_one_moment_are_ordered_by_what_they_are() -> None:
    statuses = ["Success", "Start", "Accept", "Failure", "Start", "Accept"]
    records = [record(status, 0, a=place) for place, status in enumerate(statuses)]
    [part] = one_of(envelope(*records))
    assert [one[4] for one in part.whole[0].entries] == ["start"] * 2 + ["accept"] * 2 + [
        "failure",
        "success",
    ]


def schema(*types: object, body: object = ("null", "bytes")) -> dict[str, Any]:
    fields = [{"name": f"f{place}", "type": kind} for place, kind in enumerate(types)]
    middle = len(fields) // 2
    made = {"name": "Body", "type": list(body) if isinstance(body, tuple) else body}
    return {"type": "record", "name": "r", "fields": [*fields[:middle], made, *fields[middle:]]}


BODY = number(1) + sized(envelope(*PAIR))
LONGS = {"type": "map", "values": "long"}
MIXED = {"type": "map", "values": ["int", "bytes"]}
SCHEMAS = [
    (schema(), BODY, 1),
    (schema(body="bytes"), BODY[1:], 1),
    (schema(body=("bytes", "null")), number(0) + BODY[1:], 1),
    (schema(body=("bytes",)), number(0) + BODY[1:], 0),
    (schema("long", "int"), number(-1 << 63) + BODY + number(7), 1),
    (schema("boolean", "float", "double", "null"), b"\x01" + bytes(4) + BODY + bytes(8), 1),
    (schema("string", "bytes"), sized(b"text") + BODY + sized(b"\xff"), 1),
    (schema("string", "bytes"), sized("é".encode()) + BODY + sized(b"\xff"), 0),
    (schema(LONGS), BODY + number(-1) + number(3) + sized(b"a") + number(5) + b"\0", 1),
    (schema({"type": "map", "values": {"type": "map", "values": "null"}}), BODY + b"\0", 1),
    (schema(["null", "string", LONGS]), BODY + number(1) + sized(b"a"), 1),
    (schema(["null", "string", LONGS]), BODY + number(2) + number(1) + sized(b"a") + number(5) + b"\0", 1),
    (schema(MIXED), BODY + number(2) + sized(b"a") + number(1) + sized(b"\xff") + sized(b"") + bytes(3), 1),
    (schema({"type": "record", "name": "s", "fields": [{"name": "a", "type": "long"}]}), BODY + b"\0", 0),
    (schema(*["null"] * 300), BODY, 0),
    (schema(["null", "string"]), BODY + number(0), 1),
    (schema(body="string"), BODY[1:], 0),
    (schema(body=("null", "string", "bytes")), number(2) + BODY[1:], 0),
]  # fmt: skip


@pytest.mark.parametrize(("described", "value", "read"), SCHEMAS)
@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_events_of_other_schemas_are_read_too(described: object, value: bytes, read: int, codec: str) -> None:
    data = deflated(value * 3) if codec == "deflate" else value * 3
    parts = check_parts(header(codec, described) + raw_block(data, count=3) * 2, (0, 100))
    assert whole(parts) == read
    for cut in (*range(4), *range(4, len(value), 29)):
        broken = deflated(value[:cut]) if codec == "deflate" else value[:cut]
        check_parts(header(codec, described) + raw_block(broken, count=1) + raw_block(data, count=3))


NUMBERS = [-(1 << 63), -(1 << 31), -1, 0, 2, 3, 1 << 26, 1 << 31, (1 << 32) + 1, 1 << 32, 1 << 62]


@pytest.mark.parametrize("codec", ["null", "deflate"])
@pytest.mark.parametrize("claim", NUMBERS)
def test_blocks_that_claim_what_is_not_true_are_told_as_by_the_exact_way(codec: str, claim: int) -> None:
    one = event(envelope(*PAIR))
    data = deflated(one) if codec == "deflate" else one
    good = block([envelope(record("Start", correlation="c2"), record("Success", 1, correlation="c2"))], codec)
    for liar in (
        raw_block(data, count=claim),
        raw_block(data, count=1, size=claim),
        raw_block(data, count=claim, size=claim),
    ):
        check_parts(header(codec) + good + liar + good, (0, 1, 50), 1_000)
        check_parts(header(codec) + liar + good + liar)


@pytest.mark.parametrize("codec", ["null", "deflate"])
@pytest.mark.parametrize("claim", NUMBERS)
def test_events_that_claim_what_is_not_true_are_told_as_by_the_exact_way(codec: str, claim: int) -> None:
    honest = event(envelope(*PAIR))
    body, pair = sized(envelope(*PAIR)), number(1) + sized(b"x-opt-enqueued-time")
    for lie in (
        honest.replace(body, number(claim) + body),
        honest.replace(pair, number(claim) + pair),
        honest.replace(pair, number(-1) + number(claim) + pair[1:]),
        honest.replace(pair, pair + number(claim)),
        honest.replace(pair, b"\xff" * 20),
    ):
        data = deflated(honest + lie) if codec == "deflate" else honest + lie
        check_parts(header(codec) + raw_block(data, count=2) + block([envelope(*PAIR)], codec), (0, 64))


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_file_that_is_cut_off_anywhere_gives_what_came_before(codec: str) -> None:
    data = header(codec) + block([envelope(*PAIR)], codec) + block([None, envelope(*PAIR)], codec)
    for cut in range(len(header(codec)), len(data), 3):
        check_parts(data[:cut], (0, 100), 500)


def test_a_marker_of_zeros_is_not_taken_for_the_end_of_the_text() -> None:
    marker = bytes(16)
    head = header(marker=marker)
    good = raw_block(event(envelope(*PAIR)), count=1, marker=marker)
    check_parts(head + good + marker + good, (0, 1, 7))
    check_parts(head + raw_block(b"", count=0, marker=marker) * 3 + b"\xff" * 30, (0, 1, 7))
