"""Answers have the keys and types of recorded real ones, for every call of which there is a recording."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.local.azure.azure_bench import PROVIDER, Bench, setting
from tests.local.azure.recordings import missing_keys, recorded

_SETTINGS = "?api-version=2021-05-01-preview"
_HUBS = "?api-version=2026-01-01"
_EH = "/subscriptions/{}/resourcegroups/{}/providers/microsoft.eventhub/namespaces"
_NAMESPACES = (
    f"/subscriptions/{PROVIDER.subscription_id}/resourceGroups/{PROVIDER.group}"
    "/providers/Microsoft.EventHub/namespaces"
)
_HOME = f"{_NAMESPACES}/lightkeeper-weu-1"


def _differences(samples: Path, file: str, operation: str, answer: dict[str, Any]) -> list[str]:
    answers = recorded(samples, file, operation, 200)
    assert answers, f"no recording of {operation}"
    return sorted({path for body in answers for path in missing_keys(body, answer)})


def test_subscription_settings_look_like_recorded_ones(bench: Bench, samples: Path) -> None:
    rule = bench.make_hub()
    listing = f"/subscriptions/{bench.customer.delegated[0]}/providers/microsoft.insights/diagnosticSettings"
    operation = "/subscriptions/{}/providers/microsoft.insights/diagnosticsettings"
    body = json.dumps(setting(rule)).encode()
    for method, path, recording in (
        ("PUT", f"{listing}/one", f"{operation}/{{}}"),
        ("GET", f"{listing}/one", f"{operation}/{{}}"),
        ("GET", listing, operation),
    ):
        answer = bench.call(method, path + _SETTINGS, body).json()
        different = _differences(samples, "subscription-diagnostic-settings", f"{method} {recording}", answer)
        assert [path for path in different if "storageAccountId" not in path] == []


def test_resource_settings_look_like_recorded_ones(bench: Bench, samples: Path) -> None:
    rule = bench.make_hub()
    group = f"/subscriptions/{bench.customer.delegated[0]}/resourcegroups/contoso-rg"
    mine = bench.customer.delegated[0].lower()
    vault = next(r.resource_id for key, r in bench.world.resources.items() if mine in key)
    assert vault.lower().startswith(group.lower())
    path = f"{vault}/providers/microsoft.insights/diagnosticSettings/one{_SETTINGS}"
    answer = bench.call("PUT", path, json.dumps(setting(rule, "contoso", "AuditEvent")).encode()).json()
    operation = (
        "PUT /subscriptions/{}/resourcegroups/{}/providers/microsoft.network/networksecuritygroups/{}"
        "/providers/microsoft.insights/diagnosticsettings/{}"
    )
    assert _differences(samples, "diagnostic-settings", operation, answer) == []


@pytest.mark.parametrize(
    ("method", "path", "operation", "file"),
    [
        ("GET", _HOME, f"{_EH}/{{}}", "eventhub-namespaces"),
        ("GET", _NAMESPACES, _EH, "eventhub-namespaces"),
        ("GET", f"{_HOME}/eventhubs/contoso", f"{_EH}/{{}}/eventhubs/{{}}", "eventhubs"),
        ("GET", f"{_HOME}/eventhubs", f"{_EH}/{{}}/eventhubs", "eventhubs"),
        (
            "GET",
            f"{_HOME}/authorizationRules",
            f"{_EH}/{{}}/authorizationrules",
            "eventhub-authorization-rules",
        ),
        (
            "POST",
            f"{_HOME}/authorizationRules/RootManageSharedAccessKey/listKeys",
            f"{_EH}/{{}}/authorizationrules/{{}}/listkeys",
            "eventhub-authorization-rules",
        ),
    ],
)
def test_event_hubs_look_like_recorded_ones(
    bench: Bench, samples: Path, *, method: str, path: str, operation: str, file: str
) -> None:
    bench.make_hub()
    answer = bench.call(method, path + _HUBS).json()
    different = _differences(samples, file, f"{method} {operation}", answer)
    # Recordings of other namespaces name a cluster, an identity or encryption that ours do not have.
    optional = (
        "identity",
        "encryption",
        "clusterArmId",
        "captureDescription",
        "aliasPrimary",
        "aliasSecondary",
    )
    assert [key for key in different if not any(word in key for word in optional)] == []


def test_the_name_check_looks_like_a_recorded_one(bench: Bench, samples: Path) -> None:
    path = f"/subscriptions/{PROVIDER.subscription_id}/providers/Microsoft.EventHub/checkNameAvailability"
    answer = bench.call("POST", path + _HUBS, b'{"name": "lightkeeper-weu-1"}').json()
    operation = "POST /subscriptions/{}/providers/microsoft.eventhub/checknameavailability"
    assert _differences(samples, "eventhub-namespaces", operation, answer) == []


_WORKSPACE = "/subscriptions/{}/resourcegroups/{}/providers/microsoft.operationalinsights/workspaces/{}"
_EXPORTS = f"{_WORKSPACE}/dataexports"


def _export(bench: Bench) -> tuple[str, dict[str, Any]]:
    """A workspace with room for a rule: the rule's path and body."""
    namespace = bench.make_hub().partition("/authorizationRules")[0]
    destination = {"resourceId": namespace, "metaData": {"eventHubName": "contoso"}}
    body = {"properties": {"destination": destination, "tableNames": ["SigninLogs"], "enable": True}}
    return f"{bench.make_workspace()}/dataExports/ours", body


def test_workspaces_look_like_recorded_ones(bench: Bench, samples: Path) -> None:
    answer = bench.ask("GET", bench.make_workspace(), "2025-07-01").json()
    different = _differences(samples, "workspaces", f"GET {_WORKSPACE}", answer)
    # Only the oldest versions have the one, only one kind of price the other.
    assert set(different) <= {"/properties/portalUrl", "/properties/sku/capacityReservationLevel"}


def test_export_rules_look_like_recorded_ones(bench: Bench, samples: Path) -> None:
    path, body = _export(bench)
    written = bench.ask("PUT", path, "2025-07-01", body)
    assert written.status == 200
    assert _differences(samples, "data-exports", f"PUT {_EXPORTS}/{{}}", written.json()) == []
    read = bench.ask("GET", path, "2025-07-01").json()
    assert _differences(samples, "data-exports", f"GET {_EXPORTS}/{{}}", read) == []
    listed = bench.ask("GET", path.rpartition("/")[0], "2025-07-01").json()
    assert _differences(samples, "data-exports", f"GET {_EXPORTS}", listed) == []
    deleted = bench.ask("DELETE", path, "2025-07-01")
    assert recorded(samples, "data-exports", f"DELETE {_EXPORTS}/{{}}", deleted.status) == [None]


def test_refused_export_rules_are_texts_as_recorded(bench: Bench, samples: Path) -> None:
    path, body = _export(bench)
    body["properties"]["tableNames"] = ["ABC"]
    unknown = bench.ask("PUT", path, "2025-07-01", body)
    known = recorded(samples, "errors", f"PUT {_EXPORTS}/{{}}", 404)
    assert json.loads(unknown.body) in known
    missing = bench.ask("GET", path, "2025-07-01")
    [known] = recorded(samples, "errors", f"GET {_EXPORTS}/{{}}", missing.status)
    assert json.loads(missing.body) == str(known).replace("clitest", "ours")
    lines = (samples / "arm" / "errors.jsonl").read_text().splitlines()
    calls = [json.loads(line) for line in lines if "dataexports" in line and '"status":400' in line]
    assert {call["response_headers"]["content-type"] for call in calls} == {"text/plain; charset=utf-8"}
    body["properties"]["tableNames"] = ["SigninLogs"]
    body["properties"]["destination"]["metaData"] = {"eventHubName": "missing"}
    refused = bench.ask("PUT", path, "2025-07-01", body)
    assert (refused.status, refused.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")


def test_listed_resources_look_like_recorded_ones(bench: Bench, samples: Path) -> None:
    answer = bench.ask("GET", f"/subscriptions/{bench.subscription}/resources", "2025-04-01").json()
    different = _differences(samples, "resources-list", "GET /subscriptions/{}/resources", answer)
    # What other types of resources have besides.
    assert {path.rpartition("/")[2] for path in different} <= {"sku", "kind", "managedBy"}
    groups = bench.ask("GET", f"/subscriptions/{bench.subscription}/resourcegroups", "2025-04-01").json()
    assert _differences(samples, "resources-list", "GET /subscriptions/{}/resourcegroups", groups) == []


@pytest.mark.parametrize("kind", ["registrationDefinitions", "registrationAssignments"])
def test_lighthouse_looks_as_recorded(bench: Bench, samples: Path, kind: str) -> None:
    path = f"/subscriptions/{bench.subscription}/providers/Microsoft.ManagedServices/{kind}"
    operation = f"/subscriptions/{{}}/providers/microsoft.managedservices/{kind.lower()}"
    listed = bench.ask("GET", path, "2022-10-01").json()
    assert _differences(samples, "managed-services", f"GET {operation}", listed) == []
    one = bench.ask("GET", listed["value"][0]["id"], "2022-10-01").json()
    different = _differences(samples, "managed-services", f"GET {operation}/{{}}", one)
    assert different in ([], ["/properties/description"])  # the customer's own, and optional


def test_delegating_and_withdrawing_answers_as_recorded(bench: Bench, samples: Path) -> None:
    place = f"/subscriptions/{bench.customer.not_delegated[0]}/providers/Microsoft.ManagedServices"
    operation = "/subscriptions/{}/providers/microsoft.managedservices"
    guid = "11111111-2222-4333-8444-555555555555"
    authorizations = [{"principalId": guid, "roleDefinitionId": "acdd72a7-3385-48ef-bd42-f606fba81ae7"}]
    properties = {"managedByTenantId": guid, "authorizations": authorizations, "description": ""}
    definition = {"properties": {"registrationDefinitionName": "x", **properties}}
    assignment = {
        "properties": {"registrationDefinitionId": f"{place}/registrationDefinitions/{guid}".lstrip("/")}
    }
    for kind, body in (("registrationDefinitions", definition), ("registrationAssignments", assignment)):
        answer = bench.hands.act("PUT", f"{place}/{kind}/{guid}", body)
        known = recorded(samples, "managed-services", f"PUT {operation}/{kind.lower()}/{{}}", answer.status)
        assert known
        assert [missing_keys(each, answer.json()) for each in known] == [[]] * len(known)
    for kind in ("registrationAssignments", "registrationDefinitions"):
        answer = bench.hands.act("DELETE", f"{place}/{kind}/{guid}")
        known = recorded(
            samples, "managed-services", f"DELETE {operation}/{kind.lower()}/{{}}", answer.status
        )
        assert known
        assert (answer.body, set(map(str, known))) == (b"", {"None"})


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
    assert _differences(samples, "diagnostic-settings-categories", whole, listed) == []


def test_providers_look_like_recorded_ones(bench: Bench, samples: Path) -> None:
    path = f"/subscriptions/{bench.subscription}/providers/Microsoft.Network"
    answer = bench.ask("GET", path, "2025-04-01").json()
    operation = "GET /subscriptions/{}/providers/microsoft.network"
    different = _differences(samples, "provider-registration", operation, answer)
    # What each type can do there is no business of ours.
    known = "/resourceTypes/0/"
    assert [key for key in different if not key.startswith(known) and key != "/authorization"] == []


def test_keys_made_anew_look_like_recorded_ones(bench: Bench, samples: Path) -> None:
    path = f"{bench.make_hub()}/regenerateKeys"
    answer = bench.ask("POST", path, "2026-01-01", {"keyType": "PrimaryKey"}).json()
    operation = f"POST {_EH}/{{}}/authorizationrules/{{}}/regeneratekeys"
    different = _differences(samples, "eventhub-authorization-rules", operation, answer)
    assert [key for key in different if "alias" not in key] == []


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
