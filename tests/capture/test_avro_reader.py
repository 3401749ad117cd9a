"""Capture files that come in pieces, and blocks that claim what is not true."""

import io
import tracemalloc
from itertools import pairwise
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib

from shared.capture.avro import AvroReader, BrokenPart, values_in
from shared.capture.avro_header import BrokenAvroError
from tests.capture.activity_log import capture_file, envelope, record

GOOD = envelope(record())
FILES = [
    capture_file([GOOD] * 9, codec, sync_interval=interval)
    for codec in ("null", "deflate")
    for interval in (1, 1_000, 100_000)
]


def zigzag(number: int) -> bytes:
    number = number * 2 if number >= 0 else -2 * number - 1
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def parted(data: bytes) -> tuple[bytes, bytes]:
    """The header, which ends with the marker, and the blocks."""
    size = len(capture_file([]))
    return data[:size], data[size:]


def read(data: bytes, cuts: list[int]) -> list[Any]:
    reader = AvroReader()
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    found = [one for start, end in pairwise(places) for one in reader.feed(data[start:end])]
    return [*found, *reader.feed(b"", last=True)]


@given(st.sampled_from(FILES), st.lists(st.integers(0, 1 << 20), max_size=40))
def test_a_file_that_comes_in_pieces_is_read_as_one_that_comes_at_once(data: bytes, cuts: list[int]) -> None:
    assert read(data, cuts) == [*values_in(data)]


@given(
    st.sampled_from(FILES),
    st.lists(st.integers(0, 1 << 20), max_size=9),
    st.integers(0, 1 << 20),
    st.binary(max_size=3),
)
def test_so_is_a_damaged_one_and_all_its_bytes_are_accounted_for(
    data: bytes, cuts: list[int], at: int, junk: bytes
) -> None:
    start = len(capture_file([]))
    at = start + at % (len(data) - start)
    damaged = data[:at] + junk + data[at + len(junk) :]

    found = read(damaged, cuts)

    events = [one for one in found if not isinstance(one, BrokenPart)]
    broken = [one for one in found if isinstance(one, BrokenPart)]
    wanted = [*values_in(damaged)]
    assert events == [one for one in wanted if not isinstance(one, BrokenPart)]
    assert b"".join(one.raw for one in broken) == b"".join(
        one.raw for one in wanted if isinstance(one, BrokenPart)
    )


@pytest.mark.parametrize("size", [-1, -(1 << 62), 1 << 31, 1 << 62])
def test_a_block_of_an_impossible_size_is_set_aside_at_once(size: int) -> None:
    header, tail = parted(capture_file([GOOD]))
    reader = AvroReader()
    assert [*reader.feed(header + zigzag(1) + zigzag(size))] == []

    found = [*reader.feed(header[-16:] + tail, last=True)]

    assert isinstance(found[0], BrokenPart)
    assert [one["Body"] for one in found[1:]] == [GOOD]


def test_a_block_that_claims_more_than_there_is_does_not_swallow_the_next() -> None:
    header, tail = parted(capture_file([GOOD]))
    reader = AvroReader()

    found = [*reader.feed(header + zigzag(1) + zigzag(50 << 20) + b"x" * 99 + header[-16:] + tail, last=True)]

    assert isinstance(found[0], BrokenPart)
    assert [one["Body"] for one in found[1:]] == [GOOD]


def test_rubbish_without_an_end_is_reported_in_parts_and_not_held() -> None:
    reader = AvroReader()
    assert [*reader.feed(capture_file([]) + zigzag(1) + zigzag(-1))] == []
    tracemalloc.start()

    found = [one for _ in range(64) for one in map(type, reader.feed(bytes(1 << 20)))]

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert set(found) == {BrokenPart}
    assert peak < 20 << 20


def test_a_deflate_bomb_is_set_aside() -> None:
    packer = isal_zlib.compressobj(1, wbits=-15)
    bomb = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(65)), packer.flush()])
    header = capture_file([], "deflate")
    data = header + zigzag(1) + zigzag(len(bomb)) + bomb + header[-16:]

    [found] = values_in(data)

    assert isinstance(found, BrokenPart)
    assert "too large" in found.message


def test_a_schema_of_arrays_is_refused() -> None:
    stream = io.BytesIO()
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": "a", "type": {"type": "array", "items": "null"}}],
    }
    fastavro.writer(stream, schema, [{"a": [None]}])

    with pytest.raises(BrokenAvroError):
        [*values_in(stream.getvalue())]
