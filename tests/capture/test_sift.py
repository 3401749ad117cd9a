"""Sorting what came out of a file."""

from hypothesis import given
from hypothesis import strategies as st

from shared.capture.aside import Aside, AsideReason, Position
from shared.capture.batch import Batch
from shared.capture.entries import Entry
from shared.capture.sift import ITEM, Beside, sift
from tests.capture.activity_log import entry, record

JUNK = Aside(AsideReason.NULL_BODY, "the event has no body", Position("f"), b"x" * 50)
OTHERS = [entry(record(category="Policy", level=number), number) for number in range(50)]
ONES = [entry(record(correlation="c")), entry(record(correlation="")), *OTHERS[:3], JUNK]


@given(st.lists(st.sampled_from(ONES), max_size=12))
def test_everything_goes_its_way_and_what_passes_through_goes_once(found: list[Entry | Aside]) -> None:
    sifted = sift(found)

    combined = [one for one in found if one is ONES[0]]
    asides = [one for one in found if one is JUNK]
    others = [one for one in found if one is not ONES[0] and one is not JUNK]
    assert [*sifted.whole] == []
    assert [*sifted.administrative] == combined
    assert [*sifted.asides] == asides
    assert [*sifted.passed] == [*dict.fromkeys(others)]
    counts = sifted.counts
    assert (counts.entries, counts.set_aside) == (len(found) - len(combined), len(asides))
    assert counts.duplicates == len(others) - counts.passed_through
    assert counts.unmatched == (ONES[1] in others)


def test_repeated_entries_that_pass_through_are_found_within_the_window_and_over_parts() -> None:
    near, far = Beside(10), Beside(10)
    for one in [OTHERS[0], *OTHERS[:10]]:
        near.add(one)
    for one in [*OTHERS, OTHERS[0]]:
        far.add(one)

    assert near.taken(Batch(), []).counts.duplicates == 1
    assert far.taken(Batch(), []).counts.duplicates == 0
    far.add(OTHERS[-1])
    part = far.taken(Batch(), [])
    assert (part.passed, part.counts.duplicates) == ((), 1)


def test_what_is_held_is_counted_until_it_leaves() -> None:
    beside = Beside(10)
    for one in [OTHERS[0], OTHERS[0], JUNK]:
        beside.add(one)

    assert beside.size == len(OTHERS[0].raw) + len(JUNK.raw) + 2 * ITEM
    beside.taken(Batch(), [])
    assert beside.size == 0
