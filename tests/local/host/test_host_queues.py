import base64
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient as PlainClient
from azure.storage.queue.aio import QueueClient

from local.azurite import Azurite
from local.host.queues import Backoff
from tests.local.host.host_harness import RunningHost, environment, eventually, still, write_app

APP = """
running = 0


@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="LightkeeperStorage")
async def work(message: func.QueueMessage) -> None:
    global running
    running += 1
    body = message.get_body().decode()
    report(
        body=body, count=message.dequeue_count, id=message.id, receipt=bool(message.pop_receipt),
        inserted=message.insertion_time.isoformat(), expires=message.expiration_time.isoformat(),
        visible=message.time_next_visible.isoformat(), at=time.time(), running=running,
    )
    try:
        if body.startswith("sleep "):
            await asyncio.sleep(float(body.split()[1]))
        if body.startswith("fail"):
            raise RuntimeError("failed on purpose")
    finally:
        running -= 1
    report(done=body)
"""


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def hosted(
    azurite: Azurite, folder: Path, queue: str, queues: dict[str, Any] | None = None, *flags: str
) -> RunningHost:
    write_app(folder, APP, {"extensions": {"queues": queues or {}}})
    return RunningHost(folder, environment(azurite, folder, {"QUEUE": queue}), *flags)


@asynccontextmanager
async def new_queue(azurite: Azurite, suffix: str = "") -> AsyncIterator[QueueClient]:
    name = f"host-{uuid.uuid4().hex}{suffix}"
    async with QueueClient.from_connection_string(azurite.connection_string, name) as queue:
        await queue.create_queue()
        yield queue


def waiting(azurite: Azurite, name: str) -> int:
    """How many messages are in a queue, hidden ones included."""
    with PlainClient.from_connection_string(azurite.connection_string, name) as queue:
        return queue.get_queue_properties().approximate_message_count or 0


def poisoned(azurite: Azurite, name: str) -> list[str]:
    """The messages of a queue's poison queue, as they stand there."""
    with PlainClient.from_connection_string(azurite.connection_string, f"{name}-poison") as queue:
        try:
            return [str(message.content) for message in queue.peek_messages(32)]
        except ResourceNotFoundError:
            return []


async def test_a_message_arrives_with_its_metadata_and_is_then_deleted(
    azurite: Azurite, tmp_path: Path
) -> None:
    async with new_queue(azurite) as queue:
        sent = await queue.send_message(encoded("hellö"))
        with hosted(azurite, tmp_path, queue.queue_name) as host:
            (seen,) = await host.wait_for(body="hellö")
            assert (seen["id"], seen["count"], seen["receipt"]) == (sent.id, 1, True)
            assert seen["inserted"] == sent.inserted_on.isoformat()
            assert seen["expires"] == sent.expires_on.isoformat()
            assert seen["visible"] > seen["inserted"]
            await eventually(lambda: waiting(azurite, queue.queue_name) == 0)


async def test_a_failing_message_is_tried_again_and_ends_in_the_poison_queue(
    azurite: Azurite, tmp_path: Path
) -> None:
    async with new_queue(azurite) as queue:
        await queue.send_message(encoded("fail"))
        with hosted(azurite, tmp_path, queue.queue_name, {"maxDequeueCount": 3}) as host:
            await eventually(lambda: poisoned(azurite, queue.queue_name) == [encoded("fail")])
            await eventually(lambda: waiting(azurite, queue.queue_name) == 0)
            assert [item["count"] for item in host.reports(body="fail")] == [1, 2, 3]


async def test_many_messages_at_once_are_all_set_aside_in_a_new_poison_queue(
    azurite: Azurite, tmp_path: Path
) -> None:
    async with new_queue(azurite) as queue:
        for number in range(8):
            await queue.send_message(encoded(f"fail {number}"))
        with hosted(azurite, tmp_path, queue.queue_name, {"maxDequeueCount": 1}):
            await eventually(lambda: len(poisoned(azurite, queue.queue_name)) == 8)
            await eventually(lambda: waiting(azurite, queue.queue_name) == 0)


async def test_a_failing_message_comes_back_only_after_the_visibility_timeout(
    azurite: Azurite, tmp_path: Path
) -> None:
    async with new_queue(azurite) as queue:
        await queue.send_message(encoded("fail"))
        with hosted(azurite, tmp_path, queue.queue_name, {"visibilityTimeout": "00:00:02"}) as host:
            first, second, *_ = await host.wait_for(2, body="fail")
            assert second["at"] - first["at"] >= 1.0


async def test_a_message_received_too_often_is_set_aside_without_a_run(
    azurite: Azurite, tmp_path: Path
) -> None:
    async with new_queue(azurite) as queue:
        await queue.send_message(encoded("tired"))
        for _ in range(2):
            (message,) = [item async for item in queue.receive_messages(max_messages=1)]
            await queue.update_message(message, visibility_timeout=0)
        with hosted(azurite, tmp_path, queue.queue_name, {"maxDequeueCount": 2}) as host:
            await eventually(lambda: poisoned(azurite, queue.queue_name) == [encoded("tired")])
            assert host.reports(body="tired") == []


async def test_a_message_that_is_not_base64_is_set_aside_at_once_and_the_listener_goes_on(
    azurite: Azurite, tmp_path: Path
) -> None:
    async with new_queue(azurite) as queue:
        await queue.send_message("{not base64}")
        await queue.send_message(encoded("next"))
        with hosted(azurite, tmp_path, queue.queue_name) as host:
            await host.wait_for(done="next")
            await eventually(lambda: poisoned(azurite, queue.queue_name) == ["{not base64}"])
            assert len(host.reports(done="next")) == 1


async def test_host_json_can_turn_the_encoding_off(azurite: Azurite, tmp_path: Path) -> None:
    async with new_queue(azurite) as queue:
        await queue.send_message("plain text")
        with hosted(azurite, tmp_path, queue.queue_name, {"messageEncoding": "none"}) as host:
            await host.wait_for(done="plain text")


async def test_a_queue_that_comes_later_is_found(azurite: Azurite, tmp_path: Path) -> None:
    name = f"host-{uuid.uuid4().hex}"
    with hosted(azurite, tmp_path, name) as host:
        async with QueueClient.from_connection_string(azurite.connection_string, name) as queue:
            await queue.create_queue()
            await queue.send_message(encoded("late"))
            await host.wait_for(done="late")


async def test_a_long_run_keeps_its_message_hidden(azurite: Azurite, tmp_path: Path) -> None:
    async with new_queue(azurite) as queue:
        await queue.send_message(encoded("sleep 8"))
        with hosted(azurite, tmp_path, queue.queue_name, None, "--queue-lease-seconds", "6") as host:
            await host.wait_for(done="sleep 8")
            await eventually(lambda: waiting(azurite, queue.queue_name) == 0)
            assert len(host.reports(body="sleep 8")) == 1


async def test_batch_size_and_threshold_bound_what_runs_at_once(azurite: Azurite, tmp_path: Path) -> None:
    async with new_queue(azurite) as queue:
        for _ in range(12):
            await queue.send_message(encoded("sleep 0.5"))
        settings = {"batchSize": 4, "newBatchThreshold": 2}
        with hosted(azurite, tmp_path, queue.queue_name, settings) as host:
            await host.wait_for(12, done="sleep 0.5")
            most = max(item["running"] for item in host.reports(body="sleep 0.5"))
            assert 4 <= most <= 6


async def test_a_poison_queue_has_no_poison_queue_and_keeps_what_fails_hidden(
    azurite: Azurite, tmp_path: Path
) -> None:
    async with new_queue(azurite, "-poison") as queue:
        await queue.send_message(encoded("fail"))
        with hosted(azurite, tmp_path, queue.queue_name, {"maxDequeueCount": 1}) as host:
            await host.wait_for(body="fail")
            assert await still(lambda: len(host.reports(body="fail")) == 1, 0.5)
            assert waiting(azurite, queue.queue_name) == 1
            assert [message async for message in queue.receive_messages()] == []


async def test_an_idle_queue_is_looked_at_less_and_less_often() -> None:
    backoff = Backoff(longest_seconds=1.0)
    pauses = [backoff.pause() for _ in range(8)]
    assert 0.08 <= pauses[0] <= 0.12
    assert 0.16 <= pauses[1] <= 0.24
    assert all(0.8 <= pause <= 1.0 for pause in pauses[4:])
    backoff.reset()
    assert backoff.pause() <= 0.12


async def test_a_message_waits_no_longer_than_the_longest_pause(azurite: Azurite, tmp_path: Path) -> None:
    async with new_queue(azurite) as queue:
        with hosted(azurite, tmp_path, queue.queue_name) as host:
            await still(lambda: True, 1.0)
            sent = time.time()
            await queue.send_message(encoded("now"))
            (seen,) = await host.wait_for(body="now")
            assert seen["at"] - sent < 1.0
