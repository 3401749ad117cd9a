"""Security automations: the role they need, their secret, what is checked."""

from typing import Any

import pytest

from local.azure.http import Response
from local.azure.plays import play
from tests.local.azure.azure_bench import Bench

_VERSIONS = ("2019-01-01-preview", "2023-12-01-preview")
_VERSION = _VERSIONS[-1]


def _path(bench: Bench) -> str:
    place = f"/subscriptions/{bench.subscription}/resourceGroups/LightkeeperAutomation"
    return f"{place}/providers/Microsoft.Security/automations/LightkeeperDefenderForCloudExport"


def _ready(bench: Bench, *roles: str) -> tuple[str, dict[str, Any]]:
    """A hub, the resource group, roles; gives back the automation's path and a body for it."""
    rule = bench.make_hub()
    bench.hands.add_group(bench.subscription, "LightkeeperAutomation", "westeurope")
    bench.set_roles(*(roles or ("Reader", "Log Analytics Contributor", "Security Admin")))
    namespace = rule.partition("/authorizationRules")[0]
    keys = bench.ask("POST", f"{rule}/listKeys", "2026-01-01").json()
    body = {
        "location": "westeurope",
        "properties": {
            "isEnabled": True,
            "scopes": [{"scopePath": f"/subscriptions/{bench.subscription}"}],
            "sources": [{"eventSource": "Alerts"}],
            "actions": [
                {
                    "actionType": "EventHub",
                    "eventHubResourceId": f"{namespace}/eventhubs/contoso",
                    "connectionString": keys["primaryConnectionString"],
                }
            ],
        },
    }
    return _path(bench), body


def _error(answer: Response) -> tuple[int, str]:
    return answer.status, answer.json()["error"]["code"]


@pytest.mark.parametrize("version", _VERSIONS)
def test_an_automation_is_written_read_listed_changed_and_deleted(bench: Bench, version: str) -> None:
    path, body = _ready(bench)
    made = bench.ask("PUT", path, version, body)
    assert (made.status, made.json()["location"]) == (201, "westeurope")
    assert bench.ask("PUT", path, version, body).status == 200
    read = bench.ask("GET", path.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), version).json()
    assert read["id"] == path
    place = f"/subscriptions/{bench.subscription}"
    for listing in (path.rpartition("/")[0], f"{place}/providers/Microsoft.Security/automations"):
        assert [one["id"] for one in bench.ask("GET", listing, version).json()["value"]] == [path]
    patched = bench.ask("PATCH", path, version, {"properties": {"isEnabled": False}}).json()
    assert patched["properties"]["isEnabled"] is False
    assert patched["properties"]["sources"] == [{"eventSource": "Alerts"}]
    assert patched["etag"] != read["etag"]
    assert bench.ask("DELETE", path, version).status == 204
    assert _error(bench.ask("GET", path, version)) == (404, "ResourceNotFound")
    assert bench.ask("DELETE", path, version).status == 204


def test_the_connection_string_is_never_shown_again(bench: Bench) -> None:
    path, body = _ready(bench)
    for answer in (bench.ask("PUT", path, _VERSION, body), bench.ask("GET", path, _VERSION)):
        [action] = answer.json()["properties"]["actions"]
        assert "connectionString" not in action
        assert action["sasPolicyName"] == "RootManageSharedAccessKey"
        assert b"SharedAccessKey=" not in answer.body


def test_the_default_roles_may_not_write_one_and_may_not_make_its_group(bench: Bench) -> None:
    path, body = _ready(bench, "Reader", "Log Analytics Contributor")
    refused = bench.ask("PUT", path, _VERSION, body)
    assert _error(refused) == (403, "AuthorizationFailed")
    assert "Microsoft.Security/automations/write" in refused.json()["error"]["message"]
    place = f"/subscriptions/{bench.subscription}/resourceGroups/another"
    assert _error(bench.ask("PUT", place, "2025-04-01", {"location": "westeurope"}))[0] == 403


def test_a_role_over_the_group_alone_is_enough(bench: Bench) -> None:
    path, body = _ready(bench)
    bench.set_roles("Security Admin", group="LightkeeperAutomation")
    assert bench.ask("PUT", path, _VERSION, body).status == 201
    listing = f"/subscriptions/{bench.subscription}/providers/Microsoft.Security/automations"
    assert len(bench.ask("GET", listing, _VERSION).json()["value"]) == 1


def test_its_resource_group_must_be_there(bench: Bench) -> None:
    path, body = _ready(bench)
    missing = path.replace("LightkeeperAutomation/", "nowhere/")
    assert _error(bench.ask("PUT", missing, _VERSION, body)) == (404, "ResourceGroupNotFound")


def test_the_security_provider_must_be_registered(bench: Bench) -> None:
    path, body = _ready(bench)
    bench.hands.set_provider(bench.subscription, "Microsoft.Security", registered=False)
    assert _error(bench.ask("PUT", path, _VERSION, body)) == (409, "MissingSubscriptionRegistration")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scopes": []}, "needs scopes"),
        ({"scopes": [{"scopePath": "/subscriptions/x"}]}, "is not in the automation's subscription"),
        ({"sources": [{"eventSource": "Gossip"}]}, "event source 'Gossip'"),
        ({"actions": [{"actionType": "Pigeon"}]}, "action type 'Pigeon'"),
        ({"actions": [{"actionType": "EventHub", "eventHubResourceId": "/nowhere"}]}, "was not found"),
    ],
)
def test_what_is_wrong_is_said_by_put_and_validate(bench: Bench, changes: dict[str, Any], words: str) -> None:
    path, body = _ready(bench)
    assert bench.ask("POST", f"{path}/validate", _VERSION, body).json()["isValid"] is True
    body["properties"] |= changes
    refused = bench.ask("PUT", path, _VERSION, body)
    assert refused.status == 400
    assert words in refused.json()["error"]["message"]
    assert bench.ask("POST", f"{path}/validate", _VERSION, body).json()["isValid"] is False


def test_a_hub_needs_a_connection_string_unless_the_service_is_trusted(bench: Bench) -> None:
    path, body = _ready(bench)
    [action] = body["properties"]["actions"]
    del action["connectionString"]
    assert bench.ask("PUT", path, _VERSION, body).status == 400
    action["isTrustedServiceEnabled"] = True
    assert bench.ask("PUT", path, _VERSION, body).status == 201


def test_an_automation_lies_where_its_group_lies(bench: Bench) -> None:
    path, body = _ready(bench)
    assert bench.ask("PUT", path, _VERSION, {**body, "location": "eastus"}).status == 400
    del body["location"]
    assert _error(bench.ask("PUT", path, _VERSION, body)) == (400, "LocationRequired")


async def test_alerts_flow_while_the_automation_the_hub_and_the_key_are_right(bench: Bench) -> None:
    path, body = _ready(bench)
    [nothing] = await play(bench.azure, "defender_alert", bench.subscription)
    assert (nothing.entries[0]["ProductName"], nothing.delivered) == ("Microsoft Defender for Cloud", 0)
    bench.ask("PUT", path, _VERSION, body)
    [played] = await play(bench.azure, "defender_alert", bench.subscription)
    assert played.delivered == 1
    assert played.entries[0] in bench.waiting()
    rule = body["properties"]["actions"][0]["eventHubResourceId"].partition("/eventhubs")[0]
    keys = f"{rule}/authorizationRules/RootManageSharedAccessKey/regenerateKeys"
    assert bench.ask("POST", keys, "2026-01-01", {"keyType": "PrimaryKey"}).ok
    assert [one.delivered for one in await play(bench.azure, "defender_alert", bench.subscription)] == [0]


@pytest.mark.parametrize(("severities", "count"), [(("high", "medium", "low"), 12), ((), 0)])
async def test_rule_sets_choose_alerts(bench: Bench, severities: tuple[str, ...], count: int) -> None:
    path, body = _ready(bench)
    rule = {"propertyJPath": "Severity", "propertyType": "String", "operator": "Equals"}
    sets = [{"rules": [{**rule, "expectedValue": each}]} for each in severities or ("catastrophic",)]
    body["properties"]["sources"] = [{"eventSource": "Alerts", "ruleSets": sets}]
    bench.ask("PUT", path, _VERSION, body)
    played = await play(bench.azure, "defender_alert", bench.subscription, count=12)
    assert sum(one.delivered for one in played) == count
