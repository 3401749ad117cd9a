"""What is handled once more gives the same, and what cannot be handled lies aside whole."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import islice

import pytest

from shared.capture.avro_header import header_of
from shared.capture.output import Compression
from shared.model.captures import CaptureFile, Counts
from shared.model.reasons import Reason
from shared.store.blobs import ContainerName
from shared.store.captures import CaptureStore
from shared.store.ledger import LEASE, UNASSIGNED, LedgerEntry
from shared.store.tables import Stored
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import START, WAIT, App
from tests.capture.operators import Operator
from tests.capture.scenes import WHOLE, begin, blobs_in, fail, gone, hourly, in_one_bucket, taking_along
from tests.helpers.chaos_worker import WorkerDiedError


class _Dying(CaptureStore):
    """The ledger of a worker that dies when everything is handed on, before it can say so."""

    async def finish(self, entry: LedgerEntry, leased: Stored[LedgerEntry]) -> None:
        del entry, leased
        raise WorkerDiedError

    async def release(self, leased: Stored[LedgerEntry], trouble: str) -> None:
        """A dead worker does not."""


async def die(app: App, run: Callable[[], Awaitable[Counts]], error: type[BaseException]) -> dict[str, bytes]:
    """Let a worker hand on everything and die, and wait until its lease is over; gives what it handed on."""
    app.captures, living = _Dying(app.storage), app.captures
    with pytest.raises(error):
        await run()
    app.captures = living
    app.now += LEASE
    return await blobs_in(app, ContainerName.CONDENSED)


async def die_handling(app: App, file: CaptureFile) -> dict[str, bytes]:
    return await die(app, lambda: app.handle(file), WorkerDiedError)


async def die_flushing(app: App) -> dict[str, bytes]:
    return await die(app, lambda: app.new_flusher().flush(), BaseExceptionGroup)


async def test_a_second_attempt_hands_on_the_same_bytes_although_more_has_waited_long_enough(
    operator: Operator,
) -> None:
    app = operator.app
    other, own = islice(in_one_bucket(), 2)
    await begin(app, other)
    app.now += WAIT - timedelta(minutes=1)
    entries = (
        record("Start", correlation=own),
        record("Success", 1, correlation=own),
        record("Start", 2, operationName="another", correlation=own),
    )
    file = await app.upload(capture_file([envelope(*entries)]))
    first = await die_handling(app, file)
    messages = await app.messages()

    app.now += WAIT
    assert await app.handle(file) == Counts(entries=3, condensed=2, parked=1, operations=1)

    assert await blobs_in(app, ContainerName.CONDENSED) == first
    assert await app.messages() == messages
    await app.flusher.flush()
    assert await app.operations.waiting(app.integration) == 0
    totals = await app.captures.totals(app.integration)
    totals.check()
    assert totals.condensed == 4


async def test_a_second_attempt_compresses_as_the_first_did(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(WHOLE)
    first = await die_handling(app, file)

    await app.new_handler(compression=Compression.ZSTD).handle_file(file)

    assert await blobs_in(app, ContainerName.CONDENSED) == first


async def test_a_flush_that_was_cut_off_is_compressed_as_it_was_begun(operator: Operator) -> None:
    app = operator.app
    await begin(app, "c1")
    app.now += WAIT
    first = await die_flushing(app)

    assert (await app.new_flusher(compression=Compression.ZSTD).flush()).condensed == 1

    assert await blobs_in(app, ContainerName.CONDENSED) == first


async def test_a_flush_that_was_cut_off_hands_on_the_same_bytes_although_more_has_waited_long_enough(
    operator: Operator,
) -> None:
    app = operator.app
    first, later = islice(in_one_bucket(), 2)
    await begin(app, first)
    app.now += WAIT
    ((name, handed_on),) = (await die_flushing(app)).items()
    app.now -= WAIT + LEASE  # Of a worker that was slower than the flush.
    await begin(app, later)
    app.now += WAIT + LEASE

    assert await app.flusher.flush() == Counts(condensed=2, unparked=2, operations=2)

    files = await blobs_in(app, ContainerName.CONDENSED)
    assert (files[name], len(files)) == (handed_on, 2)
    assert await app.operations.waiting(app.integration) == 0


async def test_a_broken_block_is_still_a_problem_when_its_file_was_handled_twice(operator: Operator) -> None:
    app = operator.app
    bodies = [envelope(record("Success", number, category="Policy")) for number in range(9)]
    data = capture_file(bodies, sync_interval=1)
    header = header_of(data, last=True)
    assert header is not None
    at = data.index(header.sync, len(data) // 2)
    file = await app.upload(data[:at] + bytes(16) + data[at + 16 :])
    await die_handling(app, file)

    assert (await app.handle(file)).set_aside == 1

    assert await operator.reasons(app.integration) == [Reason.CORRUPT_CAPTURE_FILE]


async def test_a_file_is_tried_after_a_long_pause_before_it_is_given_up(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(WHOLE)
    async with gone(app, file):
        for seconds in (0, 10, 40, 100, 400, 1000, 2800):
            app.now = START + timedelta(seconds=seconds)
            with pytest.raises(Exception, match="BlobNotFound"):
                await app.handle(file)

    app.now = START + timedelta(hours=7)
    assert await app.handle(file) == Counts(entries=2, condensed=2, operations=1)

    assert await operator.listed() == []


async def test_a_file_that_is_given_up_lies_whole_beside_a_list_that_says_why(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(WHOLE)
    for _ in hourly(app):
        await fail(app, file)

    assert (await app.handle(file)).set_aside == 1

    (listed,) = await operator.listed()
    kept = await blobs_in(app, ContainerName.SET_ASIDE)
    assert b'"reason":"handling_failed"' in kept[listed["list"]]
    assert kept[listed["list"].removesuffix("ndjson") + "avro"] == WHOLE


async def test_a_file_of_nobody_that_is_gone_does_not_fail_for_ever(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(WHOLE, hub="nobody")
    await app.blobs.delete(ContainerName.CAPTURE, file.path)

    assert await app.handle(file) == Counts(entries=1, set_aside=1)

    (listed,) = await operator.listed()
    assert (listed["source"], listed["list"]) == (file.path, None)
    row = await app.captures.read(UNASSIGNED, file.written_at, file.id)
    assert row is not None
    assert row.done


async def test_a_file_that_was_cut_off_while_the_app_was_away_for_days_is_set_aside_whole(
    operator: Operator,
) -> None:
    app = operator.app
    file, waited = await taking_along(app, in_one_bucket())
    await fail(app, file)
    app.now += timedelta(days=3)

    assert (await app.handle(file)).set_aside == 1

    (listed,) = await operator.listed()
    assert listed["source"] == file.path
    lines = [line for lines in (await app.condensed()).values() for line in lines]
    assert [line["correlationId"] for line in lines] == [waited]
    (await app.captures.totals(app.integration)).check()
