"""Resources through the real client: listings, filters, casing, and what customers do with them."""

import json
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from local.azure.faults import Fault, FaultKind
from local.azure.world import Delegation, Resource
from tests.local.azure.azure_bench import PROVIDER, Bench, setting

_LIST = "/subscriptions/{}/resources"
_VERSION = "2025-04-01"
_VAULTS = "resourceType eq 'Microsoft.KeyVault/vaults'"
_ACCOUNTS = "resourceType eq 'Microsoft.Storage/storageAccounts'"


def _fill(bench: Bench, *, vaults: int = 5, region: str = "eastus") -> None:
    """More vaults, and one storage account, in a group with capitals in its name."""
    bench.hands.add_group(bench.subscription, "RG-Data", region)
    place = f"/subscriptions/{bench.subscription}/resourceGroups/RG-Data/providers"
    for number in range(vaults):
        bench.hands.write_resource(f"{place}/Microsoft.KeyVault/vaults/more-{number}", region)
    bench.hands.write_resource(
        f"{place}/Microsoft.Storage/storageAccounts/data", region, {"tags": {"team": "blue"}}
    )


async def _names(bench: Bench, **query: Any) -> list[str]:  # noqa: ANN401 - what the client takes
    client = bench.resources(bench.subscription)
    return sorted([item.name or "" async for item in client.resources.list(**query)])


async def test_the_listing_runs_over_several_pages(bench: Bench) -> None:
    _fill(bench)
    assert len(await _names(bench)) == 7
    assert bench.azure.counts.by_kind["GET /subscriptions/{subscription}/resources"] == 3


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (_VAULTS, 6),
        ("resourceType eq 'microsoft.keyvault/VAULTS' and location eq 'eastus'", 5),
        (
            f"{_VAULTS} or {_ACCOUNTS}",
            7,
        ),
        ("resourceType ne 'Microsoft.KeyVault/vaults'", 1),
        (
            f"name eq 'data' and (resourceType eq 'x/y' or {_ACCOUNTS})",
            1,
        ),
        ("resourceGroup eq 'rg-data'", 6),
        ("substringof('more', name)", 5),
        ("tagName eq 'team' and tagValue eq 'blue'", 1),
        ("startswith(tagName, 'te')", 1),
    ],
)
async def test_filters_hold_over_all_pages(bench: Bench, text: str, count: int) -> None:
    _fill(bench)
    assert len(await _names(bench, filter=text)) == count


@pytest.mark.parametrize(
    "text", ["colour eq 'red'", "name eq", "name like 'x'", "(name eq 'x'", "name eq 'x' 'y'"]
)
async def test_a_filter_that_is_not_understood_is_refused(bench: Bench, text: str) -> None:
    with pytest.raises(HttpResponseError) as caught:
        await _names(bench, filter=text)
    assert caught.value.error is not None
    assert caught.value.error.code == "InvalidFilterInQueryString"


async def test_top_is_the_size_of_a_page_and_cannot_be_filtered(bench: Bench) -> None:
    _fill(bench)
    answer = bench.ask("GET", f"{_LIST.format(bench.subscription)}?$top=2", _VERSION)
    assert len(answer.json()["value"]) == 2
    assert "nextLink" in answer.json()
    with pytest.raises(HttpResponseError):
        await _names(bench, top=2, filter="name eq 'x'")


async def test_times_and_state_come_only_when_asked_for(bench: Bench) -> None:
    client = bench.resources(bench.subscription)
    [plain] = [item async for item in client.resources.list()]
    [whole] = [
        item async for item in client.resources.list(expand="createdTime,changedTime,provisioningState")
    ]
    assert plain.created_time is None
    assert whole.created_time is not None
    assert whole.changed_time is not None
    assert whole.provisioning_state == "Succeeded"


def test_ids_come_in_changing_case_and_mean_the_same(bench: Bench) -> None:
    spelled = {
        item["id"]
        for number in range(40)
        for item in json.loads(
            bench.call(
                "GET",
                f"{_LIST.format(bench.subscription)}?api-version={_VERSION}",
                **{"x-ms-client-request-id": str(number)},
            ).body
        )["value"]
    }
    assert len(spelled) > 1
    assert {each.lower() for each in spelled} == {bench.vault.lower()}


async def test_a_delegated_group_shows_only_its_own_resources(bench: Bench) -> None:
    _fill(bench)
    bench.set_roles("Reader", group="RG-Data")
    assert len(await _names(bench)) == 6
    bench.set_roles("Security Admin")
    assert await _names(bench) == []


def test_a_subscription_that_is_not_delegated_lists_nothing(bench: Bench) -> None:
    answer = bench.ask("GET", _LIST.format(bench.customer.not_delegated[0]), _VERSION)
    assert answer.json()["error"]["code"] == "InvalidAuthenticationTokenTenant"
    blind = (Delegation(PROVIDER.tenant_id),)
    bench.world.change_subscription(bench.customer.not_delegated[0], delegations=blind)
    answer = bench.ask("GET", _LIST.format(bench.customer.not_delegated[0]), _VERSION)
    assert answer.json()["error"]["code"] == "AuthorizationFailed"


async def test_one_resource_is_read_by_its_id_and_a_missing_one_is_not_found(bench: Bench) -> None:
    client = bench.resources(bench.subscription)
    found = await client.resources.get_by_id(bench.vault.strip("/"), api_version="2023-07-01")
    assert found.name == bench.vault.rpartition("/")[2]
    with pytest.raises(ResourceNotFoundError) as caught:
        await client.resources.get_by_id(f"{bench.vault.strip('/')}x", api_version="2023-07-01")
    assert caught.value.error is not None
    assert caught.value.error.code == "ResourceNotFound"


def test_reader_and_log_analytics_contributor_may_not_write_resources(bench: Bench) -> None:
    answer = bench.ask("PUT", bench.vault, "2023-07-01", {"location": "westeurope"})
    assert answer.status == 403
    assert "Microsoft.KeyVault/vaults/write" in answer.json()["error"]["message"]
    assert bench.ask("DELETE", bench.vault, "2023-07-01").status == 403


def test_what_is_no_known_type_is_not_made_by_accident(bench: Bench) -> None:
    path = f"{bench.vault}/secrets/one"
    assert bench.ask("GET", path, "2023-07-01").status == 501
    rule_set = f"{bench.make_hub().partition('/authorizationRules')[0]}/disasterRecoveryConfigs/pair"
    assert bench.ask("PUT", rule_set, "2026-01-01", {"properties": {}}).status == 501


async def test_resource_groups_are_listed_made_and_deleted_with_what_is_in_them(bench: Bench) -> None:
    _fill(bench)
    client = bench.resources(bench.subscription)
    assert sorted([group.name or "" async for group in client.resource_groups.list()]) == [
        "RG-Data",
        "contoso-rg",
    ]
    assert len([item async for item in client.resources.list_by_resource_group("rg-data")]) == 6
    with pytest.raises(HttpResponseError) as caught:
        await client.resource_groups.create_or_update("new", {"location": "westeurope"})
    assert caught.value.status_code == 403
    bench.set_roles("Contributor")
    made = await client.resource_groups.create_or_update("LightkeeperAutomation", {"location": "West Europe"})
    assert made.location == "westeurope"
    poller = await client.resource_groups.begin_delete("RG-Data")
    await poller.result()
    assert await _names(bench) == [bench.vault.rpartition("/")[2]]


def test_settings_stay_when_a_resource_is_deleted_or_made_anew(bench: Bench) -> None:
    rule = bench.make_hub()
    path = f"{bench.vault}/providers/microsoft.insights/diagnosticSettings/Lightkeeper-Logs"
    version = "2021-05-01-preview"
    assert bench.ask("PUT", path, version, setting(rule, "contoso", "AuditEvent")).ok
    vault = bench.vault
    assert bench.hands.delete_resource(vault)
    assert not bench.hands.delete_resource(vault)
    assert bench.ask("GET", path, version).ok
    assert bench.ask("PUT", path, version, setting(rule, "contoso", "AuditEvent")).status == 404
    bench.hands.write_resource(vault, "eastus")
    assert bench.ask("GET", path, version).ok
    refused = bench.ask("PUT", path, version, setting(rule, "contoso", "AuditEvent"))
    assert "should be in the same region" in refused.json()["message"]
    bench.hands.move_to_region(vault, "westeurope")
    assert bench.ask("PUT", path, version, setting(rule, "contoso", "AuditEvent")).ok


def test_a_resource_moves_to_another_group_under_a_new_id(bench: Bench) -> None:
    target = bench.hands.add_group(bench.subscription, "elsewhere", "westeurope")
    vault = bench.vault
    bench.hands.move_to_group(vault, target)
    assert bench.vault == vault.replace("contoso-rg", "elsewhere")
    assert bench.world.resources[bench.vault.lower()].location == "westeurope"
    with pytest.raises(ValueError, match="ResourceNotFound"):
        bench.hands.move_to_group(vault, target)


def test_a_resource_never_changes_its_region_in_place(bench: Bench) -> None:
    with pytest.raises(ValueError, match="InvalidResourceLocation"):
        bench.hands.write_resource(bench.vault, "eastus")


@pytest.mark.parametrize(("kind", "seen"), [(FaultKind.LOST_NEXT_LINK, 3), (FaultKind.EMPTY_PAGE, 0)])
async def test_a_page_can_be_torn(bench: Bench, kind: FaultKind, seen: int) -> None:
    _fill(bench)
    bench.azure.faults.switch_on("torn", Fault(kind, path="/resources", calls=1))
    assert len(await _names(bench)) == seen
    assert len(await _names(bench)) == 7


async def test_a_listing_can_show_the_past(bench: Bench) -> None:
    bench.world.clock.stop()
    bench.hands.add_vault(bench.subscription, "contoso-rg", "first", "westeurope")
    bench.world.clock.move(1)
    bench.hands.add_vault(bench.subscription, "contoso-rg", "second", "westeurope")
    bench.azure.faults.switch_on("stale", Fault(FaultKind.STALE_READ, path="/resources", calls=1))
    assert "second" not in await _names(bench)
    assert {"first", "second"} <= set(await _names(bench))


def test_the_providers_of_a_subscription_are_read_and_registered_with_the_right_to_it(bench: Bench) -> None:
    bench.hands.set_provider(bench.subscription, "Microsoft.Insights", registered=False)
    path = f"/subscriptions/{bench.subscription}/providers/Microsoft.Insights"
    assert bench.ask("GET", path, _VERSION).json()["registrationState"] == "NotRegistered"
    refused = bench.ask("POST", f"{path}/register", _VERSION)
    assert "Microsoft.Insights/register/action" in refused.json()["error"]["message"]
    bench.set_roles("Monitoring Contributor")
    assert bench.ask("POST", f"{path}/register", _VERSION).json()["registrationState"] == "Registered"
    assert bench.ask("GET", path.replace("Insights", "Wonder"), _VERSION).status == 404


def test_a_customers_own_application_needs_its_own_rights(bench: Bench) -> None:
    home = f"/subscriptions/{PROVIDER.subscription_id}"
    bench.world.add_resource(
        Resource(
            f"{home}/resourceGroups/lightkeeper/providers/Microsoft.Web/sites/app",
            "Microsoft.Web/sites",
            "eastus",
        )
    )
    assert len(bench.ask("GET", f"{home}/resources", _VERSION).json()["value"]) == 1
    bench.world.grants.clear()
    assert bench.ask("GET", f"{home}/resources", _VERSION).status == 403
