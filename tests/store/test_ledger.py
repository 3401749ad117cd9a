from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.model.captures import CaptureState
from shared.store.captures import LedgerEntry

NOW = datetime(2024, 5, 1, 10, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_ROW = LedgerEntry("i", "run", NOW, "ns/hub/0/a.avro", CaptureState.LEASED)


@pytest.mark.parametrize(
    ("until", "leased"), [(None, False), (NOW - _SECOND, False), (NOW, False), (NOW + _SECOND, True)]
)
def test_a_run_is_leased_until_its_lease_ends(until: datetime | None, leased: bool) -> None:
    assert replace(_ROW, leased_until=until).is_leased(NOW) is leased
