"""The grammars that the kernel reads by: JSON, UTF-8, times and Avro's numbers, one deviation at a time."""

from collections.abc import Iterable
from itertools import product

import pytest

from tests.capture.activity_log import envelope, record, text
from tests.capture.in_parts import check_parts
from tests.fuzz.handmade import block, event, header, raw_block

START, END = text({**record(), "a": 0}), text({**record("Success", 1), "a": 0})
PAIR = [START, END]
SHORT = (
    b'{"records":[{"time":"2024-05-01T10:00:00Z","category":"Write","correlationId":"","resultType":"x"}]}'
)


def whole_in(bodies: Iterable[bytes]) -> int:
    """How many operations the kernel made records of, in events that do not see each other."""
    parts = check_parts(header() + block([*bodies]), most=1)
    return sum(len(part.whole) for part in parts)


def with_value(value: bytes) -> bytes:
    """An operation whose entries have a field of that value."""
    return b'{"records":[' + b",".join(one.replace(b'"a":0', b'"a":' + value) for one in PAIR) + b"]}"


VALUES = {
    b"0": True,
    b"-0": True,
    b"10.5e-10": True,
    b"0E+1": True,
    b"1e999": True,
    b"9" * 500: True,
    b"true": True,
    b"false": True,
    b"null": True,
    b"[]": True,
    b"{}": True,
    b"[ ]": True,
    b"{\t}": True,
    b'[1,"a",{"b":[null]}]': True,
    b'{"a":1,"a":2}': True,
    b'""': True,
    b'"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD800"': True,
    b'"]}"': True,
    b"[" * 63 + b"]" * 63: True,
    b'{"b":' * 63 + b"1" + b"}" * 63: True,
    b"[" * 62 + b"{}" + b"]" * 62: True,
    b"[" * 400 + b"]" * 400: False,
    b'[{"b":' * 200 + b"1" + b"}]" * 200: False,
    **dict.fromkeys(
        [
            *(b"", b"-", b"+1", b"01", b"-01", b"1.", b".5", b"1.e5", b"1e", b"1e+", b"1e5.5", b"0x1"),
            *(b"tru", b"truee", b"True", b"nul", b"NULL", b"fals", b"NaN", b"-Infinity", b"Infinity", b"--1"),
            *(b"[1,]", b"[,1]", b"[1 2]", b"[", b"]", b"[}", b"{]", b"[[]", b"{,}", b'{"a":1,}', b'{"a"}'),
            *(b'{"a":}', b'{"a" 1}', b"{1:2}", b"{a:1}", b'{"a":1 "b":2}', b"'a'", b'"a', b'a"', b'"a""b"'),
            *(b'"\\u12"', b'"\\u12G4"', b'"\\x"', b'"\\', b'"\\U0041"', b'"a\tb"', b'"a\nb"'),
            *(b'"\0"', b'"\x1f"'),
            *(b"1//", b"/**/1", b"1;", b"1\x0b", b"1\x0c", b"\xef\xbb\xbf1", b"\xc2\xa01", b"1\0"),
        ],
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("value", "sound"), VALUES.items())
def test_a_value_is_sound_json_or_left_to_the_exact_way(value: bytes, sound: bool) -> None:
    assert whole_in([with_value(value)]) == sound


@pytest.mark.parametrize("extra", [bytes([byte]) for byte in b' \t\n\r\x0b\x0c\0,:"\\[]{}0-a\x7f\x80\xff'])
def test_a_character_too_many_anywhere_changes_nothing_but_what_it_changes_for_all(extra: bytes) -> None:
    whole_in([SHORT[:at] + extra + SHORT[at:] for at in range(len(SHORT) + 1)])


def test_so_does_a_character_that_lacks() -> None:
    whole_in([SHORT[:at] + SHORT[at + 1 :] for at in range(len(SHORT))])


def test_white_space_in_a_line_is_part_of_an_entry_and_line_breaks_are_not() -> None:
    pair = b'{"records":[' + b",".join(PAIR) + b"]}"
    places = [at for at, byte in enumerate(pair) if byte in b"{}[]"]
    assert whole_in([pair[:at] + b" \t" + pair[at:] for at in places]) == len(places)
    for end in (b"\n", b"\r", b"\r\n"):
        assert whole_in([pair[:at] + end + pair[at:] for at in places]) == 0
        assert whole_in([pair.replace(old, old + end) for old in (b"{", b",", b'":', b'"time"', b"0}")]) == 0


def test_only_what_is_utf8_is_taken_for_it() -> None:
    firsts = (
        0x7F,
        0x80,
        0xBF,
        0xC0,
        0xC1,
        0xC2,
        0xDF,
        0xE0,
        0xE1,
        0xEC,
        0xED,
        0xEE,
        0xEF,
        0xF0,
        0xF1,
        0xF3,
        0xF4,
    )
    seconds = (0x22, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0)
    sequences = [
        bytes([first, second]) + rest
        for first, second, rest in product(
            (*firsts, 0xF5, 0xF8, 0xFF), seconds, (b"", b"\x80", b"\xbf\xbf", b"\x80\x80\x80", b"\xc2")
        )
    ]

    def is_utf8(sequence: bytes) -> bool:
        try:
            sequence.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return b'"' not in sequence

    assert whole_in([with_value(b'"%b"' % one) for one in sequences]) == sum(map(is_utf8, sequences))
    assert whole_in([with_value(b'"%b"' % one[:-1]) for one in sequences]) > 0


@pytest.mark.parametrize("size", [*range(40), 47, 48, 63, 64, 511, 512, 513])
def test_a_string_ends_wherever_it_ends(size: int) -> None:
    ends = (b"", b'\\"', b"\\\\", b"\xc3\xa9", b"\xf0\x9f\x98\x80", b"\\ud83d\\ude00")
    assert whole_in([with_value(b'"' + b"x" * size + end + b'"') for end in ends]) == len(ends)
    whole_in(
        [
            with_value(b'"' + b"x" * size + end + b'"')
            for end in (b"\x1f", b"\xff", b"\\q", b"\xc3", b"\\u00g0")
        ]
    )


@pytest.mark.parametrize("size", range(34))
def test_names_and_values_of_any_length_are_compared_to_the_last_byte(size: int) -> None:
    start, end = (record(status, **{"n" * size + "a": "v" * size + "a"}) for status in ("Start", "Success"))
    for change in (
        {"n" * size + "b": 1},
        {"n" * size + "a": "v" * size + "b"},
        {"b" + "n" * size: "v" * size + "a"},
    ):
        assert whole_in([envelope(start, end | change), envelope(start | change, end)]) == 2
    keys = [{"correlationId": "k" * size + end} for end in ("a", "b")]
    assert whole_in([envelope(*[one | key for key in keys for one in (start, end)])]) == 2


TIMES = [
    "2024-05-01T10:00:00Z",
    "2024-05-01T10:00:00.1Z",
    "2024-05-01T10:00:00.123456789Z",
    "2024-02-29T23:59:59.999999999Z",
    "2000-02-29T00:00:00Z",
    "1970-01-01T00:00:00.000000001Z",
    "2200-12-31T23:59:59Z",
]
OTHER_TIMES = [
    *("2024-05-01T10:00:00", "2024-05-01T10:00Z", "2024-05-01t10:00:00Z", "2024-05-01 10:00:00Z"),
    *(
        "2024-05-01T10:00:00.Z",
        "2024-05-01T10:00:00.1234567890Z",
        "2024-05-01T10:00:00,1Z",
        "2024-05-01T10:00:00.1",
    ),
    *("2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2024-00-01T00:00:00Z", "2024-13-01T00:00:00Z"),
    *("2024-01-00T00:00:00Z", "2024-04-31T00:00:00Z", "2024-01-32T00:00:00Z", "2024-01-01T24:00:00Z"),
    *("2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z"),
    *("2201-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2024-05-01T10:00:00+00:00", " 2024-05-01T10:00:00Z"),
    *(
        "2024-05-01T10:00:00.1 Z",
        "2024-05-01T10:00:0aZ",
        "2024-5-01T10:00:00Z",
        "5/1/2024 10:00:00 AM",
        "",
        "Z",
    ),
]


def test_times_are_read_to_the_last_digit_or_left_to_the_exact_way() -> None:
    bodies = [envelope(record(time=time), record("Success", time=time)) for time in TIMES]
    assert whole_in(bodies) == len(bodies)
    others = [envelope(record(time=time), record("Success", time=time)) for time in OTHER_TIMES]
    assert whole_in(others) == 0


@pytest.mark.parametrize("month", range(1, 13))
def test_every_day_of_a_month_is_read(month: int) -> None:
    days = [
        f"{year}-{month:02}-{day:02}T01:02:03.4Z" for year in (1999, 2000, 2023, 2024) for day in range(1, 32)
    ]
    whole_in([envelope(record(time=time), record("Success", time=time)) for time in days])


def padded(number: int, size: int, last: int = 0) -> bytes:
    """A number that is spelled with more bytes than it needs, of which the last may say more."""
    value = 2 * number
    found = [value >> 7 * place & 0x7F | 0x80 for place in range(size - 1)]
    return bytes([*found, (value >> 7 * (size - 1)) | last])


@pytest.mark.parametrize("size", range(2, 13))
@pytest.mark.parametrize("last", [0, 1, 2, 3, 0x40, 0x7E, 0x7F])
def test_a_number_may_be_spelled_in_more_bytes_than_it_needs(size: int, last: int) -> None:
    one = event(b'{"records":[' + b",".join(PAIR) + b"]}")
    marker = raw_block(b"", count=0)[2:]
    for head in (
        padded(1, size, last) + padded(len(one), 5),
        padded(1, 3) + padded(len(one), max(size, 3), last),
    ):
        check_parts(header() + head + one + marker + raw_block(one, count=1), (0, 1))
    spelled = one.replace(one[:2], padded(100, max(size, 2), last), 1)
    check_parts(header() + raw_block(spelled, count=1) + raw_block(one, count=1))
