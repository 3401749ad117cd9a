"""Event Hubs in the provider's subscription: namespaces, their rule, event hubs; api-version 2026-01-01.

learn.microsoft.com/rest/api/eventhub
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.arm.connection import Arm
from shared.arm.errors import NotFoundError
from shared.arm.refusals import arm_errors
from shared.model.hubs import CaptureSettings, HubShape, NamespaceShape
from shared.model.ids import normal_region

ARCHIVE_NAME_FORMAT: Final = (
    "{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}"
)
"""Path of capture files; Azure wants all nine tokens (`archiveNameFormat`)."""

RULE_NAME: Final = "diagnostics"
"""Name of the namespace rule that diagnostic settings refer to."""

RULE_RIGHTS: Final = frozenset({"Listen", "Manage", "Send"})
"""Rights that Azure Monitor asks of that rule.

learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings names all three. That Send alone is
enough when the hub exists could not be confirmed, and Azure is known to demand Manage when it does not.
"""

_CAPTURE_TO_BLOB: Final = "EventHubArchive.AzureBlockBlob"
_ENCODING: Final = "Avro"
_MOST_THROUGHPUT_UNITS: Final = 20


async def get_namespace(arm: Arm, group: str, name: str) -> NamespaceShape | None:
    """The namespace, or None if there is none.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    try:
        with arm_errors():
            found = await arm.event_hubs.namespaces.get(group, name)
    except NotFoundError:
        return None
    return namespace_from_body(found.as_dict())


async def begin_namespace(arm: Arm, group: str, name: str, shape: NamespaceShape) -> None:
    """Ask Azure to make or change the namespace; come back to see whether it has.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    with arm_errors():
        await arm.event_hubs.namespaces.begin_create_or_update(
            group, name, namespace_body(shape), polling=False
        )


async def get_rule_rights(arm: Arm, group: str, namespace: str) -> frozenset[str]:
    """The rights of the rule for diagnostic settings; none if there is no such rule.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    try:
        with arm_errors():
            rule = await arm.event_hubs.namespaces.get_authorization_rule(group, namespace, RULE_NAME)
    except NotFoundError:
        return frozenset()
    properties = rule.as_dict().get("properties") or {}
    return frozenset(str(right) for right in properties.get("rights") or ())


async def put_rule(arm: Arm, group: str, namespace: str) -> None:
    """Make the rule for diagnostic settings.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    body: Any = {"properties": {"rights": sorted(RULE_RIGHTS)}}
    with arm_errors():
        await arm.event_hubs.namespaces.create_or_update_authorization_rule(group, namespace, RULE_NAME, body)


async def get_connection_string(arm: Arm, group: str, namespace: str) -> str:
    """A connection string of the rule for diagnostic settings: a secret, to be handed on and never kept.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    with arm_errors():
        keys = await arm.event_hubs.namespaces.list_keys(group, namespace, RULE_NAME)
    return keys.primary_connection_string or ""


async def delete_hub(arm: Arm, group: str, namespace: str, hub: str) -> None:
    """Delete an event hub and what it still holds; one that is not there is deleted already.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    try:
        with arm_errors():
            await arm.event_hubs.event_hubs.delete(group, namespace, hub)
    except NotFoundError:
        return


async def list_hubs(arm: Arm, group: str, namespace: str) -> dict[str, HubShape]:
    """All event hubs of a namespace by lower-cased name; complete, or it raises.

    Raises:
        ArmError: a page could not be had.
    """
    with arm_errors():
        return {
            (hub.name or "").lower(): hub_from_body(hub.as_dict())
            async for hub in arm.event_hubs.event_hubs.list_by_namespace(group, namespace)
        }


async def put_hub(arm: Arm, group: str, namespace: str, hub: str, shape: HubShape) -> None:
    """Create the event hub or replace its settings.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    body: Any = hub_body(shape)
    with arm_errors():
        await arm.event_hubs.event_hubs.create_or_update(group, namespace, hub, body)


def rule_id(subscription_id: str, group: str, namespace: str) -> str:
    """ID of the namespace's rule for diagnostic settings.

    Azure takes only rules of the namespace, never of a single hub.
    """
    return (
        f"/subscriptions/{subscription_id}/resourceGroups/{group}"
        f"/providers/Microsoft.EventHub/namespaces/{namespace}/authorizationRules/{RULE_NAME}"
    )


def namespace_body(shape: NamespaceShape) -> Any:  # noqa: ANN401 - the SDK takes REST JSON
    """REST body of a namespace."""
    return {
        "location": shape.region,
        "sku": {"name": shape.tier, "tier": shape.tier, "capacity": shape.units},
        "identity": {
            "type": "UserAssigned",
            "userAssignedIdentities": {identity: {} for identity in sorted(shape.identities)},
        },
        "properties": {
            "isAutoInflateEnabled": True,
            "maximumThroughputUnits": _MOST_THROUGHPUT_UNITS,
            "minimumTlsVersion": "1.2",
            "disableLocalAuth": not shape.keys_allowed,
        },
    }


def namespace_from_body(body: Mapping[str, Any]) -> NamespaceShape:
    """What we own of a namespace as Azure describes it."""
    identities = (body.get("identity") or {}).get("userAssignedIdentities") or {}
    properties = body.get("properties") or {}
    sku = body.get("sku") or {}
    return NamespaceShape(
        region=normal_region(str(body.get("location") or "")),
        tier=str(sku.get("tier") or ""),
        identities=frozenset(str(key).lower() for key in identities),
        state=str(properties.get("provisioningState") or ""),
        keys_allowed=properties.get("disableLocalAuth") is not True,
        units=int(sku.get("capacity") or 1),
    )


def hub_body(shape: HubShape) -> dict[str, Any]:
    """REST body of an event hub."""
    properties: dict[str, Any] = {
        "partitionCount": shape.partitions,
        "retentionDescription": {
            "cleanupPolicy": "Delete",
            "retentionTimeInHours": shape.retention_hours,
        },
    }
    if shape.capture is not None:
        capture = shape.capture
        properties["captureDescription"] = {
            "enabled": True,
            "encoding": _ENCODING,
            "intervalInSeconds": capture.interval_seconds,
            "sizeLimitInBytes": capture.size_limit_bytes,
            "skipEmptyArchives": True,
            "destination": {
                "name": _CAPTURE_TO_BLOB,
                "identity": {"type": "UserAssigned", "userAssignedIdentity": capture.identity_id},
                "properties": {
                    "storageAccountResourceId": capture.storage_account_id,
                    "blobContainer": capture.container,
                    "archiveNameFormat": ARCHIVE_NAME_FORMAT,
                },
            },
        }
    return {"properties": properties}


def hub_from_body(body: Mapping[str, Any]) -> HubShape:
    """What we own of an event hub as Azure describes it."""
    properties = body.get("properties") or {}
    retention = properties.get("retentionDescription") or {}
    return HubShape(
        partitions=int(properties.get("partitionCount") or 0),
        retention_hours=int(retention.get("retentionTimeInHours") or 0),
        capture=_capture_from_body(properties.get("captureDescription") or {}),
    )


def _capture_from_body(capture: Mapping[str, Any]) -> CaptureSettings | None:
    destination = capture.get("destination") or {}
    target = destination.get("properties") or {}
    as_wanted = (
        capture.get("enabled") is True
        and capture.get("encoding") == _ENCODING
        and capture.get("skipEmptyArchives") is True
        and destination.get("name") == _CAPTURE_TO_BLOB
        and target.get("archiveNameFormat") == ARCHIVE_NAME_FORMAT
    )
    if not as_wanted:
        return None
    return CaptureSettings(
        interval_seconds=int(capture.get("intervalInSeconds") or 0),
        size_limit_bytes=int(capture.get("sizeLimitInBytes") or 0),
        storage_account_id=str(target.get("storageAccountResourceId") or "").lower(),
        container=str(target.get("blobContainer") or ""),
        identity_id=str((destination.get("identity") or {}).get("userAssignedIdentity") or "").lower(),
    )
