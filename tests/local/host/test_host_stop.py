import asyncio
import base64
import os
import signal
import time
import uuid
from pathlib import Path

import pytest
from azure.storage.queue.aio import QueueClient

from local.azurite import Azurite
from tests.local.host.host_harness import RunningHost, environment, eventually, write_app

APP = """
@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="LightkeeperStorage")
async def work(message: func.QueueMessage) -> None:
    report(begin=message.get_body().decode())
    await asyncio.sleep(float(message.get_body()))
    report(end=message.get_body().decode())


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
async def wait(req: func.HttpRequest) -> func.HttpResponse:
    report(begin="wait")
    await asyncio.sleep(float(req.params["seconds"]))
    return func.HttpResponse("waited")


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
def hold(req: func.HttpRequest) -> func.HttpResponse:
    report(begin="hold")
    time.sleep(60)
"""


def hosted(azurite: Azurite, folder: Path, queue: str) -> RunningHost:
    write_app(folder, APP)
    return RunningHost(folder, environment(azurite, folder, {"QUEUE": queue}))


async def exit_status(host: RunningHost, seconds: float = 8) -> int | None:
    """Wait for the end of the process."""
    await eventually(lambda: not host.child.running, seconds)
    return host.child._process.returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_host_in_order(
    azurite: Azurite, tmp_path: Path, number: signal.Signals
) -> None:
    with hosted(azurite, tmp_path, "nowhere") as host:
        os.kill(host.child.pid, number)
        assert await exit_status(host) == 0
        assert "Traceback" not in host.log


async def test_the_end_of_standard_input_ends_the_host(azurite: Azurite, tmp_path: Path) -> None:
    with hosted(azurite, tmp_path, "nowhere") as host:
        assert host.child._process.stdin is not None
        host.child._process.stdin.close()
        assert await exit_status(host) == 0
        assert "Traceback" not in host.log


async def test_a_running_function_may_finish_and_its_message_is_deleted(
    azurite: Azurite, tmp_path: Path
) -> None:
    name = f"stop-{uuid.uuid4().hex}"
    async with QueueClient.from_connection_string(azurite.connection_string, name) as queue:
        await queue.create_queue()
        await queue.send_message(base64.b64encode(b"1").decode())
        with hosted(azurite, tmp_path, name) as host:
            waiting = asyncio.create_task(host.call("GET", "/api/wait?seconds=1"))
            await host.wait_for(begin="1")
            await host.wait_for(begin="wait")
            os.kill(host.child.pid, signal.SIGTERM)
            assert (await waiting).body == b"waited"
            assert await exit_status(host) == 0
        assert host.reports(end="1")
        assert (await queue.get_queue_properties()).approximate_message_count == 0


async def test_a_function_that_takes_too_long_is_cancelled_and_its_message_is_free_at_once(
    azurite: Azurite, tmp_path: Path
) -> None:
    name = f"stop-{uuid.uuid4().hex}"
    async with QueueClient.from_connection_string(azurite.connection_string, name) as queue:
        await queue.create_queue()
        await queue.send_message(base64.b64encode(b"60").decode())
        with hosted(azurite, tmp_path, name) as host:
            waiting = asyncio.create_task(host.call("GET", "/api/wait?seconds=60"))
            await host.wait_for(begin="60")
            await host.wait_for(begin="wait")
            os.kill(host.child.pid, signal.SIGTERM)
            assert (await waiting).status == 503
            assert await exit_status(host) == 0
            assert "function=work" in host.log
            assert "result=cancelled" in host.log
        (message,) = [item async for item in queue.receive_messages(max_messages=1)]
        assert message.dequeue_count == 2


async def test_a_function_that_holds_its_thread_does_not_hold_the_process(
    azurite: Azurite, tmp_path: Path
) -> None:
    with hosted(azurite, tmp_path, "nowhere") as host:
        waiting = asyncio.create_task(host.call("GET", "/api/hold"))
        await host.wait_for(begin="hold")
        started = time.monotonic()
        os.kill(host.child.pid, signal.SIGTERM)
        assert await exit_status(host, 10) == 0
        assert time.monotonic() - started < 8
        assert (await waiting).status == 503
