"""The simulated Azure as a process: how it starts and ends, and how it is told what to do."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.azure.control import AzureControl, ControlError
from local.azurite import Azurite
from tests.local.azure.azure_bench import Bench, setting
from tests.local.azure.webhook import listening

_ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def _process(*flags: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A running `python -m local azure` and what it said when it was ready."""
    command = [sys.executable, "-m", "local", "azure", "--until-stdin-closes", *flags]
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=_ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
        if process.stdin and not process.stdin.closed:
            process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_it_says_where_it_is_and_ends_with_its_standard_input() -> None:
    with _process("--seed", "3") as (process, ready):
        assert ready["ready"] is True
        assert ready["url"].startswith("http://127.0.0.1:")
        assert process.poll() is None


def test_it_ends_cleanly_on_a_signal() -> None:
    with _process() as (process, _):
        process.terminate()
        assert process.wait(timeout=10) == 0


async def test_another_process_can_have_a_customers_day_played(azurite: Azurite) -> None:
    with _process("--capture-seconds", "0.5", LOCAL_AZURE_STORAGE=azurite.connection_string) as (_, ready):
        async with AzureControl(ready["url"]) as control:
            customer = await control.add_customer("contoso", 3, not_delegated=1, disabled=1)
            assert (len(customer.delegated), len(customer.not_delegated), len(customer.disabled)) == (1, 1, 1)
            [played] = await control.play("retried", customer.delegated[0], seed=4)
            assert played.operations[0].attempts == 5
            assert (await control.counts())["byKind"] == {}


async def test_state_shows_settings_hubs_files_and_deliveries(stored: Bench) -> None:
    rule = stored.make_hub(container=f"capture-{uuid.uuid4()}")
    subscription = stored.customer.delegated[0]
    client = stored.monitor(subscription).subscription_diagnostic_settings
    await client.create_or_update("Lightkeeper-Logs", setting(rule))
    async with listening() as webhook, AzureControl(stored.server.url) as control:
        await control.subscribe(webhook.url)
        [played] = await control.play("deployment", subscription)
        files = await control.flush_capture()
        await webhook.wait_for(files)
        state = await control.state()
    scope = f"/subscriptions/{subscription}"
    assert state["settings"][scope]["Lightkeeper-Logs"]["hub"] == "contoso"
    assert state["namespaces"]["lightkeeper-weu-1"] == {"location": "westeurope", "ready": True}
    assert state["hubs"]["lightkeeper-weu-1/contoso"]["capture"] is True
    assert state["captured"]["files"] == files > 0
    assert state["eventGrid"]["delivered"] == files
    assert played.delivered == played.entries


async def test_the_customer_side_can_be_changed(bench: Bench) -> None:
    rule, subscription = bench.make_hub(), bench.customer.delegated[0]
    client = bench.monitor(subscription).subscription_diagnostic_settings
    await client.create_or_update("Lightkeeper-Logs", setting(rule))
    async with AzureControl(bench.server.url) as control:
        assert await control.delete_setting(f"/subscriptions/{subscription}", "Lightkeeper-Logs")
        assert not await control.delete_setting(f"/subscriptions/{subscription}", "Lightkeeper-Logs")
        await control.set_roles(bench.customer.delegated[1], "Reader")
        await control.take_name("lightkeeper-eus-1")
        await control.set_state(subscription, "Disabled")
        await control.set_provider(subscription, "microsoft.insights", registered=False)
        await control.delegate(subscription, delegated=False)
        await control.switch_fault_on("error_500", path="/subscriptions", calls=1)
        await control.switch_fault_off()
        await control.move_clock(60)
    [delegation] = bench.world.subscriptions[bench.customer.delegated[1]].delegations
    assert delegation.grants == {(bench.world.app.object_id, "Reader")}
    assert "lightkeeper-eus-1" in bench.world.taken_names
    changed = bench.world.subscriptions[subscription]
    assert (changed.state, changed.delegations) == ("Disabled", ())
    assert "microsoft.insights" not in changed.providers
    assert bench.azure.faults.state() == {}


async def test_what_cannot_be_done_is_said(bench: Bench) -> None:
    async with AzureControl(bench.server.url) as control:
        with pytest.raises(ControlError, match="picnic"):
            await control.play("picnic", bench.customer.delegated[0])
        with pytest.raises(ControlError, match="FaultKind"):
            await control.switch_fault_on("earthquake")
        with pytest.raises(ControlError, match="unknown control operation"):
            await control._call("dance", {})
