import gzip
import sys

import pytest

from shared.capture.condense import Record
from shared.capture.output import Compression, Packer, Tally
from tests.capture.activity_log import entry, record

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINES = [[b'{"a":1}', b'{"b":2}'], [], [b'{"c":3}' * 1_000]]


def packed(compression: Compression) -> bytes:
    packer = Packer(compression)
    return b"".join(packer.add(lines) for lines in LINES) + packer.end()


@pytest.mark.parametrize(
    ("compression", "unpack"), [(Compression.GZIP, gzip.decompress), (Compression.ZSTD, zstd.decompress)]
)
def test_lines_are_one_ndjson_file_and_always_the_same_bytes(
    compression: Compression, unpack: object
) -> None:
    assert callable(unpack)
    assert unpack(packed(compression)) == b"".join(line + b"\n" for some in LINES for line in some)
    assert packed(compression) == packed(compression)


def test_a_tally_knows_how_many_lines_there_are_and_from_when_to_when() -> None:
    tally = Tally()
    tally.add([entry(record(category="Policy", time="bad")), entry(record("Start", 7))], [])
    tally.add([], [Record("u", 1, "Administrative", (entry(record("Start", 3)).time,), b"{}")])

    contents = tally.contents

    assert (contents.passed, contents.records) == (2, 1)
    assert contents.categories == {"Administrative": 2, "Policy": 1}
    assert (contents.first, contents.last) == (
        "2024-05-01T10:00:03.1234567Z",
        "2024-05-01T10:00:07.1234567Z",
    )


def test_a_tally_of_unreadable_times_has_none() -> None:
    tally = Tally()
    tally.add([entry(record(time="bad"))], [])
    assert (tally.contents.first, tally.contents.last) == (None, None)
