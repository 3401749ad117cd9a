"""Logs that are no activity log flow where settings, rules and automations lead them."""

import pytest

from local.azure.plays import play
from tests.local.azure.azure_bench import Bench, setting

_VERSION = "2021-05-01-preview"


def _watch(bench: Bench, *categories: str) -> str:
    """Lead the vault's logs to a hub; gives back the ID of the hub's rule."""
    rule = bench.make_hub()
    path = f"{bench.vault}/providers/microsoft.insights/diagnosticSettings/Lightkeeper-Logs"
    assert bench.ask("PUT", path, _VERSION, setting(rule, "contoso", *(categories or ("AuditEvent",)))).ok
    return rule


def _export(bench: Bench, *tables: str, hub: str = "contoso") -> str:
    """Export tables of a workspace to a hub; gives back the workspace's ID."""
    rule, workspace = bench.make_hub(hub), bench.make_workspace()
    namespace = rule.partition("/authorizationRules")[0]
    bench.hands.write_export_rule(workspace, "ours", namespace_id=namespace, hub=hub, tables=list(tables))
    return workspace


async def test_access_to_a_vault_is_logged_where_its_setting_leads(bench: Bench) -> None:
    [unheard] = await play(bench.azure, "vault_access", bench.subscription)
    assert unheard.delivered == 0
    _watch(bench)
    played = await play(bench.azure, "vault_access", bench.subscription, count=20)
    assert sum(one.delivered for one in played) == len(bench.waiting()) == 20
    for record in bench.waiting():
        assert record["category"] == "AuditEvent"
        assert record["resultType"] == "Success"
        assert record["resourceId"] == bench.vault.upper()
        assert isinstance(record["durationMs"], str)
    outcomes = {(r["resultSignature"], r["properties"]["httpStatusCode"]) for r in bench.waiting()}
    assert outcomes == {("OK", 200), ("Forbidden", 403)}


async def test_only_enabled_categories_are_logged(bench: Bench) -> None:
    _watch(bench, "AzurePolicyEvaluationDetails")
    await play(bench.azure, "resource_logs", bench.subscription, count=5)
    assert {record["category"] for record in bench.waiting()} == {"AzurePolicyEvaluationDetails"}


async def test_logs_stop_with_the_rule_the_hub_the_setting_or_the_vault(bench: Bench) -> None:
    rule, vault = _watch(bench), bench.vault
    path = f"{vault}/providers/microsoft.insights/diagnosticSettings/Lightkeeper-Logs"
    kept = bench.world.rules.copy()
    bench.world.rules.clear()
    assert [one.delivered for one in await play(bench.azure, "vault_access", bench.subscription)] == [0]
    bench.world.rules.update(kept)
    bench.hands.delete_resource(vault)
    assert [one.entries for one in await play(bench.azure, "vault_access", bench.subscription)] == [()]
    bench.hands.write_resource(vault, "westeurope")
    assert [one.delivered for one in await play(bench.azure, "vault_access", bench.subscription)] == [1]
    bench.hands.delete_hub("lightkeeper-weu-1", "contoso")
    assert [one.delivered for one in await play(bench.azure, "vault_access", bench.subscription)] == [0]
    assert bench.ask("DELETE", path, _VERSION).ok
    assert [one.entries for one in await play(bench.azure, "vault_access", bench.subscription)] == [()]
    assert rule


async def test_exported_tables_flow_and_unsupported_ones_stay_silent(bench: Bench) -> None:
    workspace = _export(bench, "SigninLogs", "AuditLogs", "AzureDiagnostics")
    played = await play(bench.azure, "sign_ins", bench.subscription, count=10)
    assert sum(one.delivered for one in played) == 20
    rows = bench.waiting()
    assert {row["Type"] for row in rows} == {"SigninLogs", "AuditLogs"}
    assert {row["AADTenantId"] for row in rows} == {bench.customer.tenant_id}
    assert {row["_Internal_WorkspaceResourceId"] for row in rows} == {workspace.lower()}
    found = bench.ask("GET", workspace, "2025-07-01").json()
    assert {row["TenantId"] for row in rows} == {found["properties"]["customerId"]}


async def test_rows_come_with_and_without_an_envelope(bench: Bench) -> None:
    _export(bench, "SigninLogs")
    await play(bench.azure, "sign_ins", bench.subscription, count=30)
    bodies = [event.body for p in bench.azure.stream.partitions.values() for event in p.events]
    enveloped = [body for body in bodies if body and body.startswith(b'{"records"')]
    assert 0 < len(enveloped) < len(bodies) == 30


async def test_a_disabled_rule_exports_nothing(bench: Bench) -> None:
    workspace = _export(bench, "SigninLogs")
    bench.hands.change_export_rule(workspace, "ours", enabled=False)
    assert [one.delivered for one in await play(bench.azure, "sign_ins", bench.subscription)] == [0]


async def test_a_rule_without_a_hub_has_one_for_each_table(bench: Bench) -> None:
    rule, workspace = bench.make_hub("am-signinlogs"), bench.make_workspace()
    namespace = rule.partition("/authorizationRules")[0]
    bench.hands.write_export_rule(workspace, "ours", namespace_id=namespace, hub="", tables=["SigninLogs"])
    assert [one.delivered for one in await play(bench.azure, "sign_ins", bench.subscription)] == [1]


@pytest.mark.parametrize("kind", ["vault_access", "sign_ins"])
async def test_capture_writes_them_like_anything_else(stored: Bench, kind: str) -> None:
    _watch(stored)
    workspace = stored.make_workspace()
    namespace = next(iter(stored.world.settings[stored.vault.lower()].values())).rule_id
    stored.hands.write_export_rule(
        workspace,
        "ours",
        namespace_id=namespace.partition("/authorizationRules")[0],
        hub="contoso",
        tables=["SigninLogs"],
    )
    [played] = await play(stored.azure, kind, stored.subscription)
    files = await stored.azure.capture.close_windows(force=True)
    assert (played.delivered, sum(file.events for file in files)) == (1, 1)
