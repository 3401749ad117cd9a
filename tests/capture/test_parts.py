"""Cutting a file into parts: nothing is lost, memory is bounded, and the cuts never move."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.capture.aside import Aside, AsideReason, Position
from shared.capture.entries import Entry
from shared.capture.parts import Parts
from shared.capture.sift import ITEM, sift
from tests.capture.activity_log import capture_file, entry, envelope, record
from tests.capture.in_parts import Part, check_parts, copy_of, in_parts

JUNK = Aside(AsideReason.NULL_BODY, "the event has no body", Position("f"), b"x" * 50)


def part_of(events: Sequence[Sequence[Entry | Aside]], most: int, window: int = 1_000) -> list[Part]:
    """What was read exactly, in parts."""
    parts = Parts("f", most, window)
    return [*map(copy_of, parts.cut(events)), copy_of(parts.rest())]


def operation(number: int, *statuses: str) -> list[Entry]:
    return [
        entry(record(status, second, correlation=f"c{number}"), 10 * number + second)
        for second, status in enumerate(statuses)
    ]


def file_of(operations: Sequence[Sequence[Entry]]) -> bytes:
    """A file with an event for each, which the kernel reads."""
    bodies = [b'{"records":[' + b",".join(one.raw for one in entries) + b"]}" for entries in operations]
    return capture_file(bodies, sync_interval=1)


def correlations(part: Part) -> set[str]:
    """What leaves with a part."""
    return {one.key.correlation for one in part.whole} | {one[3].correlation for one in part.administrative}


EVENTS = st.lists(
    st.lists(
        st.just(JUNK)
        | st.builds(
            lambda correlation, status, second: entry(record(status, second, correlation=correlation)),
            st.sampled_from(["a", "b", "c", "d", ""]),
            st.sampled_from(["Start", "Accept", "Success"]),
            st.integers(0, 59),
        )
        | st.builds(lambda level: entry(record(category="Policy", level=level)), st.integers(0, 3)),
        max_size=4,
    ),
    max_size=12,
)


@settings(deadline=None)
@given(EVENTS, st.integers(1, 8_000))
def test_every_entry_is_in_exactly_one_part(events: list[list[Entry | Aside]], most: int) -> None:
    whole, parts = sift(one for event in events for one in event), part_of(events, most)

    assert Counter(one[1] for part in parts for one in part.administrative) == Counter(
        one.raw for one in whole.administrative
    )
    assert [one[1] for part in parts for one in part.passed] == [one.raw for one in whole.passed]
    assert sum(len(part.asides) for part in parts) == len(whole.asides)
    counts = [part.counts for part in parts]
    assert sum(counts[1:], counts[0]) == whole.counts


@settings(deadline=None)
@given(EVENTS, st.integers(1, 8_000))
def test_the_same_file_falls_into_the_same_parts(events: list[list[Entry | Aside]], most: int) -> None:
    assert part_of(events, most) == part_of(events, most)


def both_ways(operations: Sequence[Sequence[Entry]], most: int) -> list[list[Part]]:
    """The parts, read exactly and by the kernel."""
    return [part_of(operations, most), check_parts(file_of(operations), (0, 1_000), most)]


def size_of(entries: Sequence[Entry]) -> int:
    return sum(len(one.raw) + ITEM for one in entries)


def test_what_is_complete_leaves_first_and_what_is_open_stays() -> None:
    opened, done = operation(1, "Start"), operation(2, "Start", "Success", "Accept")
    for parts in both_ways([opened, done], size_of([*opened, *done])):
        assert [correlations(part) for part in parts] == [{"c2"}, {"c1"}]


def test_of_what_is_complete_the_oldest_leaves_first() -> None:
    operations = [operation(number, "Start", "Success") for number in range(4)]
    for parts in both_ways(operations, sum(map(size_of, operations))):
        assert [correlations(part) for part in parts] == [{"c0", "c1", "c2"}, {"c3"}]


def test_what_had_an_entry_just_now_is_not_old() -> None:
    operations = [operation(number, "Start", "Success") for number in range(7)]
    events = [*operations, operation(0, "Accept")]
    for parts in both_ways(events, sum(map(size_of, events))):
        assert correlations(parts[0]) == {f"c{number}" for number in range(1, 7)}


def test_too_much_that_is_open_leaves_too() -> None:
    opened = [operation(number, "Start") for number in range(100)]
    for parts in both_ways(opened, 10 * size_of(opened[0])):
        assert max(len(part.administrative) for part in parts) <= 10
        assert sum(len(part.administrative) for part in parts) == 100


def test_what_passes_through_fills_a_part_too() -> None:
    policies = [[entry(record(category="Policy", level=number), number)] for number in range(100)]
    for parts in both_ways(policies, 10 * size_of(policies[0])):
        assert max(len(part.passed) for part in parts) <= 10


def test_events_without_a_body_fill_a_part_too() -> None:
    assert max(len(part.asides) for part in check_parts(capture_file([None] * 100), (0, 99), 10 * ITEM)) <= 10


def test_an_operation_goes_on_in_the_part_after_that_in_which_it_was_whole() -> None:
    events = [operation(1, "Start", "Success"), operation(1, "Start", "Accept", "Success", "Failure")]
    parts = check_parts(file_of(events), (0, 1_000), size_of(events[0]))
    assert [[len(one.entries) for one in part.whole] for part in parts] == [[2], [4], []]


@pytest.mark.parametrize("codec", ["null", "deflate"])
@pytest.mark.parametrize("interval", [1, 1_000_000])
def test_what_repeats_what_was_there_before_is_no_end_in_itself(codec: str, interval: int) -> None:
    # What is not held does not fill a part; but the bytes of the file are let go all the same.
    odd = envelope(*[record(category="Policy", a=float("nan"))] * 20)
    parts = check_parts(capture_file([odd] * 100, codec, interval), (0, 4_000), 5_000)
    assert sum(len(part.passed) for part in parts) == 1


def test_what_a_file_holds_beside_its_entries_does_not_stay() -> None:
    spaces = b'{"records":[' + b" " * 100_000 + b"]}"
    data = capture_file([spaces, envelope(record())] * 50, sync_interval=1)
    parts = check_parts(data, (0, 70_000), 100_000)
    assert len(parts) > 20


def test_numbers_go_on_over_events_that_are_read_exactly_and_broken_blocks() -> None:
    good, odd = envelope(record(), record("Success", 1)), envelope(record(a=float("nan")), record())
    data = capture_file([good, odd, None, b"junk", good, odd, b'{"records":[1]}', good], sync_interval=1)
    at = data.index(b"junk")
    for broken in (data, data[:at] + b"\xff" * 20 + data[at + 20 :]):
        found = check_parts(broken, (0, 100), 900)
        assert len(found) > 2


def test_an_empty_file_is_one_empty_part() -> None:
    for data in (b"", capture_file([]), capture_file([envelope()])):
        [part] = in_parts(data)
        assert (part.whole, part.administrative, part.passed, part.asides) == ((), (), (), ())
