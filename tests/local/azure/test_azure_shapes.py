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


def test_error_bodies_look_like_recorded_ones(bench: Bench, samples: Path) -> None:
    lines = (samples / "arm" / "errors.jsonl").read_text().splitlines()
    calls = [json.loads(line) for line in lines]
    by_status = {call["status"]: call for call in calls if isinstance(call["response_body"], dict)}
    missing = bench.call("GET", f"{_HOME}{_HUBS}")
    assert missing.json()["error"].keys() == by_status[404]["response_body"]["error"].keys()
    invalid = bench.call("GET", f"{_HOME}{_HUBS}", authorization="Bearer made-up")
    assert invalid.json() == by_status[401]["response_body"]
    assert invalid.headers["WWW-Authenticate"] == by_status[401]["response_headers"]["www-authenticate"]
