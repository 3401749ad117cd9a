"""What archives hold, how it is found, and where they go."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from shared.model.ids import SEPARATOR
from shared.model.operations import Member, Operation, OperationKey
from shared.store import archives
from shared.store.archives import Archive, Finished
from shared.store.kept import Kept, id_of, mark_of, microseconds, pack

NOW = datetime(2024, 5, 1, 10, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def operation(number: int, run: str = "run", revision: int = 1, source: str = "run") -> Operation:
    members = (
        Member(b"start %d" % number, source, 2 * number, NOW, run, revision),
        Member(b"end %d" % number, source, 2 * number + 1, NOW, run, revision),
    )
    return Operation(OperationKey(f"c{number}", "\ud800\n", "r"), members)


def kept(one: Operation, expires: datetime = LATER) -> Kept:
    return pack(one, timedelta(), expires)


def finished(some: Iterable[Operation], expires: datetime = LATER) -> Finished:
    operations = list(some)
    members = [member for one in operations for member in one.members]
    return Finished(
        run="run",
        now=NOW,
        ids=b"".join(id_of(one.key) for one in operations),
        keys=[SEPARATOR.join(one.key).encode("utf-8", "surrogatepass") for one in operations],
        counts=[len(one.members) for one in operations],
        numbers=[member.number for member in members],
        sizes=[len(member.raw) for member in members],
        texts=b"".join(member.raw for member in members),
        expires=microseconds(expires),
    )


def archive_of(some: Collection[Kept], others: Collection[Finished]) -> Archive:
    return archives.archive_of(some, others, microseconds(NOW))


def found(archive: Archive, *wanted: OperationKey, now: datetime = NOW) -> list[object]:
    names = [id_of(key) for key in wanted]
    found = archives.found_in(archive.packed, lambda name, *_: name in names, microseconds(now))
    return [one for _, one in found]


def may_hold(archive: Archive, key: OperationKey) -> bool:
    return archive.may_hold({archives.mark_in(id_of(key), mark_of(key.correlation))}, ())


def test_finished_operations_are_found_as_they_were() -> None:
    some = [operation(number) for number in range(9)]
    archive = archive_of((), [finished(some)])
    for one in some:
        assert may_hold(archive, one.key)
        assert found(archive, one.key) == [one]
    assert not may_hold(archive, operation(9).key)
    assert found(archive, operation(9).key) == []


def test_finished_operations_are_found_by_their_run() -> None:
    some = [operation(number) for number in range(3)]
    archive = archive_of((), [finished(some)])
    of_run = archives.found_in(archive.packed, lambda _, __, runs: mark_of("run") in runs, 0)
    assert [one for _, one in of_run] == some


def test_an_archive_tells_that_it_may_hold_something_of_a_correlation_id() -> None:
    archive = archive_of([kept(operation(1))], [finished([operation(2)])])
    for number, held in ((1, True), (2, True), (3, False)):
        mark = archives.mark_in_whole(mark_of(f"c{number}"))
        assert archive.may_hold((), {mark}) == held


def test_what_may_be_forgotten_is_not_found_though_the_rest_of_its_archive_is() -> None:
    soon = NOW + timedelta(minutes=1)
    archive = archive_of(
        [kept(operation(1)), kept(operation(2), soon)],
        [finished([operation(3)]), finished([operation(4)], soon)],
    )
    keys = [operation(number).key for number in range(1, 5)]
    assert len(found(archive, *keys)) == 4
    later = soon + timedelta(microseconds=1)
    assert found(archive, *keys, now=later) == [operation(3), operation(1)]


def test_of_two_states_of_an_operation_in_one_archive_the_younger_one_stays() -> None:
    younger = operation(1, "later", 2)
    (merged,) = archives.added(
        [archive_of((), [finished([operation(1)])])], archive_of([kept(younger)], ()), 0
    )
    assert found(merged, younger.key)[-1] == younger
    assert len(merged.marks) == 6
    youngest = operation(1, "at last", 3)
    (merged,) = archives.added([merged], archive_of([kept(youngest)], ()), 0)
    assert found(merged, youngest.key) == [operation(1), youngest]


def test_an_archive_that_lies_in_a_blob_takes_in_nothing_more() -> None:
    first = archive_of([kept(operation(1))], ())
    moved = archives.moved([first], [0], Archive(first.expires, b"", "blob"))
    new = archive_of([kept(operation(2))], ())
    assert archives.added(moved, new, 0) == [*moved, new]


def archive(number: int, size: int = 10) -> Archive:
    return Archive(number, bytes([number]) * 6, packed=bytes(size))


def test_the_oldest_archives_move_and_the_order_stays() -> None:
    some = [Archive(1, b"", "earlier"), archive(2), Archive(3, b"", "apart"), archive(4), archive(5)]
    places = archives.oldest(some, 11)
    assert places == [1, 3]
    moved = archives.moved(some, places, Archive(9, b"", "blob"))
    assert moved == [some[0], some[2], Archive(9, some[1].marks + some[3].marks, "blob"), some[4]]
    assert archives.oldest(some, 99) == [1, 3, 4]
    assert archives.oldest(some, 0) == []


def test_what_is_new_stays_behind_what_stays_unless_the_oldest_move_with_it() -> None:
    some = [archive(1), Archive(2, b"", "apart"), archive(3), archive(4)]
    alone = archives.moved(some, [3], Archive(9, b"", "blob"))
    assert alone == [*some[:3], Archive(9, some[3].marks, "blob")]
    beside = archives.moved(some, [0, 3], Archive(9, b"", "blob"))
    assert beside == [Archive(9, some[0].marks + some[3].marks, "blob"), *some[1:3]]


def test_of_what_left_as_soon_as_it_came_a_bucket_remembers_a_bounded_amount() -> None:
    some = [Archive(9, bytes(6), f"blob{number}") for number in range(9)]
    assert archives.remembered(some, 54) == tuple(some)
    assert archives.remembered(some, 53) == tuple(some[1:])
    assert archives.remembered(some, 0) == (some[-1],)


def test_an_archive_with_what_had_waited_loses_its_marks_only() -> None:
    some = [Archive(9, bytes(6), f"blob{number}", waited=number) for number in range(9)]
    few = archives.remembered(some, 18)
    assert [one.blob for one in few] == [f"blob{number}" for number in range(1, 9)]
    assert [len(one.marks) for one in few] == [0] * 5 + [6] * 3
    assert archives.remembered(few, 18) == few


def test_what_lies_in_the_row_keeps_its_marks() -> None:
    some = [archive(1), Archive(9, bytes(6), "blob"), archive(2), archive(3)]
    assert archives.remembered(some, 0) == (some[0], *some[2:])


def test_a_blob_holds_archives_of_several_buckets() -> None:
    contents = {0: [b"a"], 3: [b"b", b"c"]}
    assert archives.contents_of(archives.blob_of(contents)) == contents
