"""Event Hubs in REST JSON and back: what we own comes through, what Azure adds does not matter."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.arm.event_hubs import (
    ARCHIVE_NAME_FORMAT,
    hub_body,
    hub_from_body,
    namespace_body,
    namespace_from_body,
    rule_id,
)
from shared.model.hubs import CaptureSettings, HubShape, NamespaceShape
from tests.helpers.facts import GROUP, IDENTITY_ID, PROVIDER_SUBSCRIPTION, STORAGE_ID

_CAPTURE = CaptureSettings(60, 104_857_600, STORAGE_ID, "capture", IDENTITY_ID)
_HUB = HubShape(4, 168, _CAPTURE)
_NAMESPACE = NamespaceShape("westeurope", "Standard", frozenset({IDENTITY_ID}))

_captures = st.builds(
    CaptureSettings,
    interval_seconds=st.integers(60, 900),
    size_limit_bytes=st.integers(10_485_760, 524_288_000),
    storage_account_id=st.just(STORAGE_ID),
    container=st.from_regex(r"[a-z]{3,10}", fullmatch=True),
    identity_id=st.just(IDENTITY_ID),
)
_hubs = st.builds(
    HubShape,
    partitions=st.integers(1, 1024),
    retention_hours=st.integers(1, 2160),
    capture=_captures | st.none(),
)


@given(_hubs)
def test_a_hub_comes_back_as_it_was_written(shape: HubShape) -> None:
    assert hub_from_body(hub_body(shape)) == shape


def test_the_path_of_capture_files_holds_all_the_tokens_that_azure_demands() -> None:
    tokens = ["Namespace", "EventHub", "PartitionId", "Year", "Month", "Day", "Hour", "Minute", "Second"]
    expected = "/".join(f"{{{token}}}" for token in tokens)
    assert expected == ARCHIVE_NAME_FORMAT


def test_what_azure_adds_to_a_hub_is_no_change() -> None:
    body = hub_body(_HUB)
    body |= {
        "id": "/x",
        "name": "Contoso",
        "type": "Microsoft.EventHub/namespaces/eventhubs",
        "location": "West Europe",
    }
    body["properties"] |= {
        "status": "Active",
        "messageRetentionInDays": 7,
        "partitionIds": ["0", "1", "2", "3"],
        "createdAt": "2026-11-21T12:00:00.000Z",
    }
    body["properties"]["captureDescription"]["destination"]["properties"]["dataLakeAccountName"] = None
    assert hub_from_body(body) == _HUB


def test_the_casing_of_ids_in_a_hub_is_no_change() -> None:
    body = hub_body(_HUB)
    destination = body["properties"]["captureDescription"]["destination"]
    destination["properties"]["storageAccountResourceId"] = STORAGE_ID.upper()
    destination["identity"]["userAssignedIdentity"] = IDENTITY_ID.replace("resourcegroups", "resourceGroups")
    assert hub_from_body(body) == _HUB


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"enabled": False}, id="off"),
        pytest.param({"encoding": "AvroDeflate"}, id="another encoding"),
        pytest.param({"skipEmptyArchives": False}, id="empty files"),
        pytest.param({"destination": None}, id="no destination"),
        pytest.param({"destination": {"name": "EventHubArchive.AzureDataLake"}}, id="a data lake"),
    ],
)
def test_capture_that_is_not_as_we_read_it_is_no_capture(change: dict[str, Any]) -> None:
    body = hub_body(_HUB)
    body["properties"]["captureDescription"] |= change
    assert hub_from_body(body).capture is None


def test_another_path_for_capture_files_is_no_capture() -> None:
    body = hub_body(_HUB)
    target = body["properties"]["captureDescription"]["destination"]["properties"]
    target["archiveNameFormat"] = "/".join(reversed(ARCHIVE_NAME_FORMAT.split("/")))
    assert hub_from_body(body).capture is None


@pytest.mark.parametrize(
    "body", [{}, {"properties": None}, {"properties": {}}, {"properties": {"retentionDescription": None}}]
)
def test_a_hub_without_details_is_a_hub_that_is_not_as_wanted(body: dict[str, Any]) -> None:
    assert hub_from_body(body) == HubShape(0, 0, None)


def test_a_namespace_comes_back_as_it_was_written() -> None:
    assert namespace_from_body(namespace_body(_NAMESPACE)) == _NAMESPACE


def test_azures_spelling_of_a_namespace_is_no_change() -> None:
    body = namespace_body(_NAMESPACE)
    body["location"] = "West Europe"
    body["tags"] = {"cost": "1"}
    body["identity"] = {
        "type": "UserAssigned",
        "userAssignedIdentities": {IDENTITY_ID.upper(): {"principalId": "p", "clientId": "c"}},
    }
    body["properties"] |= {"provisioningState": "Succeeded", "status": "Active", "kafkaEnabled": True}
    assert namespace_from_body(body) == replace(_NAMESPACE, state="Succeeded")


def test_a_namespace_without_identity_has_none() -> None:
    assert namespace_from_body({"location": "eastus"}) == NamespaceShape("eastus", "", frozenset())


@pytest.mark.parametrize("allowed", [True, False])
def test_whether_a_namespace_takes_keys_is_said_and_seen(allowed: bool) -> None:
    shape = replace(_NAMESPACE, keys_allowed=allowed, units=3)
    body = namespace_body(shape)
    assert body["properties"]["disableLocalAuth"] is not allowed
    assert namespace_from_body(body) == shape


def test_the_rule_of_a_setting_is_one_of_the_namespace() -> None:
    assert rule_id(PROVIDER_SUBSCRIPTION, GROUP, "keeper-westeurope-1") == (
        f"/subscriptions/{PROVIDER_SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.EventHub"
        "/namespaces/keeper-westeurope-1/authorizationRules/diagnostics"
    )
