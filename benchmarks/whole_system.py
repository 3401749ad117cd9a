"""The whole system as processes: how long provisioning takes, and how soon drift is mended."""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import Options, Row, at_most
from local.app_client import AppClient
from local.azure.control import AzureControl
from local.azurite import ROOT
from local.stack import Stack

PROVISIONING = "provisioning.minutes_2000x10"
REPAIR = "repair.seconds_after_log"

_SUBSCRIPTIONS, _RESOURCES = 2000, 10
_QUICK_SUBSCRIPTIONS, _QUICK_RESOURCES = 10, 2
_LATENCY_MS = 100
_GIVE_UP_SECONDS = 1500.0
_LOOK_SECONDS = 5.0
_COUNT_SECONDS = 15.0

# As deployed: the laptop's paces give way to those of the cloud.
_PACE = {
    name: value
    for name, value in json.loads((ROOT / "local.settings.sample.json").read_text())["Values"].items()
    if name.startswith("LIGHTKEEPER_") and name.endswith(("_SECONDS", "_SCHEDULE")) and value
}
_YEARLY = {name: "0 0 0 1 1 *" for name in _PACE if name.endswith("_SCHEDULE")}
_REPAIRS = 7
_SETTING = "Lightkeeper-Logs"


def measure_provisioning(options: Options) -> Iterator[Row]:
    """From onboarding to the last setting that was read back, every call to Azure taking 100 ms."""
    return iter(asyncio.run(_provisioning(options)))


def measure_repair(options: Options) -> Iterator[Row]:
    """From the capture of the log entry of a deletion until the setting is there again."""
    return iter(asyncio.run(_repair(_REPAIRS if not options.quick else 2)))


async def _provisioning(options: Options) -> list[Row]:
    count = _QUICK_SUBSCRIPTIONS if options.quick else _SUBSCRIPTIONS
    each = _QUICK_RESOURCES if options.quick else _RESOURCES
    flags = ["--latency-ms", str(_LATENCY_MS), "--capture-seconds", "86400"]
    with tempfile.TemporaryDirectory() as logs, Stack(Path(logs), settings=_PACE, azure_flags=flags) as stack:
        await _start(stack)
        async with AzureControl(stack.azure_url) as azure, _app(stack) as app:
            customer = await azure.add_customer("contoso", count, vaults=each)
            fields = {"customer": "contoso", "tenantId": customer.tenant_id, "homeRegion": "westeurope"}
            begun = time.monotonic()
            integration = await app.register(**fields, subscriptionCap=10_000)
            done = 0
            while done < count * (1 + each):
                await asyncio.sleep(_COUNT_SECONDS)
                counts = (await app.integration(integration["id"]))["counts"]
                done = sum(counts[kind]["configured"] for kind in ("subscriptions", "resources"))
                options.say(f"{done} of {count * (1 + each)} settings configured")
                if time.monotonic() - begun > _GIVE_UP_SECONDS:
                    break
            minutes = (time.monotonic() - begun) / 60
            calls = await azure.counts()
    total, refused = sum(calls["byKind"].values()), _refused(calls["byStatus"])
    what = f"minutes until {count} subscriptions and {count * each} resources are configured"
    return [
        Row(what, minutes, 1, at_most(10), PROVISIONING),
        Row("  settings configured by then", done, 1),
        Row("  calls per setting", total / max(done, 1), 1),
        Row("  calls refused, of all", refused / total, 1),
    ]


async def _repair(runs: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as logs, Stack(Path(logs), settings=_YEARLY) as stack:
        await _start(stack)
        async with AzureControl(stack.azure_url) as azure, _app(stack) as app:
            await azure.subscribe(stack.event_grid_url)
            customer = await azure.add_customer("contoso", 1)
            await app.register(customer="contoso", tenantId=customer.tenant_id)
            scope = f"/subscriptions/{customer.delegated[0]}"
            await _until_whole(azure, scope)
            took = []
            for _ in range(runs):
                # Let the last repair's read-back and log entries go by.
                await asyncio.sleep(_LOOK_SECONDS)
                await azure.delete_setting(scope, _SETTING)
                await azure.flush_capture()
                took.append(await _until_whole(azure, scope))
    took.sort()
    return [
        Row("seconds until a deleted setting is whole again, slowest", took[-1], runs, at_most(10), REPAIR),
        Row("  median", took[len(took) // 2], runs),
    ]


async def _until_whole(azure: AzureControl, scope: str) -> float:
    begun = time.monotonic()
    while _SETTING not in (await azure.state())["settings"].get(scope.lower(), {}):
        if time.monotonic() - begun > _GIVE_UP_SECONDS:
            break
        await asyncio.sleep(0.1)
    return time.monotonic() - begun


async def _start(stack: Stack) -> None:
    for start in (stack.start_azurite, stack.start_azure, stack.start_host):
        await asyncio.to_thread(start)


def _app(stack: Stack) -> AppClient:
    return AppClient(stack.host_url, stack.function_key, stack.azurite.connection_string)


def _refused(by_status: dict[str, int]) -> int:
    return sum(count for kind, count in by_status.items() if kind.startswith("429 "))
