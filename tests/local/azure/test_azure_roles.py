"""Roles as data: what each allows, and how they are read."""

import pytest

from local.azure.roles import ROLES, allows
from tests.local.azure.azure_bench import Bench

_VERSION = "2022-04-01"


@pytest.mark.parametrize(
    ("role", "action", "allowed"),
    [
        ("Reader", "Microsoft.KeyVault/vaults/read", True),
        ("Reader", "Microsoft.KeyVault/vaults/write", False),
        ("Reader", "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action", False),
        ("Log Analytics Contributor", "microsoft.insights/DIAGNOSTICSETTINGS/Write", True),
        ("Log Analytics Contributor", "Microsoft.OperationalInsights/workspaces/dataExports/delete", True),
        ("Log Analytics Contributor", "Microsoft.Insights/register/action", False),
        ("Log Analytics Contributor", "Microsoft.Security/automations/write", False),
        ("Log Analytics Contributor", "Microsoft.Resources/subscriptions/resourceGroups/write", False),
        ("Log Analytics Reader", "Microsoft.OperationalInsights/workspaces/sharedKeys/read", False),
        ("Monitoring Contributor", "Microsoft.Insights/register/action", True),
        ("Monitoring Contributor", "Microsoft.OperationalInsights/workspaces/dataExports/write", False),
        ("Monitoring Reader", "Microsoft.Insights/diagnosticSettings/write", False),
        ("Security Admin", "Microsoft.Security/automations/write", True),
        ("Security Admin", "Microsoft.KeyVault/vaults/read", False),
        ("Security Reader", "Microsoft.Security/automations/read", True),
        ("Security Reader", "Microsoft.Security/automations/write", False),
        ("Contributor", "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action", True),
        ("Contributor", "Microsoft.Authorization/roleAssignments/write", False),
        ("Owner", "Microsoft.Authorization/roleAssignments/write", True),
        ("User Access Administrator", "Microsoft.Authorization/roleAssignments/write", True),
        ("Azure Event Hubs Data Sender", "Microsoft.EventHub/namespaces/eventhubs/read", True),
        ("Azure Event Hubs Data Sender", "Microsoft.EventHub/namespaces/eventhubs/write", False),
    ],
)
def test_a_role_allows_exactly_its_actions(role: str, action: str, *, allowed: bool) -> None:
    assert allows(role, action) is allowed


def test_definitions_are_read_below_any_scope(bench: Bench) -> None:
    guid = ROLES["Log Analytics Contributor"].guid
    place = f"/subscriptions/{bench.subscription}"
    for scope in ("", place, f"{place}/resourceGroups/contoso-rg", bench.vault):
        path = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
        answer = bench.ask("GET", path, _VERSION)
        assert answer.ok, answer.body
        [permissions] = answer.json()["properties"]["permissions"]
        assert "Microsoft.Insights/diagnosticSettings/*" in permissions["actions"]
        assert permissions["dataActions"] == []


def test_definitions_are_listed_and_found_by_name(bench: Bench) -> None:
    path = f"/subscriptions/{bench.subscription}/providers/Microsoft.Authorization/roleDefinitions"
    assert len(bench.ask("GET", path, _VERSION).json()["value"]) == len(ROLES)
    [found] = bench.ask("GET", f"{path}?$filter=roleName eq 'Security Admin'", _VERSION).json()["value"]
    assert found["name"] == ROLES["Security Admin"].guid
    assert bench.ask("GET", f"{path}?$filter=colour eq 'red'", _VERSION).status == 400
    missing = bench.ask("GET", f"{path}/{bench.world.guid()}", _VERSION)
    assert missing.json()["error"]["code"] == "RoleDefinitionDoesNotExist"


def test_keys_are_given_only_to_who_may_list_them(bench: Bench) -> None:
    rule = bench.make_hub()
    path = f"{rule}/listKeys"
    assert bench.ask("POST", path, "2026-01-01").ok
    app = bench.world.app.object_id
    home = f"/subscriptions/{bench.world.provider_subscription}"
    bench.world.grants.clear()
    bench.world.grants.add((app, "Reader", home))
    refused = bench.ask("POST", path, "2026-01-01")
    assert "listkeys/action" in refused.json()["error"]["message"]
    assert bench.ask("GET", rule, "2026-01-01").ok
