"""What an operator asks to have handled once more, late, or when what it needs is gone."""

import json
from datetime import timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError

from shared.jobs.files import FILE_QUEUE, FileQueue
from shared.model.answers import Answer
from shared.model.captures import CaptureFile, CaptureState, Counts
from shared.store.blobs import ContainerName
from shared.store.ledger import UNASSIGNED
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import RETENTION, START, App
from tests.capture.operators import Operator
from tests.capture.scenes import WHOLE, begin, blobs_in, gone, put

_JUNK = b"junk"


async def partly_aside(app: App) -> CaptureFile:
    """A file with the end of what began in another, what passes through, and what cannot be read."""
    await begin(app, "c3")
    end = record("Success", 2, correlation="c3"), record("Success", 1, category="Policy")
    file = await app.upload(capture_file([envelope(*end), _JUNK]))
    await app.handle(file)
    return file


async def assert_refused(operator: Operator, file: CaptureFile, *words: str) -> None:
    """A replay is refused in these words, and nothing changes."""
    app = operator.app
    before = await operator.listed(), await app.captures.totals(app.integration)
    handed_on = await blobs_in(app, ContainerName.CONDENSED)
    row = await app.captures.read(app.integration, file.written_at, file.id)
    refused = await operator.api.replay(file.id)
    assert (refused.status, refused.content_type) == (409, "application/problem+json")
    assert [word for word in words if word not in detail(refused)] == []

    await operator.work()

    assert (await operator.listed(), await app.captures.totals(app.integration)) == before
    assert await blobs_in(app, ContainerName.CONDENSED) == handed_on
    assert await app.captures.read(app.integration, file.written_at, file.id) == row


def detail(refused: Answer) -> str:
    text: str = json.loads(refused.body)["detail"]
    return text


async def test_a_file_that_was_handed_on_in_part_is_not_replaced_by_less_when_what_it_needs_is_forgotten(
    operator: Operator,
) -> None:
    app = operator.app
    file = await partly_aside(app)
    app.now += timedelta(days=3)
    (listed,) = await operator.listed()

    await assert_refused(operator, file, listed["list"], "discard")

    app.now += timedelta(hours=1)
    await app.flusher.flush()
    records = [line for lines in (await app.condensed()).values() for line in lines]
    assert sum(line.get("correlationId") == "c3" for line in records) == 1
    assert (await app.captures.totals(app.integration)).still_parked == 0


async def test_as_long_as_what_it_needs_is_kept_such_a_file_is_handed_on_as_before(
    operator: Operator,
) -> None:
    app = operator.app
    file = await partly_aside(app)
    before = await app.condensed()
    app.now = file.written_at + RETENTION - timedelta(hours=2)

    assert (await operator.api.replay(file.id)).status == 202
    await operator.work()

    assert await app.condensed() == before
    assert (await app.captures.totals(app.integration)).missing == 0


async def test_shortly_before_it_is_forgotten_nobody_begins_any_more(operator: Operator) -> None:
    file = await partly_aside(operator.app)
    operator.app.now = file.written_at + RETENTION - timedelta(hours=1)
    await assert_refused(operator, file, "handed on")


async def test_a_replay_that_was_granted_is_forgotten_as_soon_as_it_would_be_too_late(
    operator: Operator,
) -> None:
    app = operator.app
    file = await partly_aside(app)
    app.now = file.written_at + RETENTION - timedelta(hours=2)
    await operator.api.replay(file.id)
    queue = await app.storage.queue(FILE_QUEUE)
    (message,) = [one async for one in queue.receive_messages()]
    assert timedelta(hours=1) < message.expires_on - message.inserted_on < timedelta(hours=2)


async def test_a_file_that_an_earlier_try_wrote_in_whole_is_not_replaced_by_less(operator: Operator) -> None:
    app = operator.app
    file = await operator.failing()
    written = f"{app.customer}/{file.written_at:%Y/%m/%d/%H}/{file.id}.ndjson.gz"
    await app.blobs.write(ContainerName.CONDENSED, written, b"all of it", "application/gzip")
    app.now += RETENTION
    await assert_refused(operator, file, written)


async def of_a_hub_that_is_known_by_now(operator: Operator) -> CaptureFile:
    """A file that was set aside whole, and is gone since."""
    app = operator.app
    assigned, app.customer = app.customer, "unknown"
    file = await app.upload(WHOLE, hub=assigned, moment=START + timedelta(minutes=1))
    await app.handle(file)
    app.customer = assigned
    await app.blobs.delete(ContainerName.CAPTURE, file.path)
    app.now += timedelta(days=31)
    return file


async def test_a_file_that_was_set_aside_whole_is_handled_from_its_copy_when_it_is_gone_itself(
    operator: Operator,
) -> None:
    app = operator.app
    file = await of_a_hub_that_is_known_by_now(operator)
    (copy,) = [name for name in await blobs_in(app, ContainerName.SET_ASIDE) if name.endswith(".avro")]

    assert (await operator.api.replay(file.id)).status == 202
    await FileQueue(app.storage).send(file.path)
    await operator.work()

    assert await app.captures.totals(app.integration) == Counts(entries=2, condensed=2, operations=1)
    assert await operator.listed() == []
    assert (await blobs_in(app, ContainerName.CAPTURE))[file.path] == await app.blobs.read(
        ContainerName.SET_ASIDE, copy
    )


async def test_a_file_that_is_put_back_is_left_to_the_event_that_announces_it_for_a_while(
    operator: Operator,
) -> None:
    app = operator.app
    file = await of_a_hub_that_is_known_by_now(operator)
    await operator.api.replay(file.id)
    await operator.work()
    assert await app.captures.read(app.integration, file.written_at, file.id) is None
    queue = await app.storage.queue(FILE_QUEUE)
    assert (await queue.get_queue_properties()).approximate_message_count == 1


async def test_a_file_that_was_handled_by_its_event_leaves_the_list_when_somebody_asks_for_it_again(
    operator: Operator,
) -> None:
    app = operator.app
    file = await of_a_hub_that_is_known_by_now(operator)
    await operator.api.replay(file.id)
    await app.handle(file)
    before = await app.condensed()
    assert len(await operator.listed()) == 1

    assert (await operator.api.replay(file.id)).status == 202
    await operator.work()

    assert await operator.listed() == []
    assert await app.condensed() == before
    assert await app.captures.totals(app.integration) == Counts(entries=2, condensed=2, operations=1)


async def test_a_file_that_is_given_up_and_handled_by_an_event_later_is_not_handled_again(
    operator: Operator,
) -> None:
    app = operator.app
    file = await operator.failing()
    await put(app, file, WHOLE)
    await operator.aside.reopen(file.id)
    await app.handle(file)
    app.now += timedelta(days=3)
    row = await app.captures.read(app.integration, file.written_at, file.id)

    assert (await operator.api.replay(file.id)).status == 202
    assert await app.captures.read(app.integration, file.written_at, file.id) == row
    await operator.work()
    assert await operator.listed() == []


async def test_a_replay_that_is_discarded_before_anybody_began_leaves_everything_as_it_was(
    operator: Operator,
) -> None:
    app = operator.app
    file = await partly_aside(app)
    before = await app.captures.read(app.integration, file.written_at, file.id)
    await operator.api.replay(file.id)
    assert (await operator.api.discard(file.id)).status == 204
    await operator.work()
    assert await app.captures.read(app.integration, file.written_at, file.id) == before
    assert await operator.listed() == []


async def test_a_replay_that_somebody_began_is_still_to_be_ended_when_it_is_discarded(
    operator: Operator,
) -> None:
    """What had waited may have left in it already."""
    app = operator.app
    file = await partly_aside(app)
    await operator.api.replay(file.id)
    async with gone(app, file):
        with pytest.raises(ResourceNotFoundError):
            await app.handle(file)
    await operator.api.discard(file.id)
    row = await app.captures.read(app.integration, file.written_at, file.id)
    assert row is not None
    assert row.state is CaptureState.LEASED
    assert (await app.handle(file)).set_aside == 1


async def test_a_file_that_is_gone_with_its_copy_is_not_handled(operator: Operator) -> None:
    app = operator.app
    file = await app.upload(b"no capture file")
    await app.handle(file)
    await app.blobs.delete(ContainerName.CAPTURE, file.path)
    (listed,) = await operator.listed()
    await app.blobs.delete(ContainerName.SET_ASIDE, listed["list"].replace(".ndjson", ".avro"))
    await assert_refused(operator, file, "gone", file.path)


@pytest.mark.parametrize("whole", [False, True])
async def test_a_file_whose_hub_was_taken_from_its_customer_is_not_taken_for_nobodys(
    operator: Operator, *, whole: bool
) -> None:
    app = operator.app
    file = await app.upload(b"no capture file" if whole else capture_file([envelope(record()), _JUNK]))
    await app.handle(file)
    app.customer = "elsewhere"

    await assert_refused(operator, file, "assigned", file.hub)

    row = await app.captures.read(app.integration, file.written_at, file.id)
    assert row is not None
    assert row.state is (CaptureState.SET_ASIDE if whole else CaptureState.DONE)
    assert await app.captures.read(UNASSIGNED, file.written_at, file.id) is None
