"""Consumer groups, rules of single hubs and the firewall of a namespace, as the real SDK asks for them."""

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from local.azure.consumer_groups import GROUPS_PER_HUB
from tests.local.azure.azure_bench import PROVIDER, Bench

_GROUP, _NAMESPACE = PROVIDER.group, "lightkeeper-weu-1"


async def test_a_hub_has_consumer_groups_beside_the_default_one(bench: Bench) -> None:
    bench.make_hub()
    groups = bench.event_hubs().consumer_groups
    made = await groups.create_or_update(
        _GROUP, _NAMESPACE, "contoso", "siem", {"properties": {"userMetadata": "theirs"}}
    )
    assert (made.name, made.user_metadata) == ("siem", "theirs")
    listed = [one.name async for one in groups.list_by_event_hub(_GROUP, _NAMESPACE, "contoso")]
    assert listed == ["$Default", "siem"]
    await groups.delete(_GROUP, _NAMESPACE, "contoso", "siem")
    with pytest.raises(ResourceNotFoundError):
        await groups.get(_GROUP, _NAMESPACE, "contoso", "siem")
    with pytest.raises(HttpResponseError):
        await groups.delete(_GROUP, _NAMESPACE, "contoso", "$Default")


async def test_a_hub_has_only_so_many_consumer_groups(bench: Bench) -> None:
    bench.make_hub()
    groups = bench.event_hubs().consumer_groups
    for number in range(GROUPS_PER_HUB["Standard"] - 1):
        await groups.create_or_update(_GROUP, _NAMESPACE, "contoso", f"group-{number}", {})
    with pytest.raises(HttpResponseError) as caught:
        await groups.create_or_update(_GROUP, _NAMESPACE, "contoso", "one-more", {})
    assert "maximum number of consumer groups (20)" in caught.value.message


async def test_a_rule_of_a_hub_has_keys_that_name_the_hub(bench: Bench) -> None:
    bench.make_hub()
    hubs = bench.event_hubs().event_hubs
    place = (_GROUP, _NAMESPACE, "contoso", "send")
    rule = await hubs.create_or_update_authorization_rule(*place, {"properties": {"rights": ["Send"]}})
    assert rule.rights == ["Send"]
    before = await hubs.list_keys(*place)
    assert str(before.primary_connection_string).endswith(";EntityPath=contoso")
    after = await hubs.regenerate_keys(*place, {"keyType": "PrimaryKey"})
    assert after.primary_key != before.primary_key
    assert after.secondary_key == before.secondary_key
    listed = hubs.list_authorization_rules(_GROUP, _NAMESPACE, "contoso")
    assert [one.name async for one in listed] == ["send"]
    names = [one.name async for one in bench.event_hubs().namespaces.list_authorization_rules(*place[:2])]
    assert names == ["RootManageSharedAccessKey"]


async def test_what_belongs_to_a_hub_goes_with_it(bench: Bench) -> None:
    bench.make_hub()
    client = bench.event_hubs()
    await client.consumer_groups.create_or_update(_GROUP, _NAMESPACE, "contoso", "siem", {})
    rights = {"properties": {"rights": ["Send"]}}
    await client.event_hubs.create_or_update_authorization_rule(_GROUP, _NAMESPACE, "contoso", "send", rights)
    await client.event_hubs.delete(_GROUP, _NAMESPACE, "contoso")
    await client.event_hubs.create_or_update(_GROUP, _NAMESPACE, "contoso", {"properties": {}})
    groups = client.consumer_groups.list_by_event_hub(_GROUP, _NAMESPACE, "contoso")
    assert [one.name async for one in groups] == ["$Default"]
    rules = client.event_hubs.list_authorization_rules(_GROUP, _NAMESPACE, "contoso")
    assert [one.name async for one in rules] == []


async def test_a_namespace_that_denies_takes_events_of_trusted_services_only(bench: Bench) -> None:
    bench.make_hub()
    namespaces = bench.event_hubs().namespaces
    found = await namespaces.get_network_rule_set(_GROUP, _NAMESPACE)
    assert found.default_action == "Allow"
    assert bench.azure.stream.send(_NAMESPACE, "contoso", b"{}")

    denied = {"defaultAction": "Deny", "ipRules": [{"ipMask": "203.0.113.7", "action": "Allow"}]}
    await namespaces.create_or_update_network_rule_set(_GROUP, _NAMESPACE, {"properties": denied})
    assert not bench.azure.stream.send(_NAMESPACE, "contoso", b"{}")

    trusted = {**denied, "trustedServiceAccessEnabled": True}
    await namespaces.create_or_update_network_rule_set(_GROUP, _NAMESPACE, {"properties": trusted})
    assert bench.azure.stream.send(_NAMESPACE, "contoso", b"{}")
    with pytest.raises(HttpResponseError):
        await namespaces.create_or_update_network_rule_set(
            _GROUP, _NAMESPACE, {"properties": {"defaultAction": "Perhaps"}}
        )


async def test_tenants_regions_and_groups_can_be_asked_for(bench: Bench) -> None:
    client = bench.subscriptions()
    tenants = [(one.tenant_id, str(one.tenant_category)) async for one in client.tenants.list()]
    assert tenants[0][0] == PROVIDER.tenant_id
    assert {tenant for tenant, _ in tenants} == {PROVIDER.tenant_id, bench.customer.tenant_id}
    regions = {one.name async for one in client.subscriptions.list_locations(bench.subscription)}
    assert {"westeurope", "eastus"} <= regions
    groups = bench.resources(bench.subscription).resource_groups
    assert await groups.check_existence("contoso-rg")
    assert not await groups.check_existence("nowhere")
