"""What is handled once more gives the same, and what cannot be handled lies aside whole."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count

import pytest

from shared.capture.avro_header import header_of
from shared.capture.output import Compression
from shared.model.captures import CaptureFile, Counts
from shared.model.reasons import Reason
from shared.store.blobs import ContainerName
from shared.store.captures import CaptureStore
from shared.store.ledger import LEASE, UNASSIGNED, LedgerEntry
from shared.store.operations import bucket_of
from shared.store.storage import Storage
from shared.store.tables import Stored
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import START, WAIT, App
from tests.capture.stores import failing
from tests.capture.test_set_aside_files import Operator
from tests.helpers.chaos_worker import WorkerDiedError

_WHOLE = capture_file([envelope(record(), record("Success", 1))])


class _Dying(CaptureStore):
    """The ledger of a worker that dies when everything is handed on, before it can say so."""

    async def finish(self, entry: LedgerEntry, leased: Stored[LedgerEntry]) -> None:
        del entry, leased
        raise WorkerDiedError

    async def release(self, leased: Stored[LedgerEntry], trouble: str) -> None:
        """A dead worker does not."""


@pytest.fixture
async def operator(storage: Storage) -> AsyncIterator[Operator]:
    return Operator(storage)


async def die(app: App, file: CaptureFile) -> None:
    """Let a worker hand on everything and die, and wait until its lease is over."""
    app.captures, living = _Dying(app.storage), app.captures
    with pytest.raises(WorkerDiedError):
        await app.handle(file)
    app.captures = living
    app.now += LEASE


async def files_of(app: App, container: ContainerName) -> dict[str, bytes]:
    """All blobs of a container."""
    client = await app.storage.container(container)
    names = [blob.name async for blob in client.list_blobs()]
    return dict(
        zip(names, await asyncio.gather(*(app.blobs.read(container, name) for name in names)), strict=True)
    )


def in_one_bucket() -> tuple[str, str]:
    """Two correlation IDs that meet in one bucket."""
    return "c0", next(
        name for name in (f"c{number}" for number in count(1)) if bucket_of(name) == bucket_of("c0")
    )


async def test_a_second_attempt_hands_on_the_same_bytes_although_more_has_waited_long_enough(
    operator: Operator,
) -> None:
    app = operator.app
    other, own = in_one_bucket()
    await app.handle(await app.upload(capture_file([envelope(record("Start", correlation=other))])))
    app.now += WAIT - timedelta(minutes=1)
    entries = (
        record("Start", correlation=own),
        record("Success", 1, correlation=own),
        record("Start", 2, operationName="another", correlation=own),
    )
    file = await app.upload(capture_file([envelope(*entries)]))
    await die(app, file)
    first = await files_of(app, ContainerName.CONDENSED)
    messages = await app.messages()

    app.now += WAIT
    assert await app.handle(file) == Counts(entries=3, condensed=2, parked=1, operations=1)

    assert await files_of(app, ContainerName.CONDENSED) == first
    assert await app.messages() == messages
    await app.flusher.flush()
    assert await app.operations.waiting(app.integration) == 0
    totals = await app.captures.totals(app.integration)
    totals.check()
    assert totals.condensed == 4


async def test_a_second_attempt_compresses_as_the_first_did(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(_WHOLE)
    await die(app, file)
    first = await files_of(app, ContainerName.CONDENSED)

    await app.new_handler(compression=Compression.ZSTD).handle_file(file)

    assert await files_of(app, ContainerName.CONDENSED) == first


async def test_a_flush_that_was_cut_off_is_compressed_as_it_was_begun(operator: Operator) -> None:
    app = operator.app
    await app.handle(await app.upload(capture_file([envelope(record("Start"))])))
    app.now += WAIT
    app.captures, living = _Dying(app.storage), app.captures
    with pytest.raises(BaseExceptionGroup):
        await app.new_flusher().flush()
    app.captures = living
    first = await files_of(app, ContainerName.CONDENSED)
    app.now += LEASE

    assert (await app.new_flusher(compression=Compression.ZSTD).flush()).condensed == 1

    assert await files_of(app, ContainerName.CONDENSED) == first


async def test_a_flush_that_was_cut_off_hands_on_the_same_bytes_although_more_has_waited_long_enough(
    operator: Operator,
) -> None:
    app = operator.app
    first, later = in_one_bucket()
    await app.handle(await app.upload(capture_file([envelope(record("Start", correlation=first))])))
    app.now += WAIT
    app.captures, living = _Dying(app.storage), app.captures
    with pytest.raises(BaseExceptionGroup):
        await app.new_flusher().flush()
    app.captures = living
    ((name, handed_on),) = (await files_of(app, ContainerName.CONDENSED)).items()
    app.now -= WAIT  # Of a worker that was slower than the flush.
    await app.handle(await app.upload(capture_file([envelope(record("Start", correlation=later))])))
    app.now += WAIT + LEASE

    assert await app.flusher.flush() == Counts(condensed=2, unparked=2, operations=2)

    files = await files_of(app, ContainerName.CONDENSED)
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
    await die(app, file)

    assert (await app.handle(file)).set_aside == 1

    assert await operator.reasons(app.integration) == [Reason.CORRUPT_CAPTURE_FILE]


async def test_a_file_is_tried_after_a_long_pause_before_it_is_given_up(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(_WHOLE)
    await app.blobs.delete(ContainerName.CAPTURE, file.path)
    for seconds in (0, 10, 40, 100, 400, 1000, 2800):
        app.now = START + timedelta(seconds=seconds)
        with pytest.raises(Exception, match="BlobNotFound"):
            await app.handle(file)
    await app.blobs.write(ContainerName.CAPTURE, file.path, _WHOLE, "application/octet-stream")

    app.now = START + timedelta(hours=7)
    assert await app.handle(file) == Counts(entries=2, condensed=2, operations=1)

    assert await operator.listed() == []


async def test_a_file_that_is_given_up_lies_whole_beside_a_list_that_says_why(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(_WHOLE)
    for _ in range(7):
        with pytest.raises(WorkerDiedError):
            await app.new_handler(failing(app, WorkerDiedError())).handle_file(file)
        app.now += timedelta(hours=1)

    assert (await app.handle(file)).set_aside == 1

    (listed,) = await operator.listed()
    kept = await files_of(app, ContainerName.SET_ASIDE)
    assert b'"reason":"handling_failed"' in kept[listed["list"]]
    assert kept[listed["list"].removesuffix("ndjson") + "avro"] == _WHOLE


async def test_a_file_of_nobody_that_is_gone_does_not_fail_for_ever(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(_WHOLE, hub="nobody")
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
    waited, own = in_one_bucket()
    await app.handle(await app.upload(capture_file([envelope(record("Start", correlation=waited))])))
    app.now += WAIT
    file = await app.upload(capture_file([envelope(record("Start", correlation=own))]))
    with pytest.raises(WorkerDiedError):
        await app.new_handler(failing(app, WorkerDiedError())).handle_file(file)
    app.now += timedelta(days=3)

    assert (await app.handle(file)).set_aside == 1

    (listed,) = await operator.listed()
    assert listed["source"] == file.path
    lines = [line for lines in (await app.condensed()).values() for line in lines]
    assert [line["correlationId"] for line in lines] == [waited]
    (await app.captures.totals(app.integration)).check()
