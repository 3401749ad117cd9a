"""Cutting a stream of entries into parts: nothing is lost, memory is bounded, and the cuts never move."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from shared.capture.aside import Aside, AsideReason, Position
from shared.capture.entries import Entry
from shared.capture.sift import ITEM, Parts, Sifted, sift
from tests.capture.activity_log import entry, record

JUNK = Aside(AsideReason.NULL_BODY, "the event has no body", Position("f"), b"x" * 50)


def part_of(events: Sequence[Sequence[Entry | Aside]], most: int, window: int = 1_000) -> list[Sifted]:
    parts = Parts(most, window)
    return [*parts.cut(events), parts.rest()]


def operation(number: int, *statuses: str) -> list[Entry]:
    return [
        entry(record(status, second, correlation=f"c{number}"), 10 * number + second)
        for second, status in enumerate(statuses)
    ]


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


@given(EVENTS, st.integers(1, 8_000))
def test_every_entry_is_in_exactly_one_part(events: list[list[Entry | Aside]], most: int) -> None:
    whole, parts = sift(one for event in events for one in event), part_of(events, most)

    assert Counter(one.raw for part in parts for one in part.administrative) == Counter(
        one.raw for one in whole.administrative
    )
    assert [one.raw for part in parts for one in part.passed] == [one.raw for one in whole.passed]
    assert sum(len(part.asides) for part in parts) == len(whole.asides)
    counts = [part.counts for part in parts]
    assert sum(counts[1:], counts[0]) == whole.counts


@given(EVENTS, st.integers(1, 8_000))
def test_the_same_file_falls_into_the_same_parts(events: list[list[Entry | Aside]], most: int) -> None:
    assert part_of(events, most) == part_of(events, most)


def test_what_is_complete_leaves_first_and_what_is_open_stays() -> None:
    opened, done = operation(1, "Start"), operation(2, "Start", "Success")
    size = sum(len(one.raw) + ITEM for one in [*opened, *done])

    first, rest = part_of([opened, done], size)

    assert [one.raw for one in first.administrative] == [one.raw for one in done]
    assert [one.raw for one in rest.administrative] == [one.raw for one in opened]


def test_of_what_is_complete_the_oldest_leaves_first() -> None:
    operations = [operation(number, "Start", "Success") for number in range(4)]
    size = sum(len(one.raw) + ITEM for group in operations for one in group)

    first, _ = part_of(operations, size)

    assert {one.key.correlation for one in first.administrative} == {"c0", "c1"}


def test_too_much_that_is_open_leaves_too() -> None:
    opened = [operation(number, "Start") for number in range(100)]
    size = len(opened[0][0].raw) + ITEM

    parts = part_of(opened, 10 * size)

    assert max(len(part.administrative) for part in parts) <= 10
    assert sum(len(part.administrative) for part in parts) == 100


def test_what_passes_through_fills_a_part_too() -> None:
    policies = [[entry(record(category="Policy", level=number), number)] for number in range(100)]

    parts = part_of(policies, 10 * (len(policies[0][0].raw) + ITEM))

    assert max(len(part.passed) for part in parts) <= 10


def test_events_without_a_body_fill_a_part_too() -> None:
    empty = Aside(AsideReason.NULL_BODY, "the event has no body", Position("f"), b"")

    parts = part_of([[empty]] * 100, 10 * ITEM)

    assert max(len(part.asides) for part in parts) <= 10


def test_repeated_entries_that_pass_through_are_found_within_the_window() -> None:
    policies = [entry(record(category="Policy", level=number), number) for number in range(50)]

    near = part_of([[policies[0], *policies[:10]]], 1 << 20, window=10)
    far = part_of([[*policies, policies[0]]], 1 << 20, window=10)

    assert near[0].counts.duplicates == 1
    assert far[0].counts.duplicates == 0
