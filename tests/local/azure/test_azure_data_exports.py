"""Workspaces and data export rules through the real client: full replace, limits, region, rights, silence."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from local.azure.data_exports import LIMIT
from local.azure.faults import Fault, FaultKind
from tests.local.azure.azure_bench import PROVIDER, Bench

_GROUP = "contoso-rg"
_TABLES = ["AuditLogs", "SigninLogs"]
_NAME = "Lightkeeper-Entra-Data-Export"


def _rule(rule_id: str, hub: str = "contoso", tables: list[str] | None = None, **more: object) -> Any:  # noqa: ANN401 - plain JSON
    namespace = rule_id.partition("/authorizationRules")[0]
    destination = {"resourceId": namespace, "metaData": {"eventHubName": hub}}
    return {
        "properties": {"destination": destination, "tableNames": tables or _TABLES, "enable": True, **more}
    }


async def _refusal(bench: Bench, body: Any, name: str = _NAME, workspace: str = "logs") -> HttpResponseError:  # noqa: ANN401 - plain JSON
    client = bench.log_analytics(bench.subscription).data_exports
    with pytest.raises(HttpResponseError) as caught:
        await client.create_or_update(_GROUP, workspace, name, body)
    return caught.value


def _text(error: HttpResponseError) -> str:
    assert error.response is not None
    return str(error.response.text())


async def test_workspaces_are_read_and_listed(bench: Bench) -> None:
    bench.make_workspace()
    client = bench.log_analytics(bench.subscription).workspaces
    found = await client.get(_GROUP, "logs")
    assert found.customer_id
    assert found.location == "westeurope"
    assert [one.name async for one in client.list()] == ["logs"]
    assert [one.name async for one in client.list_by_resource_group(_GROUP)] == ["logs"]
    with pytest.raises(ResourceNotFoundError) as caught:
        await client.get(_GROUP, "other")
    assert caught.value.error is not None
    assert caught.value.error.code == "ResourceNotFound"


async def test_a_rule_is_written_read_listed_and_deleted(bench: Bench) -> None:
    rule, _ = bench.make_hub(), bench.make_workspace()
    client = bench.log_analytics(bench.subscription).data_exports
    written = await client.create_or_update(_GROUP, "logs", _NAME, _rule(rule))
    destination = written["properties"]["destination"]
    assert (destination["type"], destination["metaData"]["eventHubName"]) == ("EventHub", "contoso")
    read = await client.get(_GROUP, "logs", _NAME)
    assert (read.table_names, read.enable) == (_TABLES, True)
    assert read.data_export_id == written.data_export_id
    assert [one.name async for one in client.list_by_workspace(_GROUP, "logs")] == [_NAME]
    await client.delete(_GROUP, "logs", _NAME)
    with pytest.raises(ResourceNotFoundError) as caught:
        await client.get(_GROUP, "logs", _NAME)
    assert _text(caught.value) == f'"Export {_NAME} does not exist in the workspace."'
    await client.delete(_GROUP, "logs", _NAME)


async def test_a_put_replaces_the_whole_rule(bench: Bench) -> None:
    rule, _ = bench.make_hub(), bench.make_workspace()
    client = bench.log_analytics(bench.subscription).data_exports
    first = await client.create_or_update(_GROUP, "logs", _NAME, _rule(rule))
    body = _rule(rule, tables=["SigninLogs"], enable=False)
    changed = await client.create_or_update(_GROUP, "logs", _NAME, body)
    assert (changed.table_names, changed.enable) == (["SigninLogs"], False)
    assert changed.data_export_id == first.data_export_id


async def test_an_unsupported_table_is_taken_in_silence_and_an_unknown_one_is_not(bench: Bench) -> None:
    rule, _ = bench.make_hub(), bench.make_workspace()
    client = bench.log_analytics(bench.subscription).data_exports
    await client.create_or_update(_GROUP, "logs", _NAME, _rule(rule, tables=["AzureDiagnostics"]))
    refused = await _refusal(bench, _rule(rule, tables=["ABC"]))
    assert (refused.status_code, _text(refused)) == (404, '"Table ABC does not exist in the workspace"')


async def test_the_destination_is_a_namespace_that_is_there_with_its_hub(bench: Bench) -> None:
    rule, _ = bench.make_hub(), bench.make_workspace()
    hub = _rule(rule)
    hub["properties"]["destination"]["resourceId"] += "/eventhubs/contoso"
    assert "is not an Event Hubs namespace" in _text(await _refusal(bench, hub))
    assert (await _refusal(bench, _rule(rule.replace("weu-1", "weu-9")))).status_code == 404
    assert "event hub 'missing'" in _text(await _refusal(bench, _rule(rule, "missing")))


async def test_the_destination_is_in_the_workspaces_region(bench: Bench) -> None:
    rule, _ = bench.make_hub(), bench.make_workspace(location="eastus")
    assert "region of the workspace" in _text(await _refusal(bench, _rule(rule)))


async def test_a_destination_belongs_to_one_rule(bench: Bench) -> None:
    rule, _ = bench.make_hub(), bench.make_workspace()
    client = bench.log_analytics(bench.subscription).data_exports
    await client.create_or_update(_GROUP, "logs", "older", _rule(rule))
    assert "already defined in rule: older" in _text(await _refusal(bench, _rule(rule)))
    bench.make_hub("second", "lightkeeper-weu-2")
    await client.create_or_update(_GROUP, "logs", _NAME, _rule(rule.replace("weu-1", "weu-2"), "second"))


async def test_a_workspace_has_ten_active_rules(bench: Bench) -> None:
    rule, workspace = bench.make_hub(), bench.make_workspace()
    account = f"/subscriptions/{bench.subscription}/resourceGroups/{_GROUP}/providers/Microsoft.Storage"
    for number in range(LIMIT):
        body = {"namespace_id": f"{account}/storageAccounts/a{number}", "hub": "", "tables": ["Syslog"]}
        bench.hands.write_export_rule(workspace, f"foreign-{number}", **body)  # type: ignore[arg-type]
    assert "number of active export rules" in _text(await _refusal(bench, _rule(rule)))
    bench.hands.change_export_rule(workspace, "foreign-0", enabled=False)
    client = bench.log_analytics(bench.subscription).data_exports
    await client.create_or_update(_GROUP, "logs", _NAME, _rule(rule))
    with pytest.raises(ValueError, match="active export rules"):
        bench.hands.change_export_rule(workspace, "foreign-0", enabled=True)


async def test_the_insights_provider_must_be_registered(bench: Bench) -> None:
    rule, _ = bench.make_hub(), bench.make_workspace()
    bench.hands.set_provider(bench.subscription, "Microsoft.Insights", registered=False)
    client = bench.log_analytics(bench.subscription).data_exports
    with pytest.raises(ResourceExistsError) as caught:
        await client.create_or_update(_GROUP, "logs", _NAME, _rule(rule))
    assert caught.value.error is not None
    assert caught.value.error.code == "MissingSubscriptionRegistration"


async def test_a_workspace_that_is_gone_is_not_found_and_its_rules_are_gone_with_it(bench: Bench) -> None:
    rule, workspace = bench.make_hub(), bench.make_workspace()
    client = bench.log_analytics(bench.subscription).data_exports
    await client.create_or_update(_GROUP, "logs", _NAME, _rule(rule))
    bench.hands.delete_resource(workspace)
    refused = await _refusal(bench, _rule(rule))
    assert refused.error is not None
    assert (refused.status_code, refused.error.code) == (404, "ResourceNotFound")
    bench.make_workspace()
    assert [one async for one in client.list_by_workspace(_GROUP, "logs")] == []


async def test_roles_decide_who_writes_rules(bench: Bench) -> None:
    rule, _ = bench.make_hub(), bench.make_workspace()
    bench.set_roles("Log Analytics Reader")
    refused = await _refusal(bench, _rule(rule))
    assert "Microsoft.OperationalInsights/workspaces/dataExports/write" in refused.message
    bench.set_roles("Monitoring Contributor")
    assert (await _refusal(bench, _rule(rule))).status_code == 403
    bench.set_roles("Log Analytics Contributor")
    bench.world.grants.clear()
    refused = await _refusal(bench, _rule(rule))
    assert refused.error is not None
    assert refused.error.code == "LinkedAuthorizationFailed"
    assert "Microsoft.EventHub/namespaces/eventhubs/write" in refused.message


@pytest.mark.parametrize("version", ["2020-08-01", "2025-07-01"])
def test_older_and_newer_versions_are_taken(bench: Bench, version: str) -> None:
    rule, workspace = bench.make_hub(), bench.make_workspace()
    assert bench.ask("PUT", f"{workspace}/dataExports/{_NAME}", version, _rule(rule)).status == 200
    assert bench.ask("DELETE", f"{workspace}/dataExports/{_NAME}", version).status == 200
    assert bench.ask("DELETE", f"{workspace}/dataExports/{_NAME}", version).status == 404


def test_a_write_can_keep_nothing_and_a_read_can_be_stale(bench: Bench) -> None:
    rule, workspace = bench.make_hub(), bench.make_workspace()
    path = f"{workspace}/dataExports/{_NAME}"
    bench.azure.faults.switch_on("forgetful", Fault(FaultKind.KEEP_NOTHING, method="PUT", calls=1))
    assert bench.ask("PUT", path, "2025-07-01", _rule(rule)).ok
    assert bench.ask("GET", path, "2025-07-01").status == 404
    assert bench.ask("PUT", path, "2025-07-01", _rule(rule)).ok
    bench.azure.faults.switch_on("stale", Fault(FaultKind.STALE_READ, method="GET", calls=1))
    assert bench.ask("GET", path, "2025-07-01").status == 404
    assert bench.ask("GET", path, "2025-07-01").status == 200
    assert PROVIDER.subscription_id in bench.ask("GET", path, "2025-07-01").body.decode()
