"""What the official worker library makes of the app, compared with what is meant."""

import json
import os
import re
from collections.abc import Iterable
from typing import Any

import pytest
from croniter import croniter

from local.azurite import ROOT
from local.host.functions import FunctionDescription
from local.host.worker import index
from shared.jobs.files import FILE_QUEUE
from shared.jobs.poison import MAX_DEQUEUE_COUNT
from shared.model.jobs import Step
from shared.settings import SCHEDULES, STORAGE_CONNECTION

CONNECTION = "LightkeeperStorage"

# Only these come from outside; everything else of the environment is kept from the app.
_KEPT = ("PATH", "HOME", "LANG")


def http(method: str, route: str, level: str = "FUNCTION") -> list[dict[str, Any]]:
    return [
        {
            "type": "httpTrigger",
            "direction": "IN",
            "name": "req",
            "methods": [method],
            "authLevel": level,
            "route": route,
        },
        {"type": "http", "direction": "OUT", "name": "$return"},
    ]


def timer(setting: str) -> list[dict[str, Any]]:
    return [{"type": "timerTrigger", "direction": "IN", "name": "timer", "schedule": f"%{setting}%"}]


def queue(name: str) -> list[dict[str, Any]]:
    return [
        {
            "type": "queueTrigger",
            "direction": "IN",
            "name": "message",
            "queueName": name,
            "connection": CONNECTION,
        }
    ]


WANTED = {
    "integrations_register": http("POST", "integrations"),
    "integrations_list": http("GET", "integrations"),
    "integrations_get": http("GET", "integrations/{id}"),
    "integrations_subscriptions": http("GET", "integrations/{id}/subscriptions"),
    "integrations_resources": http("GET", "integrations/{id}/resources"),
    "integrations_onboarding": http("GET", "integrations/{id}/onboarding"),
    "onboarding_bicep": http("GET", "integrations/{id}/onboarding.bicep", "ANONYMOUS"),
    "subscription_bicep": http("GET", "integrations/{id}/subscription.bicep", "ANONYMOUS"),
    "remove_sh": http("GET", "integrations/{id}/remove.sh", "ANONYMOUS"),
    "integrations_sync": http("POST", "integrations/{id}/sync"),
    "integrations_offboard": http("DELETE", "integrations/{id}"),
    "integrations_offboarding": http("GET", "integrations/{id}/offboarding"),
    "event_hubs_mapping": http("GET", "event-hubs/mapping"),
    "event_hubs_mapping_versions": http("GET", "event-hubs/mapping/versions"),
    "health_get": http("GET", "health"),
    "poison_replay": http("POST", "poison/{queue}/{messageId}/replay"),
    "poison_discard": http("DELETE", "poison/{queue}/{messageId}"),
    "poison_timer": timer("LIGHTKEEPER_POISON_SCHEDULE"),
    "subscriptions_timer": timer("LIGHTKEEPER_SUBSCRIPTIONS_SCHEDULE"),
    "subscriptions_job": queue("sync-subscriptions"),
    "subscription_settings_timer": timer("LIGHTKEEPER_SUBSCRIPTION_SETTINGS_SCHEDULE"),
    "subscription_settings_job": queue("sync-subscription-settings"),
    "resources_timer": timer("LIGHTKEEPER_RESOURCES_SCHEDULE"),
    "resources_job": queue("sync-resources"),
    "resource_settings_timer": timer("LIGHTKEEPER_RESOURCE_SETTINGS_SCHEDULE"),
    "resource_settings_job": queue("sync-resource-settings"),
    "workspace_exports_timer": timer("LIGHTKEEPER_WORKSPACE_EXPORTS_SCHEDULE"),
    "workspace_exports_job": queue("sync-workspace-exports"),
    "event_hubs_timer": timer("LIGHTKEEPER_EVENT_HUBS_SCHEDULE"),
    "event_hubs_job": queue("sync-event-hubs"),
    "alert_exports_timer": timer("LIGHTKEEPER_ALERT_EXPORTS_SCHEDULE"),
    "alert_exports_job": queue("sync-alert-exports"),
    "offboarding_timer": timer("LIGHTKEEPER_OFFBOARDING_SCHEDULE"),
    "offboarding_job": queue("sync-offboarding"),
    "capture_created": [{"type": "eventGridTrigger", "direction": "IN", "name": "event"}],
    "operations_flush": timer("LIGHTKEEPER_FLUSH_SCHEDULE"),
    "capture_files_job": queue("capture-files"),
    "capture_sweep_timer": timer("LIGHTKEEPER_CAPTURE_SWEEP_SCHEDULE"),
    "audit_timer": timer("LIGHTKEEPER_AUDIT_SCHEDULE"),
    "set_aside_list": http("GET", "set-aside"),
    "set_aside_replay": http("POST", "set-aside/{id}/replay"),
    "set_aside_discard": http("DELETE", "set-aside/{id}"),
}


@pytest.fixture(scope="module")
def functions() -> list[FunctionDescription]:
    """The app as the library sees it, imported with none of the app's settings set."""
    return index(ROOT, {name: os.environ[name] for name in _KEPT if name in os.environ})


@pytest.fixture(scope="module")
def host_settings() -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    return settings


@pytest.fixture(scope="module")
def sample_values() -> dict[str, str]:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))
    values: dict[str, str] = sample["Values"]
    return values


def triggers(functions: Iterable[FunctionDescription], kind: str) -> list[FunctionDescription]:
    return [function for function in functions if function.trigger_type == kind]


def test_the_app_has_these_functions_with_these_bindings(functions: list[FunctionDescription]) -> None:
    found = {function.name: [dict(binding) for binding in function.bindings] for function in functions}
    assert found == WANTED


def test_no_function_name_is_used_twice(functions: list[FunctionDescription]) -> None:
    names = [function.name.lower() for function in functions]
    assert len(names) == len(set(names))


def test_retries_are_left_to_queues_and_event_grid(functions: list[FunctionDescription]) -> None:
    assert not [function.name for function in functions if function.retries]


def test_every_queue_that_jobs_are_sent_to_has_one_trigger(functions: list[FunctionDescription]) -> None:
    listened_to = [function.trigger["queueName"] for function in triggers(functions, "queueTrigger")]
    assert sorted(listened_to) == sorted([FILE_QUEUE, *(step.queue for step in Step)])


def test_every_step_has_a_timer(functions: list[FunctionDescription]) -> None:
    names = {function.name for function in triggers(functions, "timerTrigger")}
    assert names >= {f"{step.value.replace('-', '_')}_timer" for step in Step}


def test_queues_are_reached_through_the_connection_that_the_app_itself_uses(
    functions: list[FunctionDescription],
) -> None:
    connections = {function.trigger["connection"] for function in triggers(functions, "queueTrigger")}
    assert connections == {STORAGE_CONNECTION} == {CONNECTION}


def test_every_setting_that_a_binding_names_is_in_the_sample_and_documented(
    functions: list[FunctionDescription], sample_values: dict[str, str]
) -> None:
    named = set(re.findall("%([^%]+)%", json.dumps([list(map(dict, each.bindings)) for each in functions])))
    assert named <= sample_values.keys()
    assert named == set(SCHEDULES)


def test_every_schedule_of_the_sample_has_six_fields_that_can_be_read(
    sample_values: dict[str, str],
) -> None:
    for name in SCHEDULES:
        assert len(sample_values[name].split()) == 6, name
        assert croniter.is_valid(sample_values[name], second_at_beginning=True), name


def test_the_api_needs_a_key_but_for_what_a_signed_link_opens(functions: list[FunctionDescription]) -> None:
    levels = {function.name: function.auth_level for function in triggers(functions, "httpTrigger")}
    assert len(levels) == 20
    open_to_all = {name for name, level in levels.items() if level == "anonymous"}
    assert open_to_all == {"onboarding_bicep", "subscription_bicep", "remove_sh"}
    assert set(levels.values()) == {"function", "anonymous"}


def test_every_route_stands_under_a_known_name_and_serves_one_method(
    functions: list[FunctionDescription],
) -> None:
    served = [(function.route, function.methods) for function in triggers(functions, "httpTrigger")]
    roots = {str(route).split("/")[0] for route, _ in served}
    assert roots == {"integrations", "event-hubs", "health", "poison", "set-aside"}
    assert all(len(methods) == 1 for _, methods in served)
    assert len(served) == len(set(served))


def test_queue_messages_are_encoded_as_the_app_sends_them(host_settings: dict[str, Any]) -> None:
    assert host_settings["extensions"]["queues"]["messageEncoding"] == "base64"


def test_a_message_that_fails_comes_again_a_few_times_and_not_at_once(
    host_settings: dict[str, Any],
) -> None:
    queues = host_settings["extensions"]["queues"]
    assert queues["maxDequeueCount"] == 5 == MAX_DEQUEUE_COUNT
    assert queues["visibilityTimeout"] == "00:00:10"


def test_functions_may_run_ten_minutes_and_use_the_bundle_of_extensions(
    host_settings: dict[str, Any],
) -> None:
    assert host_settings["version"] == "2.0"
    assert host_settings["functionTimeout"] == "00:10:00"
    assert host_settings["extensionBundle"] == {
        "id": "Microsoft.Azure.Functions.ExtensionBundle",
        "version": "[4.*, 5.0.0)",
    }


def test_routes_have_the_usual_prefix(host_settings: dict[str, Any]) -> None:
    assert "routePrefix" not in host_settings.get("extensions", {}).get("http", {})
