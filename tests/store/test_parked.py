"""How kept operations are packed, and what a bucket holds and lets go of."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.model.operations import Member, Operation, OperationKey, WaitingRoom
from shared.store import kept as keeping
from shared.store import parked
from shared.store.archives import Archive
from shared.store.kept import Kept
from shared.store.parked import Bucket

NOW = datetime(2024, 5, 1, 10, 0, 0, 1, tzinfo=UTC)
WAIT = timedelta(minutes=15)
LATER = NOW + timedelta(days=1)

TEXTS = st.text(st.characters(), max_size=20)
MEMBERS = st.builds(
    Member,
    raw=st.binary(max_size=40),
    source=st.text(max_size=20),
    number=st.integers(0, 9_999),
    arrived=st.datetimes(timezones=st.just(UTC)),
    run=st.sampled_from(["", "f1", "flush-1"]),
    revision=st.integers(0, 9),
)
NAMES = st.text(st.characters(), min_size=1, max_size=20)
KEPT = st.one_of(
    st.builds(
        Operation, st.builds(OperationKey, TEXTS, NAMES, TEXTS), st.lists(MEMBERS, max_size=4).map(tuple)
    ),
    st.builds(WaitingRoom, TEXTS, st.lists(MEMBERS, max_size=4).map(tuple)),
)


def left(number: int, minutes: int = 0, runs: int = 1) -> Kept:
    members = [Member(b"x", f"f{run}", number, NOW, f"f{run}", run + 1) for run in range(runs)]
    key = OperationKey(f"c{number}", "o", "r")
    return keeping.pack(Operation(key, tuple(members)), WAIT, LATER + timedelta(minutes=minutes))


def waiting(number: int) -> Kept:
    member = Member(b"x", "f", number, NOW + timedelta(minutes=number))
    return keeping.pack(Operation(OperationKey(f"c{number}", "o", "w"), (member,)), WAIT, LATER)


def bucket(*kept: Kept, before: Bucket | None = None, now: datetime = NOW, run: str = "run") -> Bucket:
    return parked.changed(before or Bucket(), kept, (), keeping.microseconds(now), run)


def held(archive: Archive) -> int:
    """How many operations are in an archive."""
    return len(archive.marks) // 6


@given(KEPT)
def test_what_was_packed_is_unpacked_as_it_was(kept: Operation | WaitingRoom) -> None:
    packed = keeping.pack(kept, WAIT, LATER)
    assert keeping.unpack(packed) == kept
    assert packed.is_room == isinstance(kept, WaitingRoom)
    assert packed.waiting == sum(member.waits for member in kept.members)


def test_a_bucket_is_unpacked_as_it_was() -> None:
    full = bucket(left(1), left(2), waiting(3))
    assert parked.unpacked(parked.whole(parked.packed(full), full)) == full


def test_a_moment_keeps_its_last_digit() -> None:
    assert keeping.moment_of(keeping.microseconds(NOW)) == NOW


def test_a_bucket_needs_attention_when_the_first_wait_is_over_or_else_when_all_may_be_forgotten() -> None:
    assert Bucket().attention is None
    first = bucket(waiting(5), waiting(3), left(1)).attention
    assert first == keeping.microseconds(NOW + timedelta(minutes=18))
    assert bucket(left(1), left(2, minutes=9)).attention == left(2, minutes=9).expires


def test_what_waits_is_at_hand_and_what_left_is_in_an_archive() -> None:
    full = bucket(waiting(1), left(2), left(3))
    assert set(full.kept) == {waiting(1).id}
    assert [held(archive) for archive in full.archives] == [2]


def test_what_leaves_soon_after_goes_to_the_same_archive_as_long_as_that_is_small() -> None:
    full = bucket()
    for number in range(9):
        full = bucket(left(number), before=full)
    assert [held(archive) for archive in full.archives] == [9]


def test_what_waits_is_never_forgotten_and_the_rest_when_its_time_is_over() -> None:
    full = bucket(waiting(1), left(2, runs=9), left(3, minutes=1, runs=9), left(4))
    later = bucket(before=full, now=LATER)
    assert set(later.kept) == {waiting(1).id, left(3).id}
    assert [bool(one.marks) for one in full.archives] == [True]
    assert [bool(one.marks) for one in later.archives] == [False, True]
    moment = keeping.microseconds(LATER)
    assert [one.waited for one in parked.forgotten(later, moment, moment).archives] == [moment]
    assert parked.forgotten(later, moment, moment + 1).archives == ()


def test_an_operation_that_is_revised_again_and_again_does_not_go_to_archives() -> None:
    assert set(bucket(left(1, runs=7), left(2, runs=8)).kept) == {left(2).id}


def test_a_bucket_remembers_a_bounded_number_of_writers() -> None:
    full = Bucket()
    for number in range(99):
        full = bucket(before=full, run=f"run{number}")
    assert full.writers[-1] == keeping.mark_of("run98")
    assert len(full.writers) < 99
