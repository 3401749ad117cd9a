"""Files that were whole once, and files that never were."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.capture.entries import Entry
from tests.fuzz.damage import SCRAPS, Damaged, damaged_files
from tests.fuzz.handmade import header
from tests.fuzz.oracles import check_file, in_pieces


@settings(derandomize=True, max_examples=250)
@given(damaged_files(), st.integers(1, 2_000))
def test_what_nobody_touched_comes_out_of_a_damaged_file(damaged: Damaged, size: int) -> None:
    check_file(damaged.data)
    names = iter([one.key.correlation for one in in_pieces(damaged.data, size) if isinstance(one, Entry)])
    for name in damaged.untouched:
        assert name in names


@settings(derandomize=True, max_examples=250)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_read_without_a_failure(data: bytes) -> None:
    check_file(data)
    check_file(header() + data)
    check_file(header("deflate") + data)


@settings(derandomize=True, max_examples=250)
@given(SCRAPS)
def test_so_are_scraps_of_files(data: bytes) -> None:
    check_file(data)
