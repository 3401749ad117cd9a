"""Refusals and categories in recorded words, and shapes of what was never recorded but is specified."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.local.azure.azure_bench import PROVIDER, Bench
from tests.local.azure.recordings import missing_keys, recorded

_HUBS = "?api-version=2026-01-01"
_HOME = (
    f"/subscriptions/{PROVIDER.subscription_id}/resourceGroups/{PROVIDER.group}"
    "/providers/Microsoft.EventHub/namespaces/lightkeeper-weu-1"
)
_WORKSPACE = "/subscriptions/{}/resourcegroups/{}/providers/microsoft.operationalinsights/workspaces/{}"
_EXPORTS = f"{_WORKSPACE}/dataexports"


def _export(bench: Bench) -> tuple[str, dict[str, Any]]:
    """A workspace with room for a rule: the rule's path and body."""
    namespace = bench.make_hub().partition("/authorizationRules")[0]
    destination = {"resourceId": namespace, "metaData": {"eventHubName": "contoso"}}
    body = {"properties": {"destination": destination, "tableNames": ["SigninLogs"], "enable": True}}
    return f"{bench.make_workspace()}/dataExports/ours", body


def test_refused_export_rules_are_texts_as_recorded(bench: Bench, samples: Path) -> None:
    path, body = _export(bench)
    body["properties"]["tableNames"] = ["ABC"]
    unknown = bench.ask("PUT", path, "2025-07-01", body)
    known = recorded(samples, "errors", f"PUT {_EXPORTS}/{{}}", 404)
    assert json.loads(unknown.body) in known
    missing = bench.ask("GET", path, "2025-07-01")
    [known] = recorded(samples, "errors", f"GET {_EXPORTS}/{{}}", missing.status)
    assert json.loads(missing.body) == str(known).replace("clitest", "ours")
    body["properties"]["tableNames"] = ["Syslog"]
    account = f"{path.partition('/providers/')[0]}/providers/Microsoft.Storage/storageAccounts/one"
    body["properties"]["destination"] = {"resourceId": account}
    assert bench.ask("PUT", path, "2020-03-01-preview", body).ok
    body["properties"]["destination"] = {"resourceId": f"{account}2"}
    refused = bench.ask("PUT", f"{path}-2", "2020-03-01-preview", body)
    assert refused.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert refused.body.decode() in recorded(samples, "errors", f"PUT {_EXPORTS}/{{}}", 400)
    assert bench.ask("PUT", f"{path}-2", "2025-07-01", body).ok


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("Microsoft.Network/networkSecurityGroups", "microsoft.network/networksecuritygroups"),
        ("Microsoft.Logic/workflows", "microsoft.logic/workflows"),
    ],
)
def test_categories_are_the_recorded_ones(bench: Bench, samples: Path, kind: str, operation: str) -> None:
    resource = f"/subscriptions/{bench.subscription}/resourceGroups/contoso-rg/providers/{kind}/one"
    bench.hands.write_resource(resource, "westeurope")
    path = f"{resource}/providers/microsoft.insights/diagnosticSettingsCategories"
    listed = bench.ask("GET", path, "2021-05-01-preview").json()
    whole = f"GET /subscriptions/{{}}/resourcegroups/{{}}/providers/{operation}/{{}}"
    whole += "/providers/microsoft.insights/diagnosticsettingscategories"
    known = recorded(samples, "diagnostic-settings-categories", whole, 200)
    assert known
    for body in known:
        assert [each["name"] for each in listed["value"]] == [each["name"] for each in body["value"]]


def test_automations_and_queries_look_like_the_specifications_examples(bench: Bench, samples: Path) -> None:
    security = samples / "specs/security/resource-manager/Microsoft.Security/preview/2019-01-01-preview"
    example = json.loads(
        (security / "examples/Automations/GetAutomationResourceGroup_example.json").read_text()
    )["responses"]["200"]["body"]
    place = f"/subscriptions/{bench.subscription}"
    body = {**example, "location": "westeurope"}
    body["properties"]["scopes"] = [{"description": "all", "scopePath": place}]
    path = f"{place}/resourceGroups/contoso-rg/providers/Microsoft.Security/automations/one"
    answer = bench.hands.act("PUT", path, body).json()
    assert missing_keys(example, answer) == []
    graph = samples / "specs/resourcegraph/resource-manager/Microsoft.ResourceGraph/stable/2021-03-01"
    known = json.loads((graph / "examples/ResourcesFirstPageQuery.json").read_text())
    query = {"query": "resources | project id, name, type, location", "options": {"$top": 3, "$skip": 0}}
    found = bench.ask("POST", "/providers/Microsoft.ResourceGraph/resources", "2021-03-01", query).json()
    assert missing_keys(known["responses"]["200"]["body"], found) == []


def test_error_bodies_look_like_recorded_ones(bench: Bench, samples: Path) -> None:
    lines = (samples / "arm" / "errors.jsonl").read_text().splitlines()
    calls = [json.loads(line) for line in lines]
    by_status = {call["status"]: call for call in calls if isinstance(call["response_body"], dict)}
    missing = bench.call("GET", f"{_HOME}{_HUBS}")
    assert missing.json()["error"].keys() == by_status[404]["response_body"]["error"].keys()
    invalid = bench.call("GET", f"{_HOME}{_HUBS}", authorization="Bearer made-up")
    assert invalid.json() == by_status[401]["response_body"]
    assert invalid.headers["WWW-Authenticate"] == by_status[401]["response_headers"]["www-authenticate"]
