"""How many entries of one operation are kept."""

from datetime import UTC, datetime, timedelta

from shared.model.operations import MOST_KEPT, MOST_KEPT_BYTES, Member, bounded

NOW = datetime(2024, 5, 1, 10, tzinfo=UTC)


def member(number: int, run: str, source: str | None = None, size: int = 10) -> Member:
    return Member(b"x" * size, run if source is None else source, number, NOW, run, revision=number + 1)


def left(count: int, size: int = 10) -> tuple[Member, ...]:
    return tuple(member(number, f"file-{number}", size=size) for number in range(count))


def test_as_many_as_azure_ever_writes_are_all_kept() -> None:
    for members in ((), left(1), left(MOST_KEPT), left(2, size=MOST_KEPT_BYTES)):
        assert bounded(members, "run", NOW) == members


def test_of_too_many_the_first_and_the_last_ones_are_kept() -> None:
    members = left(MOST_KEPT + 5)
    assert bounded(members, "run", NOW) == (members[0], *members[6:])


def test_of_too_many_bytes_the_first_and_the_last_ones_are_kept() -> None:
    members = left(10, size=MOST_KEPT_BYTES // 4)
    assert bounded(members, "run", NOW) == (members[0], *members[7:])
    huge = left(3, size=MOST_KEPT_BYTES)
    assert bounded(huge, "run", NOW) == (huge[0], huge[2])


def test_what_waits_what_waited_and_what_left_in_this_run_is_kept_however_much_it_is() -> None:
    waiting = tuple(member(number, "", "file") for number in range(MOST_KEPT))
    waited = tuple(member(number, "flush", "file") for number in range(MOST_KEPT))
    here = tuple(member(number, "run") for number in range(MOST_KEPT))
    before = left(MOST_KEPT)
    assert bounded((*before, *waiting, *waited, *here), "run", NOW) == (before[0], *waiting, *waited, *here)


def test_what_waited_goes_too_when_it_is_old() -> None:
    waited = tuple(member(number, "flush", "file") for number in range(MOST_KEPT + 5))
    assert bounded(waited, "run", NOW) == waited
    assert bounded(waited, "run", NOW + timedelta(microseconds=1)) == (waited[0], *waited[6:])
