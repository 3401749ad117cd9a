"""Event Hubs through the real client: long operations, limits, Capture's rules, keys."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from tests.local.azure.azure_bench import PROVIDER, Bench, capture_description, setting

_GROUP = PROVIDER.group
_NAMESPACE = "lightkeeper-weu-1"
_BODY: Any = {"location": "westeurope", "sku": {"name": "Standard", "tier": "Standard", "capacity": 1}}


def _hub(**capture: object) -> Any:  # noqa: ANN401 - the SDK takes plain JSON
    return {"properties": {"partitionCount": 2, "captureDescription": capture_description(**capture)}}


async def test_a_namespace_takes_its_time_and_then_succeeds(bench: Bench) -> None:
    client = bench.event_hubs()
    poller = await client.namespaces.begin_create_or_update(_GROUP, _NAMESPACE, _BODY)
    first = await client.namespaces.get(_GROUP, _NAMESPACE)
    assert first.provisioning_state == "Created"
    bench.world.clock.move(bench.world.namespace_seconds)
    assert (await poller.result()).provisioning_state == "Succeeded"
    assert [one.name async for one in client.namespaces.list_by_resource_group(_GROUP)] == [_NAMESPACE]
    assert [one.name async for one in client.namespaces.list()] == [_NAMESPACE]


async def test_a_namespace_on_its_way_refuses_another_put(bench: Bench) -> None:
    client = bench.event_hubs()
    await client.namespaces.begin_create_or_update(_GROUP, _NAMESPACE, _BODY, polling=False)
    with pytest.raises(ResourceExistsError) as caught:
        await client.namespaces.begin_create_or_update(_GROUP, _NAMESPACE, _BODY, polling=False)
    assert "provisioning in transition" in caught.value.message
    with pytest.raises(ResourceNotFoundError) as missing:
        await client.event_hubs.create_or_update(_GROUP, _NAMESPACE, "contoso", _hub())
    assert "is not active" in missing.value.message


async def test_a_namespace_goes_in_its_own_time(bench: Bench) -> None:
    bench.make_hub()
    client = bench.event_hubs()
    poller = await client.namespaces.begin_delete(_GROUP, _NAMESPACE)
    assert (await client.namespaces.get(_GROUP, _NAMESPACE)).provisioning_state == "Deleting"
    bench.world.clock.move(bench.world.namespace_seconds)
    await poller.result()
    with pytest.raises(ResourceNotFoundError):
        await client.namespaces.get(_GROUP, _NAMESPACE)
    assert not bench.world.hubs


async def test_a_name_that_a_stranger_holds_is_not_available(bench: Bench) -> None:
    client = bench.event_hubs()
    bench.world.taken_names.add(_NAMESPACE)
    check = await client.namespaces.check_name_availability({"name": _NAMESPACE})
    assert (check.name_available, check.reason) == (False, "NameInUse")
    with pytest.raises(HttpResponseError) as caught:
        await client.namespaces.begin_create_or_update(_GROUP, _NAMESPACE, _BODY, polling=False)
    assert "The specified name is not available" in caught.value.message


async def test_a_namespace_can_be_changed_by_patch_but_not_moved(bench: Bench) -> None:
    bench.make_hub()
    client = bench.event_hubs()
    changed = await client.namespaces.update(
        _GROUP, _NAMESPACE, {"tags": {"a": "b"}, "location": "westeurope"}
    )
    assert changed is not None
    assert changed.tags == {"a": "b"}
    with pytest.raises(ResourceExistsError):
        await client.namespaces.begin_create_or_update(
            _GROUP, _NAMESPACE, {**_BODY, "location": "eastus"}, polling=False
        )


async def test_a_resource_group_must_exist(bench: Bench) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        await bench.event_hubs().namespaces.get("elsewhere", _NAMESPACE)
    assert caught.value.error is not None
    assert caught.value.error.code == "ResourceGroupNotFound"


async def test_a_hub_is_written_read_listed_and_deleted(bench: Bench) -> None:
    bench.make_hub()
    client = bench.event_hubs()
    read = await client.event_hubs.get(_GROUP, _NAMESPACE, "contoso")
    assert read.partition_count == 2
    assert read.capture_description is not None
    assert read.capture_description.enabled
    assert [one.name async for one in client.event_hubs.list_by_namespace(_GROUP, _NAMESPACE)] == ["contoso"]
    await client.event_hubs.delete(_GROUP, _NAMESPACE, "contoso")
    with pytest.raises(ResourceNotFoundError):
        await client.event_hubs.get(_GROUP, _NAMESPACE, "contoso")


async def test_a_standard_namespace_holds_ten_hubs(bench: Bench) -> None:
    bench.make_hub("hub-0")
    client = bench.event_hubs()
    for number in range(1, 10):
        await client.event_hubs.create_or_update(_GROUP, _NAMESPACE, f"hub-{number}", _hub())
    with pytest.raises(HttpResponseError) as caught:
        await client.event_hubs.create_or_update(_GROUP, _NAMESPACE, "hub-10", _hub())
    assert "maximum number of EventHubs" in caught.value.message
    listed = [one.name async for one in client.event_hubs.list_by_namespace(_GROUP, _NAMESPACE)]
    assert len(listed) == 10


async def test_partitions_never_change(bench: Bench) -> None:
    bench.make_hub()
    body = _hub()
    body["properties"]["partitionCount"] = 4
    with pytest.raises(HttpResponseError) as caught:
        await bench.event_hubs().event_hubs.create_or_update(_GROUP, _NAMESPACE, "contoso", body)
    assert "PartitionCount can't be changed" in caught.value.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"intervalInSeconds": 30}, "intervalInSeconds must be between 60 and 900"),
        ({"sizeLimitInBytes": 1}, "sizeLimitInBytes must be between"),
        ({"encoding": "Parquet"}, "The encoding 'Parquet'"),
        ({"pattern": "{Namespace}/{EventHub}"}, "archiveNameFormat must contain {PartitionId}"),
    ],
)
async def test_capture_holds_to_its_ranges(bench: Bench, change: dict[str, Any], words: str) -> None:
    bench.make_hub()
    with pytest.raises(HttpResponseError) as caught:
        await bench.event_hubs().event_hubs.create_or_update(_GROUP, _NAMESPACE, "fabrikam", _hub(**change))
    assert words in caught.value.message


async def test_capture_needs_an_account_and_an_identity_that_are_there(bench: Bench) -> None:
    bench.make_hub()
    operations = bench.event_hubs().event_hubs
    body = _hub()
    body["properties"]["captureDescription"]["destination"]["identity"]["userAssignedIdentity"] = "/other"
    with pytest.raises(HttpResponseError) as caught:
        await operations.create_or_update(_GROUP, _NAMESPACE, "fabrikam", body)
    assert "is not assigned to the namespace" in caught.value.message
    bench.world.storage_accounts.clear()
    with pytest.raises(HttpResponseError) as caught:
        await operations.create_or_update(_GROUP, _NAMESPACE, "fabrikam", _hub())
    assert "Linked access check failed for capture storage destination" in caught.value.message


async def test_rules_have_rights_and_keys(bench: Bench) -> None:
    bench.make_hub()
    operations = bench.event_hubs().namespaces
    rule = await operations.create_or_update_authorization_rule(
        _GROUP, _NAMESPACE, "send", {"properties": {"rights": ["Send"]}}
    )
    assert rule.rights == ["Send"]
    keys = await operations.list_keys(_GROUP, _NAMESPACE, "send")
    assert keys.primary_connection_string is not None
    assert keys.primary_connection_string.startswith(f"Endpoint=sb://{_NAMESPACE}.servicebus.windows.net/")
    listed = [one.name async for one in operations.list_authorization_rules(_GROUP, _NAMESPACE)]
    assert listed == ["RootManageSharedAccessKey", "send"]


async def test_a_rule_that_manages_needs_all_rights(bench: Bench) -> None:
    bench.make_hub()
    with pytest.raises(HttpResponseError):
        await bench.event_hubs().namespaces.create_or_update_authorization_rule(
            _GROUP, _NAMESPACE, "wrong", {"properties": {"rights": ["Manage"]}}
        )


async def test_a_key_can_be_made_anew(bench: Bench) -> None:
    bench.make_hub()
    operations = bench.event_hubs().namespaces
    rule = "RootManageSharedAccessKey"
    before = await operations.list_keys(_GROUP, _NAMESPACE, rule)
    after = await operations.regenerate_keys(_GROUP, _NAMESPACE, rule, {"keyType": "PrimaryKey"})
    assert after.primary_key != before.primary_key
    assert after.secondary_key == before.secondary_key
    chosen = {"keyType": "SecondaryKey", "key": "chosen"}
    assert (await operations.regenerate_keys(_GROUP, _NAMESPACE, rule, chosen)).secondary_key == "chosen"
    assert (await operations.list_keys(_GROUP, _NAMESPACE, rule)).primary_key == after.primary_key
    with pytest.raises(HttpResponseError):
        await operations.regenerate_keys(_GROUP, _NAMESPACE, rule, {"keyType": "Tertiary"})


async def test_a_namespace_that_is_going_lets_nothing_more_in(bench: Bench) -> None:
    rule = bench.make_hub()
    client = bench.event_hubs()
    await client.namespaces.begin_delete(_GROUP, _NAMESPACE, polling=False)
    with pytest.raises(ResourceNotFoundError) as caught:
        await client.event_hubs.create_or_update(_GROUP, _NAMESPACE, "fabrikam", _hub())
    assert "current state is Deleting" in caught.value.message
    settings = bench.monitor(bench.subscription).subscription_diagnostic_settings
    with pytest.raises(ResourceNotFoundError):
        await settings.create_or_update("Lightkeeper-Logs", setting(rule))


async def test_deleting_what_is_gone_succeeds(bench: Bench) -> None:
    bench.make_hub()
    client = bench.event_hubs()
    for _ in range(2):
        await client.event_hubs.delete(_GROUP, _NAMESPACE, "contoso")
    poller = await client.namespaces.begin_delete(_GROUP, "lightkeeper-weu-9")
    await poller.result()


def test_a_hub_made_anew_starts_empty(bench: Bench) -> None:
    bench.make_hub()
    assert bench.azure.stream.send(_NAMESPACE, "contoso", b"old")
    assert [event.body for event in _events(bench)] == [b"old"]
    bench.hands.delete_hub(_NAMESPACE, "contoso")
    assert not bench.azure.stream.send(_NAMESPACE, "contoso", b"lost")
    bench.world.clock.move(1)
    bench.hands.change_hub(_NAMESPACE, "contoso", partitionCount=1, captureDescription=capture_description())
    assert bench.azure.stream.send(_NAMESPACE, "contoso", b"new")
    assert [event.body for event in _events(bench, 1)] == [b"new"]


def _events(bench: Bench, partitions: int = 2) -> list[Any]:
    hub = bench.world.hub(_NAMESPACE, "contoso")
    assert hub is not None
    found = [bench.azure.stream.partition(_NAMESPACE, hub, number) for number in range(partitions)]
    return [event for partition in found for event in partition.events]
