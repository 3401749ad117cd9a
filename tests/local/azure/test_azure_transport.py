"""The real SDK clients over the transport without sockets."""

import time
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.rest import HttpRequest
from azure.mgmt.eventhub.aio import EventHubManagementClient
from azure.mgmt.loganalytics.aio import LogAnalyticsManagementClient
from azure.mgmt.monitor.aio import MonitorManagementClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient
from azure.mgmt.resource.subscriptions.aio import SubscriptionClient

from local.azure.faults import Fault, FaultKind
from local.azure.transport import InProcess
from tests.local.azure.azure_bench import PROVIDER, Bearer, Bench, NoCredential, setting

_URL = "https://management.azure.com"
_CLIENTS = (
    EventHubManagementClient,
    LogAnalyticsManagementClient,
    MonitorManagementClient,
    ResourceManagementClient,
)


def _options(bench: Bench, **more: object) -> dict[str, Any]:
    return {
        "base_url": _URL,
        "authentication_policy": Bearer(bench.token),
        "retry_total": 0,
        "polling_interval": 0,
        "transport": InProcess(bench.azure),
        **more,
    }


def _client(bench: Bench, kind: Any, subscription: str = "", **more: object) -> Any:  # noqa: ANN401 - no common base
    return bench.keep(kind(NoCredential(), subscription or bench.subscription, **_options(bench, **more)))


async def test_pages_are_followed(bench: Bench) -> None:
    client = bench.keep(SubscriptionClient(NoCredential(), **_options(bench)))
    assert len([one async for one in client.subscriptions.list()]) == 8


async def test_older_and_newer_clients_read_write_and_delete(bench: Bench) -> None:
    rule, _ = bench.make_hub(), bench.make_workspace()
    settings = _client(bench, MonitorManagementClient).diagnostic_settings
    written = await settings.create_or_update(bench.vault, "one", setting(rule, "contoso", "AuditEvent"))
    assert written.event_hub_name == "contoso"
    assert [one.name async for one in settings.list(bench.vault)] == ["one"]
    await settings.delete(bench.vault, "one")
    with pytest.raises(ResourceNotFoundError) as caught:
        await settings.get(bench.vault, "one")
    assert caught.value.error.code == "ResourceNotFound"
    workspaces = _client(bench, LogAnalyticsManagementClient).workspaces
    assert [one.name async for one in workspaces.list()] == ["logs"]
    resources = _client(bench, ResourceManagementClient).resources
    assert len([one async for one in resources.list()]) == 2


async def test_long_operations_are_polled(bench: Bench) -> None:
    client = _client(bench, EventHubManagementClient, PROVIDER.subscription_id)
    body = {"location": "westeurope", "sku": {"name": "Standard"}}
    poller = await client.namespaces.begin_create_or_update(PROVIDER.group, "lightkeeper-weu-1", body)
    bench.world.clock.move(bench.world.namespace_seconds)
    assert (await poller.result()).provisioning_state == "Succeeded"
    poller = await client.namespaces.begin_delete(PROVIDER.group, "lightkeeper-weu-1")
    bench.world.clock.move(bench.world.namespace_seconds)
    await poller.result()
    assert [one async for one in client.namespaces.list()] == []


async def test_any_request_can_be_sent_as_it_is(bench: Bench) -> None:
    client = _client(bench, ResourceManagementClient)
    request = HttpRequest(
        "POST",
        "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01",
        json={"query": "resources | project id", "options": {"$top": 2}},
    )
    answer = await client.send_request(request)
    answer.raise_for_status()
    assert answer.json()["count"] == 2
    assert answer.headers["X-MS-User-Quota-Remaining"] == "14"
    refused = await client.send_request(HttpRequest("GET", "/subscriptions?api-version=1"))
    with pytest.raises(HttpResponseError):
        refused.raise_for_status()


@pytest.mark.parametrize(
    ("kind", "error", "done"),
    [(FaultKind.DROP, ServiceRequestError, False), (FaultKind.DROP_AFTER, ServiceResponseError, True)],
)
async def test_a_broken_connection_is_raised(
    bench: Bench, kind: FaultKind, error: type[Exception], *, done: bool
) -> None:
    rule, settings = bench.make_hub(), _client(bench, MonitorManagementClient).diagnostic_settings
    bench.azure.faults.switch_on("gone", Fault(kind, method="PUT", calls=1))
    with pytest.raises(error):
        await settings.create_or_update(bench.vault, "one", setting(rule, "contoso", "AuditEvent"))
    assert (bench.world.setting(bench.vault, "one") is not None) is done


async def test_a_call_takes_the_time_that_it_is_told_to(bench: Bench) -> None:
    slow = InProcess(bench.azure, latency_seconds=0.05)
    client = bench.keep(SubscriptionClient(NoCredential(), **_options(bench, transport=slow)))
    before = time.monotonic()
    await client.subscriptions.get(bench.subscription)
    assert time.monotonic() - before >= 0.05
