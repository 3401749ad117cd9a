"""What a run decided that was cut off is found again, however much others did since."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import count, islice
from random import Random

import pytest

from shared.capture.entries import CONDENSED
from shared.model.captures import Counts
from shared.store.archives import MAX_REMEMBERED
from shared.store.captures import LEASE
from shared.store.operations import OperationStore, bucket_of
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import WAIT, App
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


def in_one_bucket() -> Iterator[str]:
    """Correlation IDs that meet in one bucket."""
    return (name for name in (f"c{number}" for number in count()) if bucket_of(name) == 0)


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
    waited, own = next(names), next(names)
    await app.handle(await app.upload(capture_file([envelope(record("Start", correlation=waited))])))
    app.now += WAIT
    file = await app.upload(capture_file([envelope(record("Start", correlation=own))]))
    with pytest.raises(WorkerDiedError):
        await app.new_handler(failing(app, WorkerDiedError())).handle_file(file)

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
    waited, own = next(names), next(names)
    await app.handle(await app.upload(capture_file([envelope(record("Start", correlation=waited))])))
    app.now += WAIT
    file = await app.upload(capture_file([envelope(record("Start", correlation=own))]))
    with pytest.raises(WorkerDiedError):
        await app.new_handler(failing(app, WorkerDiedError())).handle_file(file)
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
    await app.handle(await app.upload(capture_file([envelope(record("Start", correlation=waited))])))
    app.now += WAIT
    with pytest.raises(BaseExceptionGroup):
        await app.new_flusher(failing(app, WorkerDiedError())).flush()

    await others_work(app, names, remembered)
    app.now += LEASE

    assert await app.flusher.flush() == Counts(condensed=1, unparked=1, operations=1)
    assert await members_of(app, waited) == [1]


async def test_a_file_whose_answer_was_lost_finds_what_it_took_along_in_the_archive() -> None:
    app, names = await new_app(), in_one_bucket()
    waited, own = next(names), next(names)
    await app.handle(await app.upload(capture_file([envelope(record("Start", correlation=waited))])))
    app.now += WAIT
    file = await app.upload(capture_file([envelope(record("Start", correlation=own))]))

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
