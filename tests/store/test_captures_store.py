import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from local.azurite import Azurite
from shared.model.captures import CaptureState, Counts
from shared.settings import StorageSettings
from shared.store.captures import CaptureStore, LeasedError
from shared.store.ledger import LEASE, LedgerEntry
from shared.store.storage import Storage
from shared.store.tables import ConflictError
from tests.capture.app import NoCredential

NOW = datetime(2024, 5, 1, 10, tzinfo=UTC)


@pytest.fixture
async def ledger(azurite: Azurite) -> AsyncIterator[CaptureStore]:
    settings = StorageSettings(azurite.connection_string, "", "", "")
    async with Storage(settings, NoCredential()) as storage:
        yield CaptureStore(storage)


@pytest.fixture
def begun() -> LedgerEntry:
    return LedgerEntry(str(uuid4()), "run", NOW, "a/b.avro", CaptureState.LEASED)


async def test_two_deliveries_of_one_file_take_turns(ledger: CaptureStore, begun: LedgerEntry) -> None:
    leased = await ledger.begin(begun, NOW)
    assert not leased.fact.done
    with pytest.raises(LeasedError):
        await ledger.begin(begun, NOW + LEASE - timedelta(seconds=1))


@pytest.mark.parametrize("later", [timedelta(), LEASE])
async def test_of_many_that_come_at_once_one_gets_the_lease(
    ledger: CaptureStore, begun: LedgerEntry, later: timedelta
) -> None:
    if later:
        await ledger.begin(begun, NOW)
    took = await asyncio.gather(
        *(ledger.begin(begun, NOW + later) for _ in range(12)), return_exceptions=True
    )
    assert sum(isinstance(one, LeasedError) for one in took) == 11
    (leased,) = [one for one in took if not isinstance(one, BaseException)]
    await ledger.finish(replace(leased.fact, state=CaptureState.DONE), leased)
    assert (await ledger.begin(begun, NOW + later)).fact.done


async def test_a_worker_that_died_loses_its_lease(ledger: CaptureStore, begun: LedgerEntry) -> None:
    lost = await ledger.begin(begun, NOW)
    taken = await ledger.begin(begun, NOW + LEASE)
    assert not taken.fact.done
    with pytest.raises(ConflictError):
        await ledger.finish(replace(begun, state=CaptureState.DONE), lost)


async def test_a_worker_stops_before_its_lease_ends(ledger: CaptureStore, begun: LedgerEntry) -> None:
    leased = (await ledger.begin(begun, NOW)).fact
    assert 0 < leased.seconds_left(NOW) < LEASE.total_seconds()
    assert leased.seconds_left(NOW + LEASE - timedelta(seconds=1)) < 0


async def test_a_lease_that_was_given_back_can_be_taken_at_once(
    ledger: CaptureStore, begun: LedgerEntry
) -> None:
    await ledger.release(await ledger.begin(begun, NOW), "BrokenError")
    again = (await ledger.begin(begun, NOW)).fact
    assert (again.done, again.attempts, again.begun_at, again.trouble) == (False, 2, NOW, "BrokenError")


async def test_a_file_that_is_done_is_answered_with_what_became_of_it(
    ledger: CaptureStore, begun: LedgerEntry
) -> None:
    leased = await ledger.begin(begun, NOW)
    done = replace(
        begun, state=CaptureState.DONE, counts=Counts(entries=2, condensed=2), output="x", finished_at=NOW
    )
    await ledger.finish(done, leased)
    assert (await ledger.begin(begun, NOW)).fact == done
    assert await ledger.read(begun.integration_id, NOW, "run") == done


async def test_totals_add_up_over_days_and_only_for_the_integration(
    ledger: CaptureStore, begun: LedgerEntry
) -> None:
    for number, integration in enumerate([begun.integration_id] * 3 + [str(uuid4())]):
        entry = replace(begun, integration_id=integration, run=f"r{number}", day=NOW + timedelta(days=number))
        leased = await ledger.begin(entry, NOW)
        counts = Counts(entries=number + 1, parked=number + 1)
        await ledger.finish(replace(entry, state=CaptureState.DONE, counts=counts), leased)
    assert await ledger.totals(begun.integration_id) == Counts(entries=6, parked=6)


@pytest.fixture
def flush(begun: LedgerEntry) -> LedgerEntry:
    return replace(begun, run=f"flush-{uuid4()}", source="")


async def test_flushes_that_did_not_come_to_their_end_are_found(
    ledger: CaptureStore, begun: LedgerEntry, flush: LedgerEntry
) -> None:
    await ledger.begin(begun, NOW)
    await ledger.begin(flush, NOW)
    assert flush.run not in [one.run for one in await ledger.unfinished_flushes(NOW)]
    found = {one.run for one in await ledger.unfinished_flushes(NOW + LEASE)}
    assert flush.run in found
    assert begun.run not in found


async def test_a_flush_that_is_done_counts_and_is_not_found_again(
    ledger: CaptureStore, flush: LedgerEntry
) -> None:
    leased = await ledger.begin(flush, NOW)
    counts = Counts(condensed=1, unparked=1)
    await ledger.finish(replace(flush, state=CaptureState.DONE, counts=counts), leased)
    assert flush.run not in [one.run for one in await ledger.unfinished_flushes(NOW + LEASE)]
    assert await ledger.totals(flush.integration_id) == counts


async def test_the_runs_of_a_day_are_those_of_the_day_and_not_older_than_asked_for(
    ledger: CaptureStore, begun: LedgerEntry
) -> None:
    for hours in (-11, 0, 1, 14):
        await ledger.begin(replace(begun, run=f"r{hours}", day=NOW + timedelta(hours=hours)), NOW)
    assert {one.run for one in await ledger.day(begun.integration_id, NOW)} == {"r0", "r1"}
    since = NOW + timedelta(minutes=1)
    assert [one.run for one in await ledger.day(begun.integration_id, NOW, since)] == ["r1"]
