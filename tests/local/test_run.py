"""`make run`: what it prints is all that one needs, and Ctrl-C ends every process."""

import asyncio
import json
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from local.azurite import ROOT
from tests.helpers.processes import alive, children_of, listen_to_ctrl_c
from tests.helpers.waiting import wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")


_PATIENCE = 30.0


@asynccontextmanager
async def running() -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local", "run"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=listen_to_ctrl_c,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def printed_until(process: asyncio.subprocess.Process, last: str) -> str:
    assert process.stdout is not None
    found = ""
    while last not in found:
        line = await process.stdout.readline()
        assert line, found
        found += line.decode()
    return found


async def test_what_it_prints_onboards_a_customer_and_ctrl_c_ends_everything() -> None:
    async with running() as process, aiohttp.ClientSession() as session:
        text = await printed_until(process, "Ctrl-C")
        words = shlex.split(next(line for line in text.splitlines() if "/api/integrations -H" in line))
        url, header, body = words[3], words[5], words[7]
        name, _, key = header.partition(": ")

        async with session.post(url, data=body) as answer:
            assert answer.status == 401
        async with session.post(url, data=body, headers={name: key}) as answer:
            assert answer.status == 201
            made = json.loads(await answer.read())
        assert made["status"] == "provisioning"
        assert "az deployment" in made["onboarding"]["command"]
        play = next(line for line in text.splitlines() if "/_control/play" in line)
        async with session.post(shlex.split(play)[3], data=shlex.split(play)[5]) as answer:
            assert answer.status == 200

        parts = children_of(process.pid)
        assert len(parts) == 3
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
        assert not alive(parts)
    assert re.search(r"Logs: .+/run\n", text)


async def test_ctrl_c_before_it_is_ready_ends_everything() -> None:
    parts: set[int] = set()

    async with running() as process:

        async def started() -> bool:
            parts.update(children_of(process.pid))
            return bool(parts)

        async def ended() -> bool:
            return not alive(parts)

        await printed_until(process, "Starting")
        assert await wait_until(started, _PATIENCE)
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
        # One that was just being started ends by itself when its parent is gone.
        assert await wait_until(ended, _PATIENCE)
