import gzip
import sys
from collections.abc import Callable
from itertools import batched, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.capture.condense import condense
from shared.capture.output import Compression, Packer, Tally, lines_of
from shared.capture.parts import Parts
from tests.capture.activity_log import capture_file, entry, envelope, record

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINES = b"".join(b'{"place":%d,"more":"%s"}\n' % (place, b"x" * (place % 700)) for place in range(1_200))
OTHERS = [entry(record(category="Policy", time="bad")), entry(record("Start", 7))]


def packed(compression: Compression, cuts: list[int], together: int) -> bytes:
    """The lines, cut there, so many pieces at a time; what was a piece is something else later."""
    packer, written = Packer(compression), b""
    pieces = (LINES[begin:end] for begin, end in pairwise([0, *sorted(cuts), len(LINES)]))
    for some in batched(pieces, together, strict=False):
        passing = [bytearray(piece) for piece in some]
        written += packer.add(map(memoryview, passing))
        for piece in passing:
            piece[:] = b"?" * len(piece)
    return written + packer.end()


@settings(deadline=None, max_examples=40)
@given(cuts=st.lists(st.integers(0, len(LINES)), max_size=12), together=st.integers(1, 4))
@example(cuts=[1 << 17, 2 << 17], together=1)
@example(cuts=[(1 << 17) - 1, (1 << 17) + 1], together=1)
@pytest.mark.parametrize(
    ("compression", "unpack"), [(Compression.GZIP, gzip.decompress), (Compression.ZSTD, zstd.decompress)]
)
def test_lines_are_one_ndjson_file_of_the_same_bytes_whatever_pieces_they_come_in(
    compression: Compression, unpack: Callable[[bytes], bytes], cuts: list[int], together: int
) -> None:
    found = packed(compression, cuts, together)
    assert unpack(found) == LINES
    assert found == packed(compression, [], 1)


@pytest.mark.parametrize("compression", Compression)
def test_no_lines_are_an_empty_file(compression: Compression) -> None:
    packer = Packer(compression)
    written = packer.add([]) + packer.end()
    assert (gzip if compression is Compression.GZIP else zstd).decompress(written) == b""


def test_what_passes_through_stands_before_the_records() -> None:
    records = [condense(uid, 1, [entry(record("Start", 3))]) for uid in ("u", "v")]
    wanted = [*(one.raw for one in OTHERS), *(one.line for one in records)]
    assert b"".join(lines_of(OTHERS, records)) == b"".join(line + b"\n" for line in wanted)
    assert b"".join(lines_of([], [])) == b""


def test_the_records_of_whole_operations_stand_between_the_others_by_time() -> None:
    pairs = [(record("Start", at, correlation=f"c{at}"), record("Success", at + 1)) for at in (10, 20, 30)]
    pairs = [(start, end | {"correlationId": start["correlationId"]}) for start, end in pairs]
    parts = Parts("f")
    assert [*parts.feed(capture_file([envelope(*[one for pair in pairs for one in pair])]), last=True)] == []
    batch = parts.rest().whole
    others = [condense("u", 1, [entry(record("Start", second))]) for second in (5, 15, 15, 40)]

    lines = b"".join(lines_of(OTHERS, others, batch))

    assert len(batch) == 3
    wanted = [line.record.line for line in batch]
    wanted = [others[0].line, wanted[0], others[1].line, others[2].line, *wanted[1:], others[3].line]
    assert lines == b"".join(line + b"\n" for line in (*(one.raw for one in OTHERS), *wanted))


def test_a_tally_knows_how_many_lines_there_are_and_from_when_to_when() -> None:
    tally = Tally()
    tally.add(OTHERS, [])
    tally.add([], [condense("u", 1, [entry(record("Start", 3))])])

    contents = tally.contents

    assert (contents.passed, contents.records) == (2, 1)
    assert contents.categories == {"Administrative": 2, "Policy": 1}
    assert (contents.first, contents.last) == (
        "2024-05-01T10:00:03.1234567Z",
        "2024-05-01T10:00:07.1234567Z",
    )


def test_a_tally_counts_whole_operations_too() -> None:
    parts = Parts("f")
    body = envelope(record("Start", 2, category="Write"), record("Success", 9), record("Start", 30))
    assert [*parts.feed(capture_file([body]), last=True)] == []
    tally = Tally()
    tally.add([], [], parts.rest().whole)

    contents = tally.contents

    assert (contents.records, contents.categories) == (1, {"Write": 1})
    assert (contents.first, contents.last) == (
        "2024-05-01T10:00:02.1234567Z",
        "2024-05-01T10:00:30.1234567Z",
    )


def test_a_tally_of_unreadable_times_has_none() -> None:
    tally = Tally()
    tally.add([entry(record(time="bad"))], [])
    assert (tally.contents.first, tally.contents.last) == (None, None)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00.0000000Z", "1600-02-29T12:00:00.0000000Z"])
def test_a_tally_knows_times_of_long_ago(time: str) -> None:
    tally = Tally()
    tally.add([entry(record(time="bad"))], [])
    tally.add([entry(record(time=time))], [])
    tally.add([entry(record(time="bad"))], [])
    assert (tally.contents.first, tally.contents.last) == (time, time)
    tally.add([], [condense("u", 1, [entry(record("Start", 3))])])
    assert (tally.contents.first, tally.contents.last) == (time, "2024-05-01T10:00:03.1234567Z")
