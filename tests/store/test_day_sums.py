"""What all runs come to is known without reading them all, and is right at every moment."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest

from shared.model.captures import CaptureState, Counts
from shared.store.captures import CaptureStore, LeasedError
from shared.store.ledger import LEASE, LedgerEntry
from shared.store.ledger_age import LedgerAge
from shared.store.problems import ProblemStore
from shared.store.set_aside import SetAsideStore
from shared.store.storage import Storage
from shared.store.tables import ConflictError, TableName
from tests.helpers.chaos_tables import MemoryStorage
from tests.helpers.chaos_worker import Turnstile, Worker, WorkerDiedError

DAY = timedelta(days=1)
NOW = datetime(2024, 5, 3, 1, 30, tzinfo=UTC)
YESTERDAY = NOW - DAY
OVER = [NOW - back * DAY for back in range(1, 4)]


def a_file(run: str, day: datetime) -> LedgerEntry:
    return LedgerEntry("i", run, day, f"ns/hub/0/{run}.avro", CaptureState.LEASED)


async def handled(
    ledger: CaptureStore, entry: LedgerEntry, entries: int = 1, at: datetime | None = None
) -> None:
    """Have a worker handle a file, or flush."""
    at = at or entry.day
    leased = await ledger.begin(entry, at)
    if leased.fact.done:
        return
    counts = Counts(entries=entries, condensed=entries)
    done = replace(leased.fact, state=CaptureState.DONE, leased_until=None, counts=counts, finished_at=at)
    await ledger.finish(done, leased)


async def without_runs_of(storage: Storage, day: datetime) -> None:
    table = await storage.table(TableName.CAPTURES)
    async for row in table.query_entities(f"PartitionKey eq 'i-{day:%Y%m%d}'"):
        await table.delete_entity(row)


async def test_runs_of_days_that_were_added_up_are_not_read(storage: Storage) -> None:
    ledger = CaptureStore(storage)
    for number, day in enumerate([NOW, *OVER]):
        await handled(ledger, a_file("a", day), number + 1)
    await handled(ledger, LedgerEntry("j", "a", YESTERDAY, "ns/hub/0/a.avro", CaptureState.LEASED), 99)
    assert await ledger.overview("i") == (Counts(entries=10, condensed=10), NOW)

    await LedgerAge(storage).sum_up("i", OVER)
    for day in OVER:
        await without_runs_of(storage, day)

    assert await ledger.overview("i") == (Counts(entries=10, condensed=10), NOW)
    await without_runs_of(storage, NOW)
    assert await ledger.overview("i") == (Counts(entries=9, condensed=9), YESTERDAY)


async def test_days_before_and_between_those_that_were_added_up_count_too(storage: Storage) -> None:
    ledger = CaptureStore(storage)
    days = [NOW - back * DAY for back in range(6)]
    for day in days:
        await handled(ledger, a_file("a", day))
    await LedgerAge(storage).sum_up("i", [days[2], days[4]])
    assert (await ledger.totals("i")).entries == 6


async def test_a_day_without_runs_has_a_sum_too(storage: Storage) -> None:
    await LedgerAge(storage).sum_up("i", OVER)
    assert await CaptureStore(storage).overview("i") == (Counts(), None)


async def test_days_of_which_something_changed_are_to_be_added_up_once_more(storage: Storage) -> None:
    ledger, age = CaptureStore(storage), LedgerAge(storage)
    await handled(ledger, a_file("a", YESTERDAY))
    assert await age.not_summed_up("i", OVER) == OVER
    await age.sum_up("i", OVER)
    assert await age.not_summed_up("i", OVER) == []
    await handled(ledger, a_file("late", YESTERDAY), at=NOW)
    assert await age.not_summed_up("i", OVER) == [YESTERDAY]


async def test_files_under_way_are_found_whatever_their_day_and_only_those_of_the_integration(
    storage: Storage,
) -> None:
    ledger = CaptureStore(storage)
    await handled(ledger, a_file("done", YESTERDAY))
    for days in (1, 100):
        await ledger.begin(a_file(f"begun-{days}", NOW - days * DAY), NOW)
    await ledger.begin(replace(a_file("of another", NOW), integration_id="j"), NOW)
    runs = [run.run for run in await LedgerAge(storage).under_way("i")]
    assert sorted(runs) == ["begun-1", "begun-100"]


async def test_a_file_of_a_day_that_was_added_up_counts_at_once(storage: Storage) -> None:
    ledger, age = CaptureStore(storage), LedgerAge(storage)
    await handled(ledger, a_file("a", YESTERDAY))
    await age.sum_up("i", OVER)
    await handled(ledger, a_file("late", YESTERDAY + timedelta(hours=1)), 2, at=NOW)
    for _ in range(2):
        assert await ledger.overview("i") == (
            Counts(entries=3, condensed=3),
            YESTERDAY + timedelta(hours=1),
        )
        await age.sum_up("i", OVER)


async def test_a_flush_that_is_ended_on_another_day_counts_on_that_of_its_beginning(storage: Storage) -> None:
    ledger, age = CaptureStore(storage), LedgerAge(storage)
    flush = replace(a_file("flush-1", YESTERDAY), source="")
    await ledger.begin(flush, YESTERDAY)
    await age.sum_up("i", OVER)
    await handled(ledger, flush, at=NOW)
    await age.sum_up("i", OVER)
    await without_runs_of(storage, YESTERDAY)
    assert (await ledger.totals("i")).condensed == 1


async def test_a_file_that_is_handled_once_more_counts_as_set_aside_until_it_was(storage: Storage) -> None:
    ledger, age = CaptureStore(storage), LedgerAge(storage)
    aside = SetAsideStore(storage, ProblemStore(storage), lambda: NOW)
    leased = await ledger.begin(a_file("a", YESTERDAY), YESTERDAY)
    counts = Counts(entries=1, set_aside=1)
    done = replace(leased.fact, state=CaptureState.SET_ASIDE, leased_until=None, counts=counts)
    await ledger.finish(replace(done, finished_at=YESTERDAY), leased)
    await age.sum_up("i", OVER)
    assert await ledger.totals("i") == counts

    await aside.reopen("a")
    await age.sum_up("i", OVER)
    assert await ledger.totals("i") == counts

    await handled(ledger, a_file("a", YESTERDAY), 7, at=NOW + LEASE)
    await age.sum_up("i", OVER)
    assert await ledger.totals("i") == Counts(entries=7, condensed=7)


async def test_the_sum_of_a_day_stays_when_its_runs_become_one_row(storage: Storage) -> None:
    ledger, age = CaptureStore(storage), LedgerAge(storage)
    for run in ("a", "b"):
        await handled(ledger, a_file(run, YESTERDAY))
    await age.sum_up("i", OVER)
    await age.add_up("i", YESTERDAY)
    assert await ledger.overview("i") == (Counts(entries=2, condensed=2), YESTERDAY)
    await handled(ledger, a_file("late", YESTERDAY), at=NOW)
    assert (await ledger.totals("i")).entries == 3


@pytest.mark.parametrize("seed", range(200))
def test_whoever_works_while_a_day_is_added_up_and_whoever_dies_the_total_is_that_of_the_runs(
    seed: int,
) -> None:
    asyncio.run(_beside(Random(seed)))  # noqa: S311 - histories, not secrets


async def _beside(random: Random) -> None:
    turnstile = Turnstile(random)
    storage = MemoryStorage(turnstile)
    await storage.close()
    ledger, age = CaptureStore(storage), LedgerAge(storage)
    aside = SetAsideStore(storage, ProblemStore(storage), lambda: NOW)
    await handled(ledger, a_file("a", YESTERDAY))
    cut_off = replace(a_file("flush-1", YESTERDAY), source="")
    if random.random() < 0.5:
        await ledger.begin(cut_off, YESTERDAY)
    leased = await ledger.begin(a_file("aside", YESTERDAY), YESTERDAY)
    done = replace(
        leased.fact, state=CaptureState.SET_ASIDE, leased_until=None, counts=Counts(1, set_aside=1)
    )
    await ledger.finish(replace(done, finished_at=YESTERDAY), leased)
    for at in (NOW, NOW + LEASE, NOW + 2 * LEASE):
        jobs: list[Callable[[], Coroutine[Any, Any, object]]] = [
            partial(age.sum_up, "i", OVER),
            partial(handled, ledger, a_file("late", YESTERDAY), 2, at),
            partial(handled, ledger, cut_off, 4, at),
            partial(age.sum_up, "i", OVER),
            partial(handled, ledger, a_file("aside", YESTERDAY), 3, at),
            partial(aside.reopen, "aside"),
        ]
        workers = [
            Worker(random.randrange(8) if random.random() < 0.3 else -1, random.random() < 0.5)
            for _ in range(random.randint(2, len(jobs)))
        ]
        ends = await turnstile.run_beside(
            [(worker, _quietly(job())) for worker, job in zip(workers, jobs, strict=False)]
        )
        assert all(end is None or isinstance(end, WorkerDiedError) for end in ends)
        rows = await ledger.day("i", YESTERDAY)
        assert await ledger.totals("i") == sum((row.counts for row in rows), Counts())


async def _quietly(job: Coroutine[Any, Any, object]) -> None:
    """Do a job that may find another at the same."""
    with suppress(LeasedError, ConflictError):
        await job
