from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.model.captures import CaptureState, Counts
from shared.store.ledger import TOO_LATE, LedgerEntry

NOW = datetime(2024, 5, 1, 10, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_ROW = LedgerEntry("i", "run", NOW, "ns/hub/0/a.avro", CaptureState.LEASED)


@pytest.mark.parametrize(
    ("until", "leased"), [(None, False), (NOW - _SECOND, False), (NOW, False), (NOW + _SECOND, True)]
)
def test_a_run_is_leased_until_its_lease_ends(until: datetime | None, leased: bool) -> None:
    assert replace(_ROW, leased_until=until).is_leased(NOW) is leased


_OLD, _IN_TIME = NOW - TOO_LATE, NOW - TOO_LATE + _SECOND
_PARTLY_ASIDE = Counts(entries=2, set_aside=1, parked=1)


@pytest.mark.parametrize(
    ("run", "too_late"),
    [
        (replace(_ROW, begun_at=_IN_TIME), False),
        (replace(_ROW, begun_at=_OLD), True),
        (replace(_ROW, day=_OLD, begun_at=_IN_TIME), False),
        (replace(_ROW, day=_OLD), False),
    ],
    ids=["begun in time", "begun too long ago", "written long ago", "not begun"],
)
def test_a_run_is_too_late_when_it_was_begun_too_long_ago(run: LedgerEntry, too_late: bool) -> None:
    assert run.is_too_late(NOW) is too_late
    whole_aside = replace(run, counts=Counts(entries=1, set_aside=1))
    assert whole_aside.is_too_late(NOW) is too_late, "nothing of it was handed on"


@pytest.mark.parametrize("begun", [None, NOW], ids=["not begun", "begun just now"])
@pytest.mark.parametrize("before", [{"output": "x"}, {"counts": _PARTLY_ASIDE}], ids=["written", "parked"])
@pytest.mark.parametrize(("written", "too_late"), [(_OLD, True), (_IN_TIME, False)])
def test_what_was_handed_on_before_is_too_late_when_the_file_was_written_too_long_ago(
    before: dict[str, Any], begun: datetime | None, written: datetime, too_late: bool
) -> None:
    assert replace(_ROW, day=written, begun_at=begun, **before).is_too_late(NOW) is too_late
