"""What people change: it happens, it leaves entries that name who did it, and is not counted as ours."""

from typing import Any

import pytest

from local.azure.control import AzureControl, ControlError
from local.azure.hands import person
from local.azure.world import Principal
from tests.local.azure.azure_bench import Bench, setting

_OBJECT = "http://schemas.microsoft.com/identity/claims/objectidentifier"


@pytest.fixture
def heard(bench: Bench) -> Bench:
    """A subscription whose administrative entries go to a hub, with everything set up in it."""
    rule, workspace = bench.make_hub(), bench.make_workspace()
    bench.hands.add_group(bench.subscription, "LightkeeperAutomation", "westeurope")
    bench.set_roles("Reader", "Log Analytics Contributor", "Security Admin")
    place = f"/subscriptions/{bench.subscription}"
    version, settings = (
        "2021-05-01-preview",
        "providers/microsoft.insights/diagnosticSettings/Lightkeeper-Logs",
    )
    assert bench.ask("PUT", f"{place}/{settings}", version, setting(rule, "contoso", "Administrative")).ok
    assert bench.ask("PUT", f"{bench.vault}/{settings}", version, setting(rule, "contoso", "AuditEvent")).ok
    namespace = rule.partition("/authorizationRules")[0]
    destination = {"resourceId": namespace, "metaData": {"eventHubName": "contoso"}}
    export = {"destination": destination, "tableNames": ["SigninLogs", "AuditLogs"], "enable": True}
    assert bench.ask("PUT", f"{workspace}/dataExports/ours", "2025-07-01", {"properties": export}).ok
    action = {"actionType": "EventHub", "eventHubResourceId": f"{namespace}/eventhubs/contoso"}
    automation = {
        "location": "westeurope",
        "properties": {
            "scopes": [{"scopePath": place}],
            "sources": [{"eventSource": "Alerts"}],
            "actions": [{**action, "isTrustedServiceEnabled": True}],
        },
    }
    assert bench.ask("PUT", _automation(bench), "2023-12-01-preview", automation).ok
    return bench


def _automation(bench: Bench) -> str:
    place = f"/subscriptions/{bench.subscription}/resourceGroups/LightkeeperAutomation"
    return f"{place}/providers/Microsoft.Security/automations/LightkeeperDefenderForCloudExport"


@pytest.mark.parametrize(
    ("change", "operation", "about"),
    [
        (
            "delete_setting",
            "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE",
            "/DIAGNOSTICSETTINGS/LIGHTKEEPER-LOGS",
        ),
        (
            "delete_export_rule",
            "MICROSOFT.OPERATIONALINSIGHTS/WORKSPACES/DATAEXPORTS/DELETE",
            "/WORKSPACES/LOGS/DATAEXPORTS/OURS",
        ),
        (
            "delete_automation",
            "MICROSOFT.SECURITY/AUTOMATIONS/DELETE",
            "/AUTOMATIONS/LIGHTKEEPERDEFENDERFORCLOUDEXPORT",
        ),
        ("delete_resource", "MICROSOFT.KEYVAULT/VAULTS/DELETE", "/VAULTS/"),
        ("add_vault", "MICROSOFT.KEYVAULT/VAULTS/WRITE", "/VAULTS/FRESH"),
        ("withdraw", "MICROSOFT.MANAGEDSERVICES/REGISTRATIONASSIGNMENTS/DELETE", "/REGISTRATIONASSIGNMENTS/"),
        ("delegate", "MICROSOFT.MANAGEDSERVICES/REGISTRATIONASSIGNMENTS/WRITE", "/REGISTRATIONASSIGNMENTS/"),
    ],
)
def test_a_change_leaves_entries_that_name_who_did_it(
    heard: Bench, change: str, operation: str, about: str
) -> None:
    workspace = f"/subscriptions/{heard.subscription}/resourceGroups/contoso-rg/providers"
    arguments: dict[str, dict[str, Any]] = {
        "delete_setting": {"scope": heard.vault, "name": "Lightkeeper-Logs"},
        "delete_export_rule": {
            "workspace_id": f"{workspace}/Microsoft.OperationalInsights/workspaces/logs",
            "name": "ours",
        },
        "delete_automation": {"automation_id": _automation(heard)},
        "delete_resource": {"resource_id": heard.vault},
        "add_vault": {
            "subscription_id": heard.subscription,
            "group": "contoso-rg",
            "name": "fresh",
            "location": "westeurope",
        },
        "withdraw": {"subscription_id": heard.subscription},
        "delegate": {"subscription_id": heard.subscription},
    }
    heard.azure.stream.partitions.clear()
    getattr(heard.hands, change)(**arguments[change])
    entries = [entry for entry in heard.waiting() if entry["operationName"] == operation]
    assert sorted(entry["resultType"] for entry in entries) == ["Start", "Success"]
    who = person(heard.world, heard.customer.tenant_id).object_id
    assert {entry["identity"]["claims"][_OBJECT] for entry in entries} == {who}
    assert all(about in entry["resourceId"].upper() for entry in entries)


def test_our_own_writes_name_the_apps_principal(heard: Bench) -> None:
    for entry in heard.waiting():
        claims = entry["identity"]["claims"]
        if "DIAGNOSTICSETTINGS/WRITE" in entry["operationName"]:
            assert claims["appid"] == heard.world.app.client_id
            assert claims[_OBJECT] == heard.world.app.object_id


def test_a_call_through_the_api_by_somebody_else_names_her(heard: Bench) -> None:
    tenant = heard.customer.tenant_id
    user = Principal(heard.world.guid(), heard.world.guid(), tenant, "eve@contoso.example")
    heard.world.grants.add((user.object_id, "Owner", f"/subscriptions/{heard.subscription}"))
    token, _ = heard.azure.identity.issue(user)
    heard.azure.stream.partitions.clear()
    path = f"{heard.vault}/providers/microsoft.insights/diagnosticSettings/Lightkeeper-Logs"
    version = "?api-version=2021-05-01-preview"
    assert heard.call("DELETE", path + version, authorization=f"Bearer {token}").ok
    claims = [entry["identity"]["claims"] for entry in heard.waiting()]
    assert [each[_OBJECT] for each in claims] == [user.object_id] * 2
    other = f"/subscriptions/{heard.customer.delegated[1]}?api-version=2022-12-01"
    assert heard.call("GET", other, authorization=f"Bearer {token}").status == 403


def test_people_are_neither_counted_nor_throttled_nor_met_by_faults(heard: Bench) -> None:
    counted = dict(heard.azure.counts.by_kind)
    for _ in range(300):
        heard.hands.delete_setting(heard.vault, "none")
    assert dict(heard.azure.counts.by_kind) == counted


def test_a_setting_is_changed_in_every_way(heard: Bench) -> None:
    second = heard.make_hub("fabrikam", "lightkeeper-weu-2")
    scope, name = heard.vault, "Lightkeeper-Logs"
    heard.hands.change_setting(scope, name, rule_id=second, hub="fabrikam")
    changed = heard.world.setting(scope, name)
    assert changed is not None
    assert (changed.rule_id, changed.hub) == (second, "fabrikam")
    heard.hands.change_setting(scope, name, categories=["AuditEvent", "AzurePolicyEvaluationDetails"])
    heard.hands.change_setting(scope, name, disable="AuditEvent")
    changed = heard.world.setting(scope, name)
    assert changed is not None
    assert changed.enabled == {"AzurePolicyEvaluationDetails"}
    with pytest.raises(KeyError):
        heard.hands.change_setting(scope, "none", hub="x")


def test_an_export_rule_is_cut_and_disabled(heard: Bench) -> None:
    [workspace] = heard.world.exports
    heard.hands.change_export_rule(workspace, "ours", tables=["AuditLogs"])
    heard.hands.change_export_rule(workspace, "ours", enabled=False)
    rule = heard.world.exports[workspace]["ours"]
    assert (rule.tables, rule.enabled, rule.hub) == (("AuditLogs",), False, "contoso")
    assert heard.hands.delete_export_rule(workspace, "ours")
    assert not heard.hands.delete_export_rule(workspace, "ours")


def test_an_automation_is_disabled_and_deleted(heard: Bench) -> None:
    heard.hands.change_automation(_automation(heard), isEnabled=False)
    assert heard.world.automations[_automation(heard).lower()].properties["isEnabled"] is False
    assert heard.hands.delete_automation(_automation(heard))
    assert not heard.hands.delete_automation(_automation(heard))


def test_a_hub_its_capture_and_its_namespace_change_and_go(heard: Bench) -> None:
    heard.hands.change_capture("lightkeeper-weu-1", "contoso", enabled=False)
    heard.hands.change_hub("lightkeeper-weu-1", "contoso", retentionDescription={"retentionTimeInHours": 24})
    hub = heard.world.hub("lightkeeper-weu-1", "contoso")
    assert hub is not None
    assert (hub.captures, hub.retention["retentionTimeInHours"]) == (False, 24)
    assert heard.hands.delete_hub("lightkeeper-weu-1", "contoso")
    assert not heard.hands.delete_hub("lightkeeper-weu-1", "contoso")
    heard.hands.delete_namespace("lightkeeper-weu-1")
    heard.world.clock.move(heard.world.namespace_seconds)
    assert heard.world.namespace("lightkeeper-weu-1") is None


async def test_another_process_can_ask_for_every_change(heard: Bench) -> None:
    vault, subscription = heard.vault, heard.subscription
    [workspace] = heard.world.exports
    async with AzureControl(heard.server.url) as control:
        await control.change_setting(vault, "Lightkeeper-Logs", categories=["AzurePolicyEvaluationDetails"])
        await control.write_setting(
            vault,
            "foreign",
            {"storageAccountId": "/x", "logs": [{"category": "AuditEvent", "enabled": True}]},
        )
        await control.change_export_rule(workspace, "ours", tables=["SigninLogs"])
        state = await control.state()
        assert state["exports"][workspace]["ours"]["tables"] == ["SigninLogs"]
        assert list(state["automations"]) == [_automation(heard).lower()]
        assert await control.delete_export_rule(workspace, "ours")
        namespace_id = "/".join(
            heard.world.settings[vault.lower()]["lightkeeper-logs"].rule_id.split("/")[:-2]
        )
        await control.write_export_rule(
            workspace, "new", namespace_id=namespace_id, hub="contoso", tables=["SigninLogs"]
        )
        await control.change_automation(_automation(heard), isEnabled=False)
        assert await control.delete_automation(_automation(heard))
        await control.move_to_region(vault, "eastus")
        await control.make_anew(vault)
        group = await control.add_group(subscription, "elsewhere", "eastus")
        await control.move_to_group(vault, group)
        assert await control.delete_resource(vault.replace("contoso-rg", "elsewhere"))
        fresh = await control.add_vault(subscription, "elsewhere", "fresh", "eastus")
        await control.write_resource(fresh, "eastus", {"tags": {"a": "b"}})
        assert await control.add_workspace(subscription, "elsewhere", "logs-2", "eastus")
        await control.set_graph_lag(30)
        await control.change_capture("lightkeeper-weu-1", "contoso", intervalInSeconds=60)
        await control.change_hub("lightkeeper-weu-1", "contoso", retentionDescription={})
        assert await control.delete_hub("lightkeeper-weu-1", "contoso")
        await control.delete_namespace("lightkeeper-weu-1")
        await control.delegate(subscription, delegated=False)
        await control.delegate(subscription, roles=["Reader"])
        with pytest.raises(ControlError, match="KeyError"):
            await control._do("act", method="GET", path="/")
        with pytest.raises(ControlError, match="ResourceNotFound"):
            await control.write_setting(vault, "foreign", {"workspaceId": "/x"})
    assert heard.world.graph_lag_seconds == 30
    assert {r.name for r in heard.world.resources_of(subscription)} == {"logs", "fresh", "logs-2"}
    [delegation] = heard.world.subscriptions[subscription].delegations
    assert delegation.grants == {(heard.world.app.object_id, "Reader")}
