"""Files written by hand, each wrong in one way: the wrong part is set aside, and the rest is read."""

import json
from collections.abc import Sequence

import pytest

from shared.capture.aside import Aside, AsideReason
from shared.capture.decode import entries_of_capture
from shared.capture.entries import Entry
from tests.capture.activity_log import SCHEMA
from tests.fuzz.handmade import MARKER, block, deflated, event, header, number, raw_block, sized
from tests.fuzz.oracles import GOOD, in_pieces, seen

FIRST, SECOND, THIRD = (b'{"category":"Policy","level":%d}' % place for place in range(3))
CODECS = pytest.mark.parametrize("codec", ["null", "deflate"])


def read(data: bytes) -> tuple[list[bytes], list[Aside]]:
    """The entries and what is set aside, which is the same in whatever pieces the file comes."""
    found = [*entries_of_capture(data, "f")]
    asides = [one for one in found if isinstance(one, Aside)]
    assert seen(in_pieces(data, 77 if len(data) < 4_000 else 400_000)) == seen(found)
    return [one.raw for one in found if isinstance(one, Entry)], asides


def packed(data: bytes, codec: str) -> bytes:
    return deflated(data) if codec == "deflate" else data


def reasons(asides: Sequence[Aside]) -> list[AsideReason]:
    return [one.reason for one in asides]


@CODECS
@pytest.mark.parametrize("size", [-1, -(1 << 31), -(1 << 63), (1 << 26) + 1, 2_000_000_000, 1 << 31, 1 << 62])
def test_a_block_of_an_impossible_size_leaves_the_others_alone(codec: str, size: int) -> None:
    liar = raw_block(packed(event(SECOND), codec), count=1, size=size)
    entries, asides = read(header(codec) + block([FIRST], codec) + liar + block([THIRD], codec))
    assert entries == [FIRST, THIRD]
    assert [one.raw for one in asides] == [liar]


@CODECS
@pytest.mark.parametrize("more", [-9, -1, 1, 9, 1_000_000, 1 << 25])
def test_a_block_that_lies_about_its_size_leaves_the_others_alone(codec: str, more: int) -> None:
    data = packed(event(SECOND), codec)
    liar = raw_block(data, count=1, size=len(data) + more)
    entries, asides = read(header(codec) + block([FIRST], codec) + liar + block([THIRD], codec))
    assert entries == [FIRST, THIRD]
    assert [one.raw for one in asides] == [liar]


@CODECS
def test_a_block_that_claims_its_neighbour_too_does_not_take_it_along(codec: str) -> None:
    data, neighbour = packed(event(FIRST), codec), block([SECOND], codec)
    liar = raw_block(data, count=1, size=len(data + MARKER + neighbour) - len(MARKER))
    entries, asides = read(header(codec) + liar + neighbour + block([THIRD], codec))
    assert entries == [FIRST, SECOND, THIRD]
    assert reasons(asides) == [AsideReason.BROKEN_BLOCK]


@pytest.mark.parametrize("junk", [b"junk", event(b"{}")])
def test_what_follows_the_compressed_part_of_a_block_is_set_aside(junk: bytes) -> None:
    data = raw_block(deflated(event(FIRST)) + junk, count=1)
    entries, asides = read(
        header("deflate") + data.replace(b"junk", b"more junk") + block([SECOND], "deflate")
    )
    assert entries[-1] == SECOND
    assert asides


def test_a_checksum_behind_the_compressed_part_is_nothing_to_worry_about() -> None:
    data = raw_block(deflated(event(FIRST)) + b"\x01\x02\x03\x04", count=1)
    assert read(header("deflate") + data) == ([FIRST], [])


@CODECS
@pytest.mark.parametrize("count", [-(1 << 63), -1, 0, 1, 3, 1 << 62])
def test_a_block_that_lies_about_its_number_of_events_gives_what_it_has(codec: str, count: int) -> None:
    entries, asides = read(header(codec) + block([FIRST, SECOND], codec, count=count) + block([THIRD], codec))
    assert entries == [FIRST, SECOND, THIRD]
    assert reasons(asides) == [AsideReason.BROKEN_BLOCK]


@CODECS
@pytest.mark.parametrize("size", [-1, -(1 << 62), 1_000, 2_000_000_000, 1 << 62])
def test_a_body_that_lies_about_its_size_leaves_the_other_blocks_alone(codec: str, size: int) -> None:
    honest = event(SECOND)
    lying = honest[: honest.index(sized(SECOND))] + number(size) + SECOND
    blocks = [block([FIRST], codec), raw_block(packed(lying, codec), count=1), block([THIRD], codec)]
    entries, asides = read(header(codec) + b"".join(blocks))
    assert entries == [FIRST, THIRD]
    assert [(one.reason, one.raw) for one in asides] == [(AsideReason.BROKEN_BLOCK, lying)]


@pytest.mark.parametrize("count", [-1, -(1 << 63), 1 << 62])
def test_properties_of_endless_number_leave_the_other_blocks_alone(count: int) -> None:
    honest = event(SECOND)
    lying = honest.replace(number(1) + sized(b"x-opt-enqueued-time"), number(count) + sized(b"x-opt"))
    entries, asides = read(header() + raw_block(lying, count=1) + block([THIRD]))
    assert entries == [THIRD]
    assert reasons(asides) == [AsideReason.BROKEN_BLOCK]


@CODECS
def test_a_marker_that_is_missing_takes_nothing_along_unseen(codec: str) -> None:
    unmarked = block([SECOND], codec).removesuffix(MARKER)
    entries, asides = read(header(codec) + block([FIRST], codec) + unmarked + block([THIRD], codec))
    assert entries == [FIRST]
    assert [one.raw for one in asides] == [unmarked + block([THIRD], codec)]


@CODECS
def test_a_file_that_is_cut_off_anywhere_gives_what_came_before(codec: str) -> None:
    head, first, second = header(codec), block([FIRST], codec), block([SECOND], codec)
    for cut in range(1, len(second)):
        entries, asides = read(head + first + second[:cut])
        assert entries == [FIRST]
        assert [one.raw for one in asides] == [second[:cut]]


def test_a_header_that_is_cut_off_anywhere_sets_the_file_aside_whole() -> None:
    whole = header()
    for cut in range(1, len(whole)):
        entries, asides = read(whole[:cut])
        assert (entries, reasons(asides), asides[0].raw) == ([], [AsideReason.BROKEN_FILE], whole[:cut])


def nested(depth: int) -> object:
    schema: object = "null"
    for _ in range(depth):
        schema = {"type": "map", "values": schema}
    return schema


def doubling(depth: int) -> object:
    """A schema of 2 ** depth values, none of which takes a byte."""
    schema: object = {"type": "record", "name": "r0", "fields": []}
    for place in range(1, depth):
        fields = [{"name": "a", "type": schema}, {"name": "b", "type": f"r{place - 1}"}]
        schema = {"type": "record", "name": f"r{place}", "fields": fields}
    return schema


def of_body(schema: object) -> object:
    return {"type": "record", "name": "r", "fields": [{"name": "Body", "type": schema}]}


@pytest.mark.parametrize(
    "schema",
    [
        of_body("r"),
        of_body(["null", "r"]),
        of_body({"type": "array", "items": "null"}),
        of_body({"type": "enum", "name": "e", "symbols": ["a"]}),
        of_body("nothing"),
        of_body(doubling(40)),
        {"type": "record", "name": "r", "fields": [{"name": f"f{n}", "type": "null"} for n in range(1_000)]},
        {"type": "record", "name": "r"},
        {"type": "record", "name": "r", "fields": 5},
        "r",
        5,
        None,
        {},
    ],
)
def test_a_schema_that_capture_does_not_write_sets_the_file_aside_whole(schema: object) -> None:
    data = header(schema=schema) + raw_block(b"\x02" * 1_000_000, count=1)
    entries, asides = read(data)
    assert (entries, reasons(asides)) == ([], [AsideReason.BROKEN_FILE])


@pytest.mark.parametrize("schema", [of_body(nested(400)), of_body({"type": {"type": []}}), []])
def test_a_schema_that_nothing_fits_sets_the_blocks_aside(schema: object) -> None:
    data = raw_block(b"\x02" * 1_000_000, count=1)
    entries, asides = read(header(schema=schema) + data)
    assert entries == []
    assert asides[0].raw in data
    assert reasons(asides) == [AsideReason.BROKEN_BLOCK]


def test_a_schema_without_bytes_loses_nothing() -> None:
    data = header(schema="null") + raw_block(b"left over", count=0)
    assert [one.raw for one in read(data)[1]] == [b"left over"]


def test_logical_types_are_read_as_what_they_are_made_of() -> None:
    schema = json.loads(json.dumps(SCHEMA))
    schema["fields"][-1]["type"] = ["null", {"type": "bytes", "logicalType": "decimal", "precision": 1 << 40}]
    assert read(header(schema=schema) + block([FIRST])) == ([FIRST], [])


@pytest.mark.parametrize(
    "metadata",
    [
        number(1 << 62) + sized(b"") * 2,
        number(-(1 << 63)) + number(-1) + sized(b"") * 2,
        number(1) + number(-1),
        number(1) + number(2_000_000_000),
        number(1) + sized(b"\xff") + sized(b""),
        number(1) + sized(b"avro.schema") + sized(b"[" * 900_000) + number(0),
        number(1) + sized(b"avro.schema") + sized(b"\xff") + number(0),
        number(0),
        b"\xff" * 100,
        number(600_000) + sized(b"") * 1_200_000 + number(0),
    ],
)
def test_a_header_of_absurd_claims_sets_the_file_aside_whole(metadata: bytes) -> None:
    data = b"Obj\x01" + metadata + MARKER + block([FIRST])
    entries, asides = read(data)
    assert (entries, reasons(asides), asides[0].raw) == ([], [AsideReason.BROKEN_FILE], data)


ODD = [
    b'{"a":NaN,"b":-Infinity}',
    b'{"a":"\\ud800","\\udc00":1}',
    b'{"a":' + b"9" * 5_000 + b',"b":1e999,"c":-0.10}',
    b'{"a":1,"a":2,"\\u0061":3}',
    b'{ "a" : 1 , "b" : [ ] }',
    b'{"a":' + b"[" * 500 + b"]" * 500 + b"}",
]


@CODECS
@pytest.mark.parametrize("odd", ODD)
def test_valid_entries_that_fast_readers_refuse_come_out_as_they_came_in(codec: str, odd: bytes) -> None:
    bodies = [
        GOOD,
        odd,
        b'{"records":[' + GOOD + b"," + odd + b"," + GOOD + b"]}",
        b"\xef\xbb\xbf" + b"[" + odd + b"]",
        odd + b"\n" + odd,
    ]
    entries, asides = read(header(codec) + block(bodies, codec))
    assert asides == []
    assert entries == [GOOD, odd, GOOD, odd, GOOD, odd, odd, odd]


@pytest.mark.parametrize(
    "body",
    [
        b'{"\xff":1}',
        b'{"records":[{"\xff":1}]}',
        b'[{"a":{"\xff":1}}]',
        b'{"records":[],"\xff":1}',
        b'{"a":1}\n{"\xff":1}',
    ],
)
def test_a_name_that_is_no_utf8_is_set_aside_and_its_neighbours_are_read(body: bytes) -> None:
    entries, asides = read(header() + block([FIRST, body, SECOND]))
    assert (entries[0], entries[-1], len(asides)) == (FIRST, SECOND, 1)
