"""Diagnostic settings through the real client: shape, rules, rights."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from local.azure.estate import Provider
from local.azure.log_categories import ACTIVITY
from local.azure.world import Delegation, Resource
from tests.local.azure.azure_bench import PROVIDER, Bench, setting

_NAME = "Lightkeeper-Logs"


def _vault(bench: Bench) -> str:
    mine = f"/subscriptions/{bench.customer.delegated[0]}/".lower()
    return next(r.resource_id for key, r in bench.world.resources.items() if key.startswith(mine))


def _client(bench: Bench) -> Any:  # noqa: ANN401 - operations of an untyped client
    return bench.monitor(bench.customer.delegated[0]).subscription_diagnostic_settings


async def test_a_setting_is_written_read_listed_and_deleted(bench: Bench) -> None:
    rule, client = bench.make_hub(), _client(bench)
    written = await client.create_or_update(_NAME, setting(rule))
    assert written.event_hub_name == "contoso"
    read = await client.get(_NAME)
    assert {log.category: log.enabled for log in read.logs} == {
        name: name in ("Administrative", "Policy") for name in ACTIVITY
    }
    assert read.event_hub_authorization_rule_id.lower() == rule.lower()
    assert [one.name async for one in client.list()] == [_NAME]
    await client.delete(_NAME)
    with pytest.raises(ResourceNotFoundError):
        await client.get(_NAME)
    await client.delete(_NAME)


async def test_the_answer_to_a_put_is_odd_as_azures_is(bench: Bench) -> None:
    rule = bench.make_hub()
    subscription = bench.customer.delegated[0]
    path = f"/subscriptions/{subscription}/providers/microsoft.insights/diagnosticSettings/{_NAME}"
    version = "?api-version=2021-05-01-preview"
    put = bench.call("PUT", path + version, json.dumps(setting(rule)).encode()).json()
    get = bench.call("GET", path.upper().replace("/SUBSCRIPTIONS", "/Subscriptions") + version).json()
    assert (
        put["id"] == f"subscriptions/{subscription}/providers/AzureResourceManager/diagnosticSettings/{_NAME}"
    )
    assert put["type"] is None
    assert put["properties"]["workspaceId"] is None
    assert "/authorizationrules/" in get["properties"]["eventHubAuthorizationRuleId"]


async def test_a_resource_has_settings_by_the_same_rules(bench: Bench) -> None:
    rule, vault = bench.make_hub(), _vault(bench)
    client = bench.monitor(bench.customer.delegated[0]).diagnostic_settings
    body = setting(rule, "contoso", "AuditEvent")
    written = await client.create_or_update(vault, _NAME, body)
    assert written.id == f"{vault.lower()}/providers/microsoft.insights/diagnosticSettings/{_NAME}"
    listed = await client.get(vault.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/"), _NAME)
    assert [log.category for log in listed.logs if log.enabled] == ["AuditEvent"]


async def test_a_sixth_setting_is_refused(bench: Bench) -> None:
    rule, client = bench.make_hub(), _client(bench)
    for category in ACTIVITY[:5]:
        await client.create_or_update(f"foreign-{category}", setting(rule, "contoso", category))
    with pytest.raises(ResourceExistsError) as caught:
        await client.create_or_update(_NAME, setting(rule, "contoso", ACTIVITY[6]))
    assert "limit of 5 diagnostic settings" in caught.value.message
    await client.create_or_update(f"foreign-{ACTIVITY[0]}", setting(rule, "contoso", ACTIVITY[0]))


async def test_a_sink_is_not_used_twice_for_a_category(bench: Bench) -> None:
    rule, client = bench.make_hub(), _client(bench)
    await client.create_or_update("foreign", setting(rule))
    with pytest.raises(ResourceExistsError) as caught:
        await client.create_or_update(_NAME, setting(rule))
    assert (
        "already used in diagnostic setting 'foreign' for category 'Administrative'" in caught.value.message
    )


async def test_an_unregistered_provider_is_a_bare_conflict(bench: Bench) -> None:
    rule = bench.make_hub()
    bench.world.change_subscription(bench.customer.delegated[0], providers=frozenset())
    with pytest.raises(ResourceExistsError) as caught:
        await _client(bench).create_or_update(_NAME, setting(rule))
    assert caught.value.error.code == "Conflict"
    assert "is not registered to use microsoft.insights" in caught.value.message


async def test_resources_word_the_unregistered_provider_otherwise(bench: Bench) -> None:
    rule = bench.make_hub()
    bench.hands.set_provider(bench.subscription, "Microsoft.Insights", registered=False)
    client = bench.monitor(bench.subscription).diagnostic_settings
    with pytest.raises(ResourceExistsError) as caught:
        await client.create_or_update(bench.vault, _NAME, setting(rule, "contoso", "AuditEvent"))
    assert caught.value.error is not None
    assert caught.value.error.code == "AuthorizationFailed"
    assert "Please register the subscription" in caught.value.message


async def test_categories_are_listed_even_where_there_are_no_settings(bench: Bench) -> None:
    place = f"/subscriptions/{bench.subscription}/resourceGroups/contoso-rg/providers"
    disk = f"{place}/Microsoft.Compute/disks/one"
    bench.hands.write_resource(disk, "westeurope")
    operations = bench.monitor(bench.subscription).diagnostic_settings_category
    assert [each.name async for each in operations.list(disk)] == ["AllMetrics"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.update(logs=[{"category": "Nonsense", "enabled": True}]), "Category 'Nonsense'"),
        (lambda p: p.update(eventHubName="missing"), "The event hub 'missing' was not found"),
        (
            lambda p: p.update(eventHubAuthorizationRuleId=_hub_rule(p["eventHubAuthorizationRuleId"])),
            "is invalid for property 'properties.eventHubAuthorizationRuleId'",
        ),
        (lambda p: p["logs"].append({"categoryGroup": "allLogs", "enabled": True}), "Category groups"),
        (lambda p: [p.pop("eventHubAuthorizationRuleId"), p.pop("eventHubName")], "data sink"),
    ],
)
async def test_what_is_wrong_with_a_setting_is_said(
    bench: Bench, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    body = setting(bench.make_hub())
    change(body["properties"])
    with pytest.raises(HttpResponseError) as caught:
        await _client(bench).create_or_update(_NAME, body)
    assert caught.value.status_code == 400
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metrics": [{"category": "AllMetrics", "enabled": True}]}, "Metrics are not supported"),
        (
            {
                "logs": [
                    {"category": "Policy", "enabled": True, "retentionPolicy": {"enabled": True, "days": 7}}
                ]
            },
            "does not support retention",
        ),
    ],
)
def test_what_the_client_would_not_send_is_refused_too(
    bench: Bench, change: dict[str, Any], words: str
) -> None:
    body = setting(bench.make_hub())
    body["properties"].update(change)
    path = f"/subscriptions/{bench.customer.delegated[0]}/providers/microsoft.insights/diagnosticSettings/x"
    answer = bench.call("PUT", f"{path}?api-version=2021-05-01-preview", json.dumps(body).encode())
    assert answer.status == 400
    assert answer.json()["code"] == "BadRequest"
    assert words in answer.json()["message"]


async def test_a_missing_namespace_is_not_found(bench: Bench) -> None:
    rule = bench.make_hub()
    with pytest.raises(ResourceNotFoundError):
        await _client(bench).create_or_update(_NAME, setting(rule.replace("weu-1", "weu-9")))


async def test_a_regional_resource_needs_a_hub_in_its_region(bench: Bench) -> None:
    rule, vault = bench.make_hub(), _vault(bench)
    bench.world.add_resource(replace(bench.world.resources[vault.lower()], location="eastus"))
    client = bench.monitor(bench.customer.delegated[0]).diagnostic_settings
    with pytest.raises(HttpResponseError) as caught:
        await client.create_or_update(vault, _NAME, setting(rule, "contoso", "AuditEvent"))
    assert "should be in the same region" in caught.value.message


async def test_an_unsupported_type_has_no_settings(bench: Bench) -> None:
    rule = bench.make_hub()
    subscription = bench.customer.delegated[0]
    odd = f"/subscriptions/{subscription}/resourceGroups/contoso-rg/providers/Microsoft.Odd/things/one"
    bench.world.add_resource(Resource(odd, "Microsoft.Odd/things", "westeurope"))
    client = bench.monitor(subscription).diagnostic_settings
    with pytest.raises(HttpResponseError) as caught:
        await client.create_or_update(odd, _NAME, setting(rule, "contoso", "AuditEvent"))
    assert caught.value.error is not None
    assert caught.value.error.code == "ResourceTypeNotSupported"


async def test_each_type_has_its_own_categories_and_groups(bench: Bench) -> None:
    place = f"/subscriptions/{bench.subscription}/resourceGroups/contoso-rg/providers"
    nsg = f"{place}/Microsoft.Network/networkSecurityGroups/web"
    bench.hands.write_resource(nsg, "westeurope")
    operations = bench.monitor(bench.subscription).diagnostic_settings_category
    vault = {each.name: each async for each in operations.list(bench.vault)}
    assert vault["AuditEvent"].category_groups == ["allLogs", "audit"]
    assert vault["AzurePolicyEvaluationDetails"].category_groups == ["allLogs"]
    assert vault["AllMetrics"].category_type == "Metrics"
    assert [each.name async for each in operations.list(nsg)] == [
        "NetworkSecurityGroupEvent",
        "NetworkSecurityGroupRuleCounter",
    ]
    assert (await operations.get(bench.vault, "auditevent")).name == "AuditEvent"
    with pytest.raises(ResourceNotFoundError):
        await operations.get(bench.vault, "Nonsense")


async def test_a_group_is_shown_as_it_was_written_and_stands_for_its_categories(bench: Bench) -> None:
    rule, client = bench.make_hub(), bench.monitor(bench.subscription).diagnostic_settings
    body = setting(rule)
    body["properties"]["logs"] = [{"categoryGroup": "audit", "enabled": True}]
    await client.create_or_update(bench.vault, _NAME, body)
    read = await client.get(bench.vault, _NAME)
    assert [(log.category, log.category_group) for log in read.logs] == [(None, "audit")]
    with pytest.raises(ResourceExistsError) as caught:
        await client.create_or_update(bench.vault, "other", setting(rule, "contoso", "AuditEvent"))
    assert "for category 'AuditEvent'" in caught.value.message
    await client.create_or_update(
        bench.vault, "other", setting(rule, "contoso", "AzurePolicyEvaluationDetails")
    )


@pytest.mark.parametrize(
    ("kind", "category", "words"),
    [
        ("Microsoft.Network/networkSecurityGroups", "", "Category group 'audit' is not supported"),
        ("Microsoft.Storage/storageAccounts", "StorageRead", "Category 'StorageRead' is not supported"),
        ("Microsoft.Compute/disks", "Anything", "does not support diagnostic settings"),
    ],
)
async def test_what_a_type_does_not_have_is_refused(
    bench: Bench, kind: str, category: str, words: str
) -> None:
    rule = bench.make_hub()
    resource = f"/subscriptions/{bench.subscription}/resourceGroups/contoso-rg/providers/{kind}/odd"
    bench.hands.write_resource(resource, "westeurope")
    body = setting(rule, "contoso", category)
    if not category:
        body["properties"]["logs"] = [{"categoryGroup": "audit", "enabled": True}]
    client = bench.monitor(bench.subscription).diagnostic_settings
    with pytest.raises(HttpResponseError) as caught:
        await client.create_or_update(resource, _NAME, body)
    assert caught.value.status_code == 400
    assert words in caught.value.message


async def test_what_has_no_region_may_use_any_hub(bench: Bench) -> None:
    rule = bench.make_hub()
    place = f"/subscriptions/{bench.subscription}/resourceGroups/contoso-rg/providers/Microsoft.Network"
    client = bench.monitor(bench.subscription).diagnostic_settings
    for name, location in (("trafficManagerProfiles/tm", "global"), ("frontDoors/fd", "eastus")):
        bench.hands.write_resource(f"{place}/{name}", location)
        body = setting(rule)
        body["properties"]["logs"] = [{"categoryGroup": "allLogs", "enabled": True}]
        await client.create_or_update(f"{place}/{name}", _NAME, body)


async def test_a_setting_disappears_where_the_id_is_not_ascii(bench: Bench) -> None:
    rule = bench.make_hub()
    bench.hands.add_group(bench.subscription, "rg-münchen", "westeurope")
    place = f"/subscriptions/{bench.subscription}/resourceGroups/rg-münchen/providers"
    vault = f"{place}/Microsoft.KeyVault/vaults/kv-süd"
    bench.hands.write_resource(vault, "westeurope")
    client = bench.monitor(bench.subscription).diagnostic_settings
    written = await client.create_or_update(vault, _NAME, setting(rule, "contoso", "AuditEvent"))
    assert written.name == _NAME
    with pytest.raises(ResourceNotFoundError):
        await client.get(vault, _NAME)


async def test_five_settings_of_others_leave_no_room_on_a_resource(bench: Bench) -> None:
    rule, vault = bench.make_hub(), bench.vault
    for number in range(5):
        account = f"/subscriptions/x/resourceGroups/y/providers/Microsoft.Storage/storageAccounts/a{number}"
        logs = [{"category": "AuditEvent", "enabled": True}]
        bench.hands.write_setting(vault, f"foreign-{number}", {"storageAccountId": account, "logs": logs})
    client = bench.monitor(bench.subscription).diagnostic_settings
    with pytest.raises(ResourceExistsError) as caught:
        await client.create_or_update(vault, _NAME, setting(rule, "contoso", "AuditEvent"))
    assert "limit of 5 diagnostic settings" in caught.value.message


async def test_a_disabled_subscription_is_read_only(bench: Bench) -> None:
    rule = bench.make_hub()
    client = bench.monitor(bench.customer.disabled[0]).subscription_diagnostic_settings
    with pytest.raises(ResourceExistsError) as caught:
        await client.create_or_update(_NAME, setting(rule))
    assert caught.value.error is not None
    assert caught.value.error.code == "ReadOnlyDisabledSubscription"
    assert [one async for one in client.list()] == []


async def test_delegation_of_one_group_gives_no_right_over_the_subscription(bench: Bench) -> None:
    rule = bench.make_hub()
    client = bench.monitor(bench.customer.partial[0]).subscription_diagnostic_settings
    with pytest.raises(HttpResponseError) as caught:
        await client.create_or_update(_NAME, setting(rule))
    assert caught.value.status_code == 403
    assert "Microsoft.Insights/diagnosticSettings/write" in caught.value.message


async def test_a_role_that_only_reads_is_refused_to_write(bench: Bench) -> None:
    rule = bench.make_hub()
    reader = frozenset({(bench.world.app.object_id, "Reader")})
    bench.world.change_subscription(
        bench.customer.delegated[0], delegations=(Delegation(PROVIDER.tenant_id, reader),)
    )
    client = _client(bench)
    with pytest.raises(HttpResponseError) as caught:
        await client.create_or_update(_NAME, setting(rule))
    assert caught.value.error is not None
    assert caught.value.error.code == "AuthorizationFailed"
    assert [one async for one in client.list()] == []


async def test_without_the_right_to_the_rules_keys_the_link_is_refused(bench: Bench) -> None:
    rule = bench.make_hub()
    bench.world.grants.clear()
    with pytest.raises(HttpResponseError) as caught:
        await _client(bench).create_or_update(_NAME, setting(rule))
    assert caught.value.error is not None
    assert caught.value.error.code == "LinkedAuthorizationFailed"
    assert "listkeys/action" in caught.value.message


async def test_a_rule_in_a_strangers_tenant_is_refused(bench: Bench) -> None:
    bench.make_hub()
    stranger = Provider(PROVIDER.tenant_id, bench.customer.not_delegated[0])
    providers = stranger.storage_id.partition("/Microsoft")[0]
    rule = f"{providers}/Microsoft.EventHub/namespaces/x/authorizationRules/y"
    with pytest.raises(HttpResponseError) as caught:
        await _client(bench).create_or_update(_NAME, setting(rule))
    assert "is not authorized to access linked subscription" in caught.value.message


def _hub_rule(rule: str) -> str:
    return rule.replace("/authorizationRules/", "/eventhubs/contoso/authorizationRules/")
