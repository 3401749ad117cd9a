"""Dirty input, one kind at a time: set aside whole, with reason and place, and the rest goes on."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.capture.aside import Aside, AsideReason, aside_line
from shared.capture.decode import entries_of_capture
from shared.capture.entries import Entry
from tests.capture.activity_log import capture_file, envelope, record, text

GOOD = envelope(record())


def read(data: bytes) -> tuple[list[Entry], list[Aside]]:
    found = list(entries_of_capture(data, "file.avro"))
    return [one for one in found if isinstance(one, Entry)], [one for one in found if isinstance(one, Aside)]


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_events_of_one_or_many_records_are_read(codec: str) -> None:
    bodies = [envelope(record(), record("Success", 1)), text(record("Accept")), text([record("Failure")])]
    entries, asides = read(capture_file(bodies, codec))
    assert [one.status for one in entries] == ["start", "success", "accept", "failure"]
    assert [one.number for one in entries] == [0, 1, 2, 3]
    assert asides == []


@pytest.mark.parametrize(
    "data", [b"", capture_file([]), capture_file([], "deflate"), capture_file([envelope()])]
)
def test_empty_files_hold_nothing_and_are_fine(data: bytes) -> None:
    assert read(data) == ([], [])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, AsideReason.NULL_BODY),
        (b"", AsideReason.EMPTY_BODY),
        (b" \r\n", AsideReason.EMPTY_BODY),
        (b"no json", AsideReason.INVALID_JSON),
        (b'{"records":[{"a":1}', AsideReason.INVALID_JSON),
        (b"17", AsideReason.NOT_AN_OBJECT),
        (b'{"records":[17]}', AsideReason.NOT_AN_OBJECT),
        (b'{"records":[null]}', AsideReason.NOT_AN_OBJECT),
        (b'{"records":[{"a":"\xff\xfe"}]}', AsideReason.INVALID_UTF8),
        (b'{"records":[],"extra":1}', AsideReason.UNKNOWN_ENVELOPE_FIELD),
        (b"[" * 100_000, AsideReason.TOO_DEEP),
        (b'{"records":[{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}]}", AsideReason.TOO_DEEP),
    ],
)
def test_a_bad_body_is_set_aside_and_its_neighbours_are_read(body: bytes | None, reason: AsideReason) -> None:
    entries, asides = read(capture_file([GOOD, body, GOOD]))
    assert len(entries) == 2
    assert [aside.reason for aside in asides] == [reason]
    assert (asides[0].position.event, asides[0].position.sequence) == (1, 101)


def test_an_envelope_may_hold_its_records_in_two_places() -> None:
    entries, asides = read(
        capture_file([b'{"records":[{"a":1}],"records":[{"a":2}],"record\\u0073":[{"a":3}]}'])
    )
    assert ([one.raw for one in entries], asides) == ([b'{"a":1}', b'{"a":2}', b'{"a":3}'], [])


def test_a_bad_record_does_not_take_its_neighbours_along() -> None:
    good = text(record())
    for bad in (b"17", b"NaN", b'{"a":"\xff"}'):
        entries, asides = read(capture_file([b'{"records":[' + b",".join([good, bad, good]) + b"]}"]))
        assert len(entries) == 2
        assert asides[0].raw == bad
        assert asides[0].position.record == 1


@pytest.mark.parametrize(
    "crowd", [b"[" + b"1," * 400_000 + b"1]", b'{"records":[' + b"{}," * 200_000 + b"{}]}"]
)
def test_a_body_of_more_values_than_records_would_fit_in_is_set_aside_whole(crowd: bytes) -> None:
    aside, entry = entries_of_capture(capture_file([crowd, envelope(record())]), "f")
    assert isinstance(aside, Aside)
    assert (aside.reason, aside.raw) == (AsideReason.TOO_MANY, crowd)
    assert isinstance(entry, Entry)


def test_a_body_of_more_lines_than_records_would_fit_in_is_set_aside_whole() -> None:
    crowd = text(record()) + b"\n1" * 400_000
    (aside,) = entries_of_capture(capture_file([crowd]), "f")
    assert isinstance(aside, Aside)
    assert aside.raw == crowd


def test_a_body_of_many_small_records_is_read() -> None:
    small = [{"a": "b" * 12} for _ in range(2_000)]
    assert all(isinstance(one, Entry) for one in entries_of_capture(capture_file([envelope(*small)]), "f"))


def test_what_only_strict_readers_refuse_takes_nothing_along_and_is_read() -> None:
    good = text(record())
    for odd in (b'{"a":NaN}', b'{"a":-Infinity}', b'{"category":"Write","a":1,"a":2}'):
        entries, asides = read(capture_file([b'{"records":[' + b",".join([good, odd, good]) + b"]}"]))
        assert asides == []
        assert [one.raw for one in entries] == [good, odd, good]


def test_half_a_surrogate_pair_in_one_record_does_not_take_its_neighbours_along() -> None:
    odd = b'{"category":"Policy", "a":"\\udc00" }'
    entries, asides = read(capture_file([b'{"records":[' + text(record()) + b" , " + odd + b"]}"]))
    assert asides == []
    assert entries[1].raw == odd


def test_a_byte_order_mark_is_no_obstacle() -> None:
    entries, asides = read(capture_file([b"\xef\xbb\xbf" + GOOD]))
    assert (len(entries), asides) == (1, [])


def test_a_body_of_one_record_a_line_is_read_line_by_line() -> None:
    entries, asides = read(capture_file([text(record()) + b"\r\nbroken\n\n" + GOOD]))
    assert len(entries) == 2
    assert (asides[0].position.line, asides[0].raw) == (2, b"broken")


def test_a_record_with_a_field_named_records_is_no_envelope() -> None:
    odd = text({"category": "Policy", "records": [1, 2]})
    entries, _ = read(capture_file([odd]))
    assert [one.raw for one in entries] == [odd]


def test_request_bodies_may_be_strings_or_objects() -> None:
    bodies = [envelope(record(properties={"requestbody": body})) for body in ('{"a":1}', {"a": 1}, None)]
    entries, asides = read(capture_file(bodies))
    assert (len(entries), asides) == (3, [])


def test_a_file_that_is_no_avro_is_set_aside_whole() -> None:
    entries, asides = read(b"PK\x03\x04 something else")
    assert entries == []
    assert (asides[0].reason, asides[0].whole_file) == (AsideReason.BROKEN_FILE, True)


def test_a_codec_that_we_do_not_know_sets_the_file_aside() -> None:
    data = capture_file([GOOD]).replace(b"\x08null", b"\x08zstd")
    assert read(data)[1][0].reason is AsideReason.BROKEN_FILE


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_broken_block_is_set_aside_and_the_others_are_read(codec: str) -> None:
    blocks = capture_file([GOOD] * 9, codec, sync_interval=1)
    marker = blocks[-16:]
    parts = blocks.split(marker)
    parts[3] = parts[3][:2] + b"\xff" * (len(parts[3]) - 2)
    entries, asides = read(marker.join(parts))
    assert len(entries) == 8
    assert [aside.reason for aside in asides] == [AsideReason.BROKEN_BLOCK]


def test_a_file_that_is_cut_off_gives_what_came_before() -> None:
    blocks = capture_file([GOOD] * 3, sync_interval=1)
    entries, asides = read(blocks[:-30])
    assert len(entries) == 2
    assert asides[0].message == "a block is cut off"


def test_a_block_that_claims_an_absurd_size_is_set_aside() -> None:
    whole = capture_file([GOOD])
    header = capture_file([])
    broken = header + b"\x02" + b"\xff\xff\xff\xff\x0f" + whole[len(header) :]
    entries, asides = read(broken)
    assert entries == []
    assert [aside.reason for aside in asides] == [AsideReason.BROKEN_BLOCK]


def test_a_line_of_the_set_aside_file_says_what_why_and_where() -> None:
    _, asides = read(capture_file([GOOD, b"junk"]))
    line = json.loads(aside_line(asides[0]))
    assert line == {
        "source": "file.avro",
        "position": {"event": 1, "sequence": 101},
        "reason": "invalid_json",
        "message": "invalid JSON: Expecting value at character 0",
        "raw": "anVuaw==",
    }


@given(st.binary(max_size=300))
def test_no_bytes_make_the_decoder_fail(data: bytes) -> None:
    read(data)
    read(b"Obj\x01" + data)
    read(capture_file([data]))


@given(st.data())
def test_no_damage_to_a_good_file_makes_the_decoder_fail(data: st.DataObject) -> None:
    whole = bytearray(capture_file([GOOD] * 3, "deflate", sync_interval=1))
    for _ in range(3):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    read(bytes(whole))
