"""Small input that asks for much: memory stays within a known multiple, and the test ends."""

import tracemalloc
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from isal import isal_zlib

from shared.capture.aside import Aside, AsideReason
from shared.capture.condense import condense
from shared.capture.decode import CaptureReader, entries_of_capture
from shared.capture.entries import Entry
from tests.fuzz.handmade import MARKER, block, header, number, raw_block

_MEGABYTE: Final = 1 << 20
_MOST: Final = 64 * _MEGABYTE
"""What a block may have."""

_SIZE: Final = 1 << 16
_TIMES: Final = 200
"""Bytes of memory for each byte of a body of the worst kind, which is one tiny line after the other."""


def peak_of(work: Callable[[], object]) -> int:
    """Bytes that were held at most, with what the work gives."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def packed(start: bytes, fill: bytes, megabytes: int) -> bytes:
    """Compressed without a header: the start, then so much of the fill."""
    packer = isal_zlib.compressobj(1, wbits=-15)
    filled = fill * _MEGABYTE
    return b"".join([
        packer.compress(start),
        *(packer.compress(filled) for _ in range(megabytes)),
        packer.flush(),
    ])  # fmt: skip


def repeated(part: bytes, start: bytes = b"", end: bytes = b"") -> bytes:
    return start + part * (_SIZE // len(part)) + end


BODIES: Final = {
    "brackets": repeated(b"["),
    "objects": repeated(b'[{"a":'),
    "closed brackets": b'{"records":[{"a":' + b"[" * _SIZE + b"]" * _SIZE + b"}]}",
    "numbers": repeated(b"1,", b"[", b"1]"),
    "empty arrays": repeated(b"[],", b'{"records":[', b"[]]}"),
    "empty objects": repeated(b"{},", b'{"records":[', b"{}]}"),
    "lines": repeated(b"{}\n"),
    "broken lines": repeated(b"x\n", b"{}\n"),
    "returns": repeated(b"{}\r"),
    "half an array in a line": repeated(b"[1,", b"{}\n"),
    "one field": repeated(b'"a":1,', b'{"category":"Write","correlationId":"c",', b'"a":1}'),
    "one envelope": repeated(b'"records":[],', b"{", b'"records":[]}'),
    "many fields": b"{" + b",".join(b'"%d":1' % number for number in range(_SIZE // 10)) + b"}",
    "wide envelope": b'{"records":[]' + b"".join(b',"%d":1' % number for number in range(_SIZE // 10)) + b"}",
    "no numbers": repeated(b'{"a":NaN},', b"[", b"{}]"),
    "a long name": repeated(b"\\u0061", b'{"', b'":1}'),
    "halves of pairs": repeated(b"\\ud800", b'[{"a":"', b'"}]'),
    "no UTF-8": repeated(b"\xff", b'["', b'"]'),
    "spaces": repeated(b" ", b'{"records":[', b"]}"),
    "line breaks": repeated(b"\n", b'{"records":[{', b"}]}"),
    "digits": repeated(b"9", b'[{"category":"Write","correlationId":"c","time":', b"}]"),
    "a time": repeated(b"1", b'[{"category":"Write","time":"2024-05-01T10:00:00.', b'Z"}]'),
    "a blank time": repeated(b" ", b'[{"category":"Write","time":"', b'x"}]'),
    "a status": repeated(b".", b'[{"category":"Write","correlationId":"c","resultType":"', b'"}]'),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_takes_memory_and_time_in_proportion_to_its_size(body: bytes) -> None:
    data = header() + block([body])

    def read_and_condense() -> object:
        found = [*entries_of_capture(data, "f")]
        entries = [one for one in found if isinstance(one, Entry) and one.administrative]
        return found, condense("uid", 1, entries) if entries else None

    assert peak_of(read_and_condense) < _TIMES * len(data)


def test_a_block_that_inflates_without_end_is_set_aside_unseen() -> None:
    bomb = raw_block(packed(b"", b"\0", 512), count=1)
    found: list[Entry | Aside] = []

    peak = peak_of(
        lambda: found.extend(entries_of_capture(header("deflate") + bomb + block([b"{}"], "deflate"), "f"))
    )

    assert isinstance(found[0], Aside)
    assert (found[0].reason, found[0].raw) == (AsideReason.BROKEN_BLOCK, bomb)
    assert isinstance(found[1], Entry)
    assert peak < 1.5 * _MOST


def test_many_blocks_that_inflate_as_far_as_they_may_are_held_one_after_the_other() -> None:
    # An event whose body is of 60 MB: its fields, the choice of the body's type, its size, spaces.
    start = number(1) + b"\0" * 4 + number(1) + number(60 * _MEGABYTE)
    bomb = raw_block(packed(start, b" ", 60), count=1)
    reader = CaptureReader("f")

    def sizes() -> Iterator[int]:
        for data in (header("deflate"), *[bomb] * 4):
            for found in reader.feed(data):
                yield from (len(one.raw) for one in found)

    assert peak_of(lambda: [*sizes()]) < 5 * _MOST


def test_a_block_that_claims_all_it_may_holds_no_more_than_that() -> None:
    reader = CaptureReader("f")
    lie = number(1) + number(_MOST)

    def sizes() -> Iterator[int]:
        for data in (header(), lie, *[bytes(_MEGABYTE)] * 70, MARKER, block([b"{}"])):
            for found in reader.feed(data):
                yield from (len(one.raw) for one in found)
        for found in reader.feed(b"", last=True):
            yield from (len(one.raw) for one in found)

    found: list[int] = []
    peak = peak_of(lambda: found.extend(sizes()))

    assert sum(found) == len(lie) + 70 * _MEGABYTE + len(MARKER) + len(b"{}")
    assert peak < 3 * _MOST
