"""How kept operations are packed, and what a bucket lets go of."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.model.operations import Member, Operation, OperationKey, WaitingRoom
from shared.store import parked
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


def left(number: int, size: int = 100, minutes: int = 0) -> parked.Kept:
    member = Member(b"x" * size, "f", number, NOW, "f", 1)
    key = OperationKey(f"c{number}", "o", "r")
    return parked.pack(Operation(key, (member,)), WAIT, LATER + timedelta(minutes=minutes))


def waiting(number: int) -> parked.Kept:
    member = Member(b"x", "f", number, NOW + timedelta(minutes=number))
    return parked.pack(Operation(OperationKey(f"c{number}", "o", "w"), (member,)), WAIT, LATER)


def bucket(*kept: parked.Kept) -> Bucket:
    return parked.changed(Bucket(), kept, NOW, "run")


@given(KEPT)
def test_what_was_packed_is_unpacked_as_it_was(kept: Operation | WaitingRoom) -> None:
    packed = parked.pack(kept, WAIT, LATER)
    assert parked.unpack(packed) == kept
    assert packed.is_room == isinstance(kept, WaitingRoom)
    assert packed.waiting == sum(member.waits for member in kept.members)


def test_a_bucket_is_unpacked_as_it_was() -> None:
    full, _ = parked.lightened(bucket(left(1), left(2), waiting(3)), 0.1, "blob")
    assert parked.unpacked(parked.packed(full)) == full


def test_a_moment_keeps_its_last_digit() -> None:
    assert parked.moment_of(parked.microseconds(NOW)) == NOW


def test_a_bucket_needs_attention_when_the_first_wait_is_over_or_else_when_all_may_be_forgotten() -> None:
    assert Bucket().attention is None
    assert bucket(waiting(5), waiting(3), left(1)).attention == parked.microseconds(NOW) + 18 * 60 * 10**6
    assert bucket(left(1), left(2, minutes=9)).attention == left(2, minutes=9).expires


def test_what_waits_is_never_forgotten_and_the_rest_when_its_time_is_over() -> None:
    full = bucket(waiting(1), left(2), left(3, minutes=1))
    kept = parked.changed(full, [], LATER, "other").kept.values()
    assert [one.id for one in kept] == [waiting(1).id, left(3).id]


def test_the_oldest_of_what_left_goes_to_an_archive_and_what_waits_stays() -> None:
    full = bucket(waiting(9), *(left(number, minutes=number) for number in range(8)))
    lighter, archive = parked.lightened(full, 0.5, "blob")
    assert {*lighter.kept, *archive.kept} == set(full.kept)
    assert waiting(9).id in lighter.kept
    ages = [[one.expires for one in some.kept.values() if not one.waiting] for some in (archive, lighter)]
    assert max(ages[0]) < min(ages[1])
    (noted,) = lighter.archives
    assert (noted.blob, noted.expires) == ("blob", max(ages[0]))
    assert noted.holds() == {one.correlation for one in archive.kept.values()}


def test_a_bucket_in_which_everything_waits_cannot_be_lightened() -> None:
    full = bucket(waiting(1), waiting(2))
    assert parked.lightened(full, 0.1, "blob") == (full, Bucket())


def test_a_bucket_in_which_nearly_everything_waits_is_not_lightened_bit_by_bit() -> None:
    full = bucket(*map(waiting, range(20)), left(1))
    assert parked.lightened(full, 0.5, "blob") == (full, Bucket())
    assert parked.lightened(full, 0.01, "blob")[1].kept != {}


def test_an_operation_that_is_revised_again_and_again_does_not_go_to_archives() -> None:
    members = [Member(b"x" * 99, f"f{number}", 0, NOW, f"f{number}", number + 1) for number in range(9)]
    key = OperationKey("again", "o", "r")
    seldom, often = (parked.pack(Operation(key, tuple(members[:n])), WAIT, LATER) for n in (7, 8))
    assert seldom.id not in parked.lightened(bucket(seldom, left(1, minutes=1)), 0.1, "blob")[0].kept
    assert often.id in parked.lightened(bucket(often, left(1, size=2_000)), 0.1, "blob")[0].kept


def test_a_bucket_remembers_a_bounded_number_of_archives_and_writers() -> None:
    older = tuple(parked.Archive(f"blob{number}", 1, bytes(6_000)) for number in range(30))
    full, _ = parked.lightened(Bucket(bucket(left(1)).kept, older), 0.0, "newest")
    assert 1 < len(full.archives) < len(older)
    assert sum(len(archive.marks) for archive in full.archives) <= parked.MAX_REMEMBERED
    assert [archive.blob for archive in full.archives[-2:]] == ["blob29", "newest"]
    for number in range(99):
        full = parked.changed(full, [], NOW, f"run{number}")
    assert full.writers[-1] == parked.mark_of("run98")
    assert len(full.writers) < 99
