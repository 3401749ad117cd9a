"""What a run decided that was cut off is found again, however much others did since."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from random import Random

import pytest

from shared.capture.entries import CONDENSED
from shared.model.captures import CaptureFile, Counts
from shared.store.archives import MAX_REMEMBERED
from shared.store.captures import CaptureStore
from shared.store.ledger import LEASE, LedgerEntry
from shared.store.operations import OperationStore
from shared.store.problems import ProblemStore
from shared.store.set_aside import SetAsideStore
from shared.store.tables import Stored
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import WAIT, App
from tests.capture.scenes import begin, fail, hourly, in_one_bucket, taking_along
from tests.capture.stores import failing, unheard
from tests.helpers.chaos_worker import Turnstile, WorkerDiedError
from tests.helpers.exact_memory import MemoryAccount

_OTHERS = 70
"""More than a bucket remembers of those who wrote it."""

_FEW = 60
"""Bytes for ten operations, of so many."""

REMEMBERED = (MAX_REMEMBERED, _FEW)
"""How much a bucket remembers: everything, or so little that newer operations take the room of older ones."""

_WHOLE = ("Start", "Accept", "Success")
_PART_BYTES = 100_000


async def new_app() -> App:
    """A capture step with everything in memory, since it has much to do."""
    storage = MemoryAccount(Turnstile(Random(1)))  # noqa: S311 - an order, not a secret
    await storage.close()
    return App(storage)


async def others_work(app: App, names: Iterator[str], remembered: int) -> None:
    """Have others fill the bucket so that what left before is in archives, and they alone are known."""
    small = OperationStore(app.storage, app.blobs, WAIT, timedelta(days=1), roomy=10, remembered=remembered)
    for name in islice(names, _OTHERS):
        entries = record("Start", correlation=name), record("Success", 1, correlation=name)
        file = await app.upload(capture_file([envelope(*entries)]))
        await app.new_handler(small).handle_file(file)


async def members_of(app: App, name: str) -> list[int]:
    """How many entries each record of a correlation ID has."""
    lines = [line for lines in (await app.condensed()).values() for line in lines]
    return [line[CONDENSED]["num_correlated_records"] for line in lines if line["correlationId"] == name]


@pytest.mark.parametrize("remembered", REMEMBERED)
async def test_a_file_that_took_others_along_before_its_worker_died_does_so_again(remembered: int) -> None:
    app, names = await new_app(), in_one_bucket()
    file, waited = await taking_along(app, names)
    await fail(app, file)

    await others_work(app, names, remembered)
    app.now += LEASE
    counts = await app.new_handler().handle_file(file)

    assert counts == Counts(entries=1, condensed=1, parked=1, unparked=1, operations=1)
    assert await members_of(app, waited) == [1]


@pytest.mark.parametrize(("late", "anew"), [(("Accept",), []), (("Start", "Success"), [2])])
async def test_late_entries_that_begin_an_operation_anew_hide_nothing_from_the_file_that_was_cut_off(
    late: tuple[str, ...], anew: list[int]
) -> None:
    app, names = await new_app(), in_one_bucket()
    file, waited = await taking_along(app, names)
    await fail(app, file)
    await others_work(app, names, _FEW)

    entries = [record(status, 30, correlation=waited) for status in late]
    await app.handle(await app.upload(capture_file([envelope(*entries)])))
    assert await members_of(app, waited) == anew
    app.now += LEASE
    await app.new_handler().handle_file(file)

    assert sorted(await members_of(app, waited)) == [1, 2]
    app.now += WAIT
    await app.flusher.flush()
    (await app.captures.totals(app.integration)).check()
    assert await app.operations.waiting(app.integration) == 0
    assert sorted(await members_of(app, waited)) == [1, 2]


@pytest.mark.parametrize("remembered", REMEMBERED)
async def test_a_flush_that_was_cut_off_is_ended_with_all_that_left_in_it(remembered: int) -> None:
    app, names = await new_app(), in_one_bucket()
    waited = next(names)
    await begin(app, waited)
    app.now += WAIT
    with pytest.raises(BaseExceptionGroup):
        await app.new_flusher(failing(app, WorkerDiedError())).flush()

    await others_work(app, names, remembered)
    app.now += LEASE

    assert await app.flusher.flush() == Counts(condensed=1, unparked=1, operations=1)
    assert await members_of(app, waited) == [1]


async def test_a_file_whose_answer_was_lost_finds_what_it_took_along_in_the_archive() -> None:
    app, names = await new_app(), in_one_bucket()
    file, waited = await taking_along(app, names)

    counts = await app.new_handler(unheard(app)).handle_file(file)

    assert counts == Counts(entries=1, condensed=1, parked=1, unparked=1, operations=1)
    assert await members_of(app, waited) == [1]


async def test_a_file_whose_time_ran_out_within_a_part_is_handled_again_in_full() -> None:
    whole = [
        envelope(*(record(status, correlation=f"c{number}-{n}") for n in range(20) for status in _WHOLE))
        for number in range(60)
    ]
    data, entries = capture_file(whole), 60 * 20 * len(_WHOLE)
    cut_off = 0
    for milliseconds in range(1, 100, 7):
        app = await new_app()
        file = await app.upload(data)
        try:
            # A thread that is at work on a part goes on with it, and nobody waits.
            async with asyncio.timeout(milliseconds / 1_000):
                counts = await app.new_handler(part_bytes=_PART_BYTES).handle_file(file)
        except TimeoutError:
            cut_off += 1
            counts = await app.new_handler(part_bytes=_PART_BYTES).handle_file(file)
        assert counts == Counts(entries=entries, condensed=entries, operations=entries // len(_WHOLE))
        assert sum(map(len, (await app.condensed()).values())) == counts.operations
    assert cut_off


async def given_up(app: App, names: Iterator[str]) -> tuple[CaptureFile, str, str]:
    """A file in which entries left that had waited, and whose workers died until it was given up.

    Gives the correlation ID of the one that it brought the end of, and of the one that passed through. Of its
    own entries one waited and left in a flush.
    """
    waited, lone = next(names), next(names)
    entries = record("Start", correlation=waited), record("Start", correlation=lone, operationName=None)
    await app.handle(await app.upload(capture_file([envelope(*entries)])))
    app.now += WAIT
    own = record("Success", 1, correlation=waited), record("Start", 1, correlation=next(names))
    file = await app.upload(capture_file([envelope(*own)]), moment=app.now)
    for _ in range(5):
        await fail(app, file)
        app.now += timedelta(hours=2)
        await app.flusher.flush()
    await others_work(app, names, _FEW)
    assert (await app.new_handler().handle_file(file)).set_aside
    return file, waited, lone


async def assert_accounted_for(app: App, waited: str, lone: str) -> None:
    """All left that had waited, and the ledger says so."""
    assert set(await members_of(app, waited)) == {2}
    lines = [line for lines in (await app.condensed()).values() for line in lines]
    assert sum(line["correlationId"] == lone and CONDENSED not in line for line in lines) == 1
    totals = await app.captures.totals(app.integration)
    totals.check()
    assert totals.still_parked == await app.operations.waiting(app.integration)


async def test_what_had_waited_and_left_in_a_file_that_is_given_up_is_handed_on() -> None:
    app, names = await new_app(), in_one_bucket()
    file, waited, lone = await given_up(app, names)

    await assert_accounted_for(app, waited, lone)
    row = await app.captures.read(app.integration, file.written_at, file.id)
    assert row is not None
    assert row.counts == Counts(
        entries=2,
        set_aside=1,
        condensed=1,
        passed_through=1,
        parked=1,
        unparked=2,
        unmatched=1,
        operations=1,
    )
    assert row.output in await app.condensed()


async def test_a_file_that_was_given_up_and_is_handled_in_the_end_counts_everything_once() -> None:
    app, names = await new_app(), in_one_bucket()
    file, waited, lone = await given_up(app, names)

    aside = SetAsideStore(app.storage, ProblemStore(app.storage), lambda: app.now)
    assert await aside.reopen(file.id) is not None
    counts = await app.new_handler().handle_file(file)

    assert counts == Counts(
        entries=2, condensed=2, passed_through=1, parked=1, unparked=2, unmatched=1, operations=1
    )
    await assert_accounted_for(app, waited, lone)


class Unheard(CaptureStore):
    """A ledger whose worker dies before it says that a file is done."""

    async def finish(self, done: LedgerEntry, leased: Stored[LedgerEntry]) -> None:
        raise WorkerDiedError(f"{leased.etag} is not {done.state}")


async def test_what_somebody_handed_on_who_then_died_stays_when_the_file_is_given_up() -> None:
    app, names = await new_app(), in_one_bucket()
    file, _ = await taking_along(app, names)
    ledger, app.captures = app.captures, Unheard(app.storage)
    with pytest.raises(WorkerDiedError):
        await app.handle(file)
    app.captures = ledger
    before = await app.condensed()
    assert len(before) == 1
    for _ in hourly(app):
        await fail(app, file)

    assert (await app.handle(file)).set_aside

    after = await app.condensed()
    assert after.items() >= before.items()


@pytest.mark.parametrize("behind", [timedelta(), timedelta(seconds=3), LEASE])
async def test_a_clock_that_is_behind_loses_nothing_of_a_file_that_is_given_up(behind: timedelta) -> None:
    app, names = await new_app(), in_one_bucket()
    waited, own = next(names), next(names)
    await begin(app, waited)
    app.now += WAIT + LEASE
    entries = record("Success", 1, correlation=waited), record("Start", 1, correlation=own)
    file = await app.upload(capture_file([envelope(*entries)]), moment=app.now)
    app.now -= behind
    for _ in hourly(app):
        await fail(app, file)

    assert (await app.handle(file)).set_aside

    assert await members_of(app, waited) == [2]


async def test_a_file_whose_worker_dies_when_it_is_given_up_hands_on_once_what_it_took_along() -> None:
    app, names = await new_app(), in_one_bucket()
    file, waited = await taking_along(app, names)
    for _ in hourly(app):
        await fail(app, file)
    ledger, app.captures = app.captures, Unheard(app.storage)
    with pytest.raises(WorkerDiedError):
        await app.handle(file)
    app.captures = ledger
    app.now += LEASE

    assert (await app.handle(file)).set_aside

    assert await members_of(app, waited) == [1]
