"""What was set aside can be looked at, handled once more, and thrown away."""

import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError
from wasmtime import Trap, WasmtimeError

from shared.capture.avro_header import header_of
from shared.jobs.files import FILE_QUEUE, FileQueue
from shared.model.answers import Answer
from shared.model.captures import CaptureFile, CaptureState, Counts
from shared.model.problem import PROVIDER
from shared.model.reasons import Reason
from shared.store.blobs import ContainerName
from shared.store.ledger import LEASE, UNASSIGNED, LedgerEntry
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import START
from tests.capture.operators import Operator
from tests.capture.scenes import WHOLE, gone, hourly, put
from tests.capture.stores import Meddled, Save

_ON_LINUX = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="nothing else tells how many addresses a process has"
)


def status(answer: Answer) -> int:
    return answer.status


async def test_a_file_that_keeps_failing_is_set_aside_and_then_answered_at_once(operator: Operator) -> None:
    file = await operator.failing()
    (listed,) = await operator.listed()
    assert (listed["id"], listed["source"], listed["list"]) == (file.id, file.path, None)
    assert listed["reason"] == "failed 7 times, at last with ResourceNotFoundError BlobNotFound"
    assert await operator.reasons(operator.app.integration) == [Reason.CAPTURE_FILE_FAILED]
    assert await operator.app.handle(file) == Counts(entries=1, set_aside=1)


def swelling() -> bytes:
    """A small file whose entries are more, all at once, than fit into a sandbox."""
    data = capture_file([envelope(record(properties={"x": "x" * (63 << 20)}))], codec="deflate")
    header = header_of(data, last=True)
    assert header is not None
    return data[: header.end] + 9 * data[header.end :]


@contextmanager
def no_room_for_sandboxes() -> Iterator[None]:
    """As on a machine that grants a process less than the addresses of one more sandbox."""
    gc.collect()  # A sandbox that goes later would make room for another.
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


async def assert_only_it_is_set_aside(operator: Operator, file: CaptureFile, reason: str) -> None:
    """Of two files one was tried seven times; now it goes aside, and the other one does not."""
    app = operator.app
    other = await app.upload(WHOLE)
    assert (await app.handle(other)).condensed == 2
    assert await app.handle(file) == Counts(entries=1, set_aside=1)
    (listed,) = await operator.listed()
    assert (listed["source"], listed["reason"]) == (file.path, reason)
    assert await operator.reasons(app.integration) == [Reason.CAPTURE_FILE_FAILED]


async def test_a_file_on_which_the_kernel_fails_is_set_aside_in_the_end_and_others_are_not(
    operator: Operator,
) -> None:
    app = operator.app
    file = await app.upload(swelling())
    for _ in hourly(app):
        with pytest.raises(Trap):
            # More is to be held at once than a sandbox may have; later workers do as the first one did.
            await app.new_handler(part_bytes=1 << 30).handle_file(file)
    await assert_only_it_is_set_aside(operator, file, "failed 7 times, at last with Trap")


@_ON_LINUX
async def test_a_file_for_which_no_sandbox_can_be_made_is_set_aside_in_the_end_and_others_are_not(
    operator: Operator,
) -> None:
    app = operator.app
    file = await app.upload(capture_file([envelope(record())]))
    for _ in hourly(app):
        with no_room_for_sandboxes(), pytest.raises(WasmtimeError, match="Cannot allocate memory"):
            await app.handle(file)
    await assert_only_it_is_set_aside(operator, file, "failed 7 times, at last with WasmtimeError")


@_ON_LINUX
async def test_when_there_is_room_for_a_sandbox_again_the_file_is_handled(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(WHOLE)
    with no_room_for_sandboxes(), pytest.raises(WasmtimeError):
        await app.handle(file)
    assert await app.handle(file) == Counts(entries=2, condensed=2, operations=1)
    assert await operator.listed() == []


async def test_what_fails_for_a_short_time_only_is_not_set_aside(operator: Operator) -> None:
    file = await operator.app.upload(WHOLE)
    async with gone(operator.app, file):
        for _ in range(9):
            with pytest.raises(Exception, match="BlobNotFound"):
                await operator.app.handle(file)
    assert (await operator.app.handle(file)).condensed == 2
    assert await operator.listed() == []


async def test_a_file_that_was_set_aside_is_handled_once_more_when_somebody_asks(operator: Operator) -> None:
    file = await operator.failing()
    await put(operator.app, file, WHOLE)

    assert status(await operator.api.replay(file.id)) == 202
    assert status(await operator.api.replay(file.id)) == 202
    await operator.work()

    assert await operator.listed() == []
    assert await operator.reasons(operator.app.integration) == []
    assert await operator.app.captures.totals(operator.app.integration) == Counts(
        entries=2, condensed=2, operations=1
    )
    assert len(await operator.app.condensed()) == 1
    assert status(await operator.api.replay(file.id)) == 404


async def test_a_replay_that_fails_leaves_the_file_in_the_list(operator: Operator) -> None:
    file = await operator.failing()
    await put(operator.app, file, b"")
    assert status(await operator.api.replay(file.id)) == 202
    await operator.app.blobs.delete(ContainerName.CAPTURE, file.path)
    with pytest.raises(ResourceNotFoundError):
        await operator.app.handle(file)
    assert [one["id"] for one in await operator.listed()] == [file.id]


async def test_a_file_of_a_hub_that_was_unknown_goes_to_whom_it_was_assigned_since(
    operator: Operator,
) -> None:
    app = operator.app
    other = app.customer
    app.customer = "unknown"
    file = await app.upload(WHOLE, hub=other, moment=START + timedelta(minutes=1))
    await app.handle(file)
    assert [(one["integrationId"], one["setAside"]) for one in await operator.listed()] == [(None, 1)]
    assert await operator.reasons(PROVIDER) == [Reason.UNKNOWN_HUB]

    app.customer = other
    assert status(await operator.api.replay(file.id)) == 202
    await operator.work()

    assert (await app.captures.totals(app.integration)).condensed == 2
    assert await operator.listed() == []
    assert await operator.reasons(PROVIDER) == []


async def test_a_file_with_a_few_entries_set_aside_can_be_handled_once_more_too(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(capture_file([envelope(record()), b"junk"]))
    await app.handle(file)
    (listed,) = await operator.listed()
    assert (listed["setAside"], listed["list"]) == (1, f"{app.customer}/2024/05/01/{file.id}.ndjson")
    mended = capture_file([envelope(record()), envelope(record("Success", 1))])
    await put(app, file, mended)

    await operator.api.replay(file.id)
    await operator.work()

    assert await app.captures.totals(app.integration) == Counts(entries=2, condensed=2, operations=1)
    assert await operator.reasons(app.integration) == []


async def test_what_is_discarded_leaves_the_list_and_not_the_container(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(capture_file([b"junk"]))
    await app.handle(file)
    (listed,) = await operator.listed()
    assert status(await operator.api.discard(file.id)) == 204
    assert status(await operator.api.discard(file.id)) == 404
    assert await operator.listed() == []
    assert await operator.reasons(app.integration) == []
    assert await app.blobs.read(ContainerName.SET_ASIDE, listed["list"])


async def test_a_file_that_somebody_is_handling_is_left_to_them(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(capture_file([envelope(record())]))
    row = LedgerEntry(app.integration, file.id, file.written_at, file.path, CaptureState.LEASED)
    await app.captures.begin(row, app.now)
    await FileQueue(app.storage).send(file.path)
    await operator.work()
    app.now += LEASE
    assert (await app.handle(file)).parked == 1


@pytest.mark.parametrize("text", [b"", b"[]", b'{"version":2,"path":"x"}', b'{"version":1,"path":"x"}'])
async def test_messages_that_name_no_capture_file_are_ignored(operator: Operator, text: bytes) -> None:
    await operator.again.run(text)


async def test_a_file_from_before_its_hub_was_assigned_reaches_nobody(operator: Operator) -> None:
    """The slug of a customer who was offboarded may be registered anew, for somebody else."""
    app = operator.app
    old = await app.upload(capture_file([envelope(record())]), moment=START - timedelta(seconds=1))
    new = await app.upload(capture_file([envelope(record())]), moment=START)
    assert await app.handle(old) == Counts(entries=1, set_aside=1)
    assert await app.handle(new) == Counts(entries=1, parked=1)
    (listed,) = await operator.listed()
    assert (listed["integrationId"], listed["source"]) == (None, old.path)
    assert "before" in listed["reason"]
    ledger = await app.captures.read(UNASSIGNED, old.written_at, old.id)
    assert ledger is not None
    assert ledger.state is CaptureState.SET_ASIDE


async def test_a_replay_whose_message_meets_somebody_at_the_file_comes_back_and_ends_it(
    operator: Operator,
) -> None:
    app = operator.app
    file = await operator.failing()
    await put(app, file, WHOLE)
    assert status(await operator.api.replay(file.id)) == 202

    async def meanwhile(save: Save, _: set[int]) -> set[int]:
        await operator.work()
        return await save()

    assert (await app.new_handler(Meddled(app, meanwhile)).handle_file(file)).condensed == 2
    assert await operator.listed()
    queue = await app.storage.queue(FILE_QUEUE)
    assert (await queue.get_queue_properties()).approximate_message_count == 1
    await operator.again.run(b'{"version":1,"path":"%s","attempt":1}' % file.path.encode())
    assert await operator.listed() == []
