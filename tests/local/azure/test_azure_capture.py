"""Capture and Event Grid: from entries to Avro files in Azurite to a webhook."""

import io
import json
import uuid
from typing import Any

import fastavro
import pytest
from azure.storage.blob.aio import BlobServiceClient

from local.azure.capture import CapturedFile
from local.azure.event_grid import HandshakeError
from local.azure.faults import Fault, FaultKind
from local.azure.plays import DIRTY, MIXED, SPLIT, play
from local.azurite import Azurite
from tests.local.azure.azure_bench import Bench, setting
from tests.local.azure.webhook import listening, until

_SETTING = "providers/microsoft.insights/diagnosticSettings/Lightkeeper-Logs?api-version=2021-05-01-preview"


def _listen(bench: Bench, **capture: object) -> str:
    """Lead a subscription's whole activity log to a capturing hub; gives back the subscription."""
    rule = bench.make_hub(container=f"capture-{uuid.uuid4()}", **capture)
    subscription = bench.customer.delegated[0]
    categories = ("Administrative", "Policy", "Autoscale", "ServiceHealth", "ResourceHealth")
    body = json.dumps(setting(rule, "contoso", *categories)).encode()
    assert bench.call("PUT", f"/subscriptions/{subscription}/{_SETTING}", body).ok
    return subscription


async def _read(azurite: Azurite, file: CapturedFile) -> tuple[list[dict[str, Any]], str]:
    """Events of a captured file and its codec."""
    async with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        blob = service.get_blob_client(file.container, file.path)
        content = await (await blob.download_blob()).readall()
    reader = fastavro.reader(io.BytesIO(content))
    events: list[dict[str, Any]] = list(reader)
    return events, str(reader.codec)


@pytest.mark.parametrize(("encoding", "codec"), [("Avro", "null"), ("AvroDeflate", "deflate")])
async def test_every_delivered_entry_is_in_a_file_once(
    stored: Bench, azurite: Azurite, encoding: str, codec: str
) -> None:
    subscription = _listen(stored, encoding=encoding)
    played = await play(stored.azure, MIXED, subscription, count=30, seed=2)
    files = await stored.azure.capture.close_windows(force=True)
    records: list[dict[str, Any]] = []
    for file in files:
        events, found = await _read(azurite, file)
        assert found == codec
        assert [event["SequenceNumber"] for event in events] == sorted(e["SequenceNumber"] for e in events)
        records += [record for event in events for record in json.loads(event["Body"])["records"]]
    own_writes = 2
    assert len(records) == sum(written.delivered for written in played) + own_writes
    assert len(files) == 2


async def test_files_are_named_by_the_format_and_never_overwritten(stored: Bench) -> None:
    subscription = _listen(
        stored, pattern="x/{Namespace}-{EventHub}/{Year}{Month}{Day}/{Hour}{Minute}{Second}/{PartitionId}"
    )
    files = []
    for _ in range(4):
        await play(stored.azure, "deployment", subscription)
        files += await stored.azure.capture.close_windows(force=True)
    assert len({file.path for file in files}) == len(files)
    assert all(file.path.startswith("x/lightkeeper-weu-1-contoso/20") for file in files)
    assert all(file.path.endswith(".avro") for file in files)


async def test_windows_close_by_the_clock(stored: Bench) -> None:
    subscription = _listen(stored)
    await play(stored.azure, "deployment", subscription)
    assert await stored.azure.capture.close_windows() == []
    stored.world.clock.move(301)
    await until(lambda: stored.azure.capture.files)


@pytest.mark.parametrize(("skip", "empty"), [(True, 0), (False, 2)])
async def test_empty_windows_are_written_only_if_the_hub_wants_them(
    stored: Bench, azurite: Azurite, *, skip: bool, empty: int
) -> None:
    stored.make_hub(container=f"capture-{uuid.uuid4()}", skipEmptyArchives=skip)
    assert await stored.azure.capture.close_windows() == []
    stored.azure.capture.seconds = 0
    files = await stored.azure.capture.close_windows()
    assert len(files) == empty
    for file in files:
        assert (await _read(azurite, file))[0] == []


async def test_a_hub_without_capture_keeps_nothing_for_later(stored: Bench) -> None:
    subscription = _listen(stored, enabled=False)
    await play(stored.azure, "deployment", subscription)
    assert await stored.azure.capture.close_windows(force=True) == []
    assert stored.azure.stream.sent["lightkeeper-weu-1", "contoso"] > 0


async def test_dirty_material_is_in_files_like_any_other(stored: Bench, azurite: Azurite) -> None:
    subscription = _listen(stored)
    [written] = await play(stored.azure, DIRTY, subscription)
    assert (written.raw_bodies, written.empty_files) == (3, 1)
    await stored.azure.capture.close_windows(force=True)
    read = [await _read(azurite, file) for file in stored.azure.capture.files]
    assert [] in [events for events, _ in read]
    bodies = [event["Body"] for events, _ in read for event in events]
    assert None in bodies
    assert any(body and body.endswith(b'"Administr') for body in bodies)


async def test_the_end_of_an_operation_can_lie_in_a_later_file(stored: Bench, azurite: Azurite) -> None:
    subscription = _listen(stored)
    [written] = await play(stored.azure, SPLIT, subscription)
    assert written.delivered == len(written.entries)
    first = list(stored.azure.capture.files)
    second = await stored.azure.capture.close_windows(force=True)
    kinds = []
    for files in (first, second):
        events = [event for file in files for event in (await _read(azurite, file))[0]]
        records = [record for event in events for record in json.loads(event["Body"])["records"]]
        kinds.append({"jobId" in record for record in records})
    assert kinds == [{False}, {True}]


async def test_a_webhook_is_validated_and_told_of_every_file(stored: Bench) -> None:
    subscription = _listen(stored)
    async with listening() as webhook:
        await stored.azure.event_grid.subscribe(webhook.url)
        await play(stored.azure, "deployment", subscription)
        files = await stored.azure.capture.close_windows(force=True)
        await webhook.wait_for(len(files))
        assert {event["data"]["url"] for event in webhook.events} == {file.url for file in files}
        assert webhook.headers[-1]["aeg-event-type"] == "Notification"
        event = webhook.events[0]
        assert event["eventType"] == "Microsoft.Storage.BlobCreated"
        assert event["subject"].startswith(f"/blobServices/default/containers/{files[0].container}/blobs/")


async def test_a_webhook_that_does_not_answer_the_handshake_gets_nothing(stored: Bench) -> None:
    async with listening() as webhook:
        webhook.validates = False
        with pytest.raises(HandshakeError):
            await stored.azure.event_grid.subscribe(webhook.url)
    with pytest.raises(HandshakeError):
        await stored.azure.event_grid.subscribe("http://127.0.0.1:9/nobody")
    assert stored.azure.event_grid.webhooks == []


async def _one_event(stored: Bench, *, scale: float = 0.001) -> None:
    """Have Event Grid deliver one event."""
    stored.azure.event_grid.time_scale = scale
    stored.make_hub(container=f"capture-{uuid.uuid4()}")
    assert await stored.azure.capture.write_empty("lightkeeper-weu-1", "contoso")


async def test_a_failed_delivery_is_tried_again(stored: Bench) -> None:
    async with listening() as webhook:
        webhook.statuses = [500, 503]
        await stored.azure.event_grid.subscribe(webhook.url)
        await _one_event(stored)
        await webhook.wait_for(3)
        assert [headers["aeg-delivery-count"] for headers in webhook.headers] == ["0", "0", "1", "2"]


async def test_what_cannot_be_delivered_is_dead_lettered(stored: Bench) -> None:
    async with listening() as webhook:
        await stored.azure.event_grid.subscribe(webhook.url)
        webhook.statuses = [400]
        await _one_event(stored)
        await until(lambda: stored.azure.event_grid.dead_letters)
        [letter] = stored.azure.event_grid.dead_letters
        assert (letter.attempts, letter.last) == (1, "400")
        webhook.statuses = [500] * 30
        stored.azure.event_grid.dead_letters.clear()
        await _one_event(stored, scale=0)
        await until(lambda: stored.azure.event_grid.dead_letters)
        assert stored.azure.event_grid.dead_letters[0].last == "500"


async def test_events_come_twice_and_late_when_told_to(stored: Bench) -> None:
    async with listening() as webhook:
        await stored.azure.event_grid.subscribe(webhook.url)
        stored.azure.faults.switch_on("twice", Fault(FaultKind.DUPLICATE_EVENT, calls=1))
        stored.azure.faults.switch_on("late", Fault(FaultKind.DELAYED_EVENT, calls=1, seconds=100))
        await _one_event(stored)
        first = stored.azure.capture.files[-1]
        await stored.azure.capture.write_empty("lightkeeper-weu-1", "contoso")
        await webhook.wait_for(3)
        urls = [event["data"]["url"] for event in webhook.events]
        assert urls[0] != first.url
        assert urls[1:] == [first.url, first.url]
