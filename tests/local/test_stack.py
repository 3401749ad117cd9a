"""The whole system as processes: it starts, it ends, and it ends with its parent."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from local.app_client import AppClient
from local.azure.control import AzureControl
from local.azurite import ROOT
from local.process import NotReadyError
from local.stack import Stack
from tests.helpers.processes import alive
from tests.helpers.waiting import wait_until

_PATIENCE = 60.0
_PARENT = """
import json, sys, time
from pathlib import Path
from local.stack import Stack

with Stack(Path(sys.argv[1])) as stack:
    stack.start_azurite()
    stack.start_azure()
    stack.start_host()
    pids = [stack.azurite._child.pid, *(child.pid for child in stack.children)]
    print(json.dumps(pids), flush=True)
    time.sleep(600)
"""


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_stack_starts_serves_and_leaves_no_process_behind(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        for start in (stack.start_azurite, stack.start_azure, stack.start_host):
            await asyncio.to_thread(start)
        pids = [stack.azurite._child.pid, *(child.pid for child in stack.children)]
        assert alive(pids) == pids
        storage = stack.azurite.connection_string
        async with (
            AzureControl(stack.azure_url) as azure,
            AppClient(stack.host_url, stack.function_key, storage) as app,
        ):
            await azure.subscribe(stack.event_grid_url)
            made = await azure.add_customer("tailspin", 1)
            registered = await app.register(customer="tailspin", tenantId=made.tenant_id)
            assert registered["status"] == "provisioning"
    assert alive(pids) == []
    assert names_in(tmp_path) == ["azure.log", "azurite.log", "host.log"]


async def test_settings_of_the_caller_win_over_those_of_a_laptop(tmp_path: Path) -> None:
    with Stack(tmp_path, settings={"LIGHTKEEPER_HUB_PARTITIONS": "none"}) as stack:
        for start in (stack.start_azurite, stack.start_azure, stack.start_host):
            await asyncio.to_thread(start)

        async def named() -> bool:
            return "LIGHTKEEPER_HUB_PARTITIONS is not" in stack.children[-1].tail()

        assert await wait_until(named, _PATIENCE)


def test_a_part_that_cannot_start_is_named_and_the_others_end(tmp_path: Path) -> None:
    with Stack(tmp_path, settings={"LIGHTKEEPER_FLUSH_SCHEDULE": "whenever"}) as stack:
        stack.start_azurite()
        stack.start_azure()
        pids = [stack.azurite._child.pid, *(child.pid for child in stack.children)]
        with pytest.raises(NotReadyError, match="host ended before it was ready") as raised:
            stack.start_host()
    assert "whenever" in str(raised.value)
    assert alive(pids) == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")
async def test_when_the_parent_is_killed_all_parts_end(tmp_path: Path) -> None:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PARENT, str(tmp_path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert running.stdout is not None
    pids = json.loads(await running.stdout.readline())
    assert len(alive(pids)) == 3

    running.kill()
    await running.wait()

    async def all_ended() -> bool:
        return not alive(pids)

    assert await wait_until(all_ended, _PATIENCE)
