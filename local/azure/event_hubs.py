"""Event hubs with Capture (2026-01-01).

Limits: learn.microsoft.com/azure/event-hubs/event-hubs-quotas and event-hubs-capture-overview.
"""

from dataclasses import replace

from local.azure.http import Json, Response
from local.azure.namespaces import ACTION, BASE, VERSIONS, failure, parent_namespace, stamp
from local.azure.routes import Call, Route, page
from local.azure.scopes import subscription_of
from local.azure.world import Hub, Namespace

HUBS_PER_NAMESPACE = {"Basic": 10, "Standard": 10, "Premium": 100}
_PARTITIONS = {"Basic": 32, "Standard": 32, "Premium": 100}
_RETENTION_HOURS = {"Basic": 24, "Standard": 168, "Premium": 2160}
_TOKENS = ("Namespace", "EventHub", "PartitionId", "Year", "Month", "Day", "Hour", "Minute", "Second")
_INTERVAL = (60, 900)
_SIZE = (10_485_760, 524_288_000)


def describe(namespace: Namespace, hub: Hub) -> Json:
    """An event hub as Azure shows it."""
    properties: Json = {
        "messageRetentionInDays": max(1, hub.retention["retentionTimeInHours"] // 24),
        "partitionCount": hub.partitions,
        "status": "Active",
        "createdAt": stamp(hub.created_at),
        "updatedAt": stamp(hub.updated_at),
        "partitionIds": [str(number) for number in range(hub.partitions)],
        "retentionDescription": hub.retention,
    }
    if hub.capture:
        properties["captureDescription"] = hub.capture
    return {
        "id": f"/subscriptions/{namespace.subscription_id}/resourceGroups/{namespace.group}"
        f"/providers/Microsoft.EventHub/namespaces/{namespace.name}/eventhubs/{hub.name}",
        "name": hub.name,
        "type": "Microsoft.EventHub/namespaces/eventhubs",
        "location": namespace.location,
        "properties": properties,
    }


def _put(call: Call) -> Response:
    namespace = parent_namespace(call, "eventhubs")
    key = (namespace.name.lower(), call.path["hub"].lower())
    properties: Json = call.request.json().get("properties") or {}
    existing = call.world.hubs.get(key)
    tier = str((namespace.body.get("sku") or {}).get("name", "Standard"))
    if existing is None:
        _check_room(call, namespace, tier)
    partitions = _partitions(call, properties, existing, tier)
    retention = _retention(call, properties, existing, tier)
    capture = properties.get("captureDescription") or (existing.capture if existing else None)
    if capture:
        _check_capture(call, namespace, tier, capture)
    now = call.world.clock.now()
    if existing:
        hub = replace(existing, partitions=partitions, retention=retention, capture=capture, updated_at=now)
    else:
        hub = Hub(call.path["hub"], partitions, retention, capture, now, now)
    call.world.hubs[key] = hub
    return Response.of(describe(namespace, hub))


def found_hub(call: Call) -> tuple[Namespace, Hub]:
    """The event hub that a path names, and its namespace.

    Raises:
        Refusal: one of them does not exist, or the namespace is not active yet.
    """
    namespace = parent_namespace(call, "eventhubs")
    hub = call.world.hub(namespace.name, call.path["hub"])
    if hub is None:
        raise failure(call, 404, "NotFound", f"The requested resource {call.path['hub']} does not exist.")
    return namespace, hub


def _get(call: Call) -> Response:
    return Response.of(describe(*found_hub(call)))


def _delete(call: Call) -> Response:
    namespace = parent_namespace(call, "eventhubs")
    gone = call.world.remove_hub(namespace.name, call.path["hub"])
    return Response.of(None, 200 if gone else 204)


def _list(call: Call) -> Response:
    namespace = parent_namespace(call, "eventhubs")
    query = call.request.query
    skip, top = (int(query.get(name, default)) for name, default in (("$skip", "0"), ("$top", "1000")))
    hubs = call.world.hubs_of(namespace.name)[skip:]
    return page(call, [describe(namespace, hub) for hub in hubs], min(top, call.world.page_size))


def _check_room(call: Call, namespace: Namespace, tier: str) -> None:
    most = HUBS_PER_NAMESPACE.get(tier, HUBS_PER_NAMESPACE["Standard"])
    if len(call.world.hubs_of(namespace.name)) >= most:
        raise failure(
            call,
            403,
            "Forbidden",
            f"SubCode=40300. The maximum number of EventHubs ({most}) for the namespace '{namespace.name}' "
            "has been reached.",
        )


def _partitions(call: Call, properties: Json, existing: Hub | None, tier: str) -> int:
    count = properties.get("partitionCount", existing.partitions if existing else 4)
    if not isinstance(count, int) or not 1 <= count <= _PARTITIONS.get(tier, 32):
        raise _wrong(call, f"The value '{count}' is out of range for PartitionCount.")
    if existing and count != existing.partitions and tier in ("Basic", "Standard"):
        raise _wrong(call, "PartitionCount can't be changed for an event hub.")
    return count


def _retention(call: Call, properties: Json, existing: Hub | None, tier: str) -> Json:
    default: Json = {"cleanupPolicy": "Delete", "retentionTimeInHours": 168 if tier != "Basic" else 24}
    named = properties.get("retentionDescription")
    if named is None and "messageRetentionInDays" in properties:
        named = {"retentionTimeInHours": properties["messageRetentionInDays"] * 24}
    retention: Json = {**(existing.retention if existing else default), **(named or {})}
    hours, most = retention["retentionTimeInHours"], _RETENTION_HOURS.get(tier, 168)
    if not isinstance(hours, int) or not 1 <= hours <= most:
        raise _wrong(call, f"The value '{hours}' for RetentionTimeInHours isn't valid for the {tier} tier.")
    return retention


def _check_capture(call: Call, namespace: Namespace, tier: str, capture: Json) -> None:
    if not capture.get("enabled"):
        return
    if tier == "Basic":
        raise _wrong(call, "Capture is not supported in the Basic tier.")
    if capture.get("encoding") not in ("Avro", "AvroDeflate"):
        raise _wrong(call, f"The encoding '{capture.get('encoding')}' is not supported for Capture.")
    for name, (least, most), default in (
        ("intervalInSeconds", _INTERVAL, 300),
        ("sizeLimitInBytes", _SIZE, 314_572_800),
    ):
        value = capture.get(name, default)
        if not isinstance(value, int) or not least <= value <= most:
            raise _wrong(call, f"The value '{value}' for {name} must be between {least} and {most}.")
    destination = capture.get("destination") or {}
    if destination.get("name") != "EventHubArchive.AzureBlockBlob":
        raise _wrong(call, f"The capture destination '{destination.get('name')}' is not supported.")
    _check_destination(call, namespace, destination)


def _check_destination(call: Call, namespace: Namespace, destination: Json) -> None:
    properties = destination.get("properties") or {}
    pattern = str(properties.get("archiveNameFormat") or "")
    missing = [token for token in _TOKENS if f"{{{token}}}" not in pattern]
    if missing:
        raise _wrong(call, f"The archiveNameFormat must contain {{{'}, {'.join(missing)}}}.")
    if not properties.get("blobContainer"):
        raise _wrong(call, "The capture destination names no blobContainer.")
    account = str(properties.get("storageAccountResourceId") or "")
    identity = destination.get("identity") or {}
    wanted = str(identity.get("userAssignedIdentity") or "")
    named = (namespace.body.get("identity") or {}).get("userAssignedIdentities") or {}
    same = subscription_of(account) == namespace.subscription_id.lower()
    linked = "SubCode=40000. Generic: Linked access check failed for capture storage destination"
    if account.lower() not in call.world.storage_accounts or (not same and not identity):
        raise _wrong(call, f"{linked} {account}.", coded=False)
    if identity.get("type") == "UserAssigned" and wanted.lower() not in {i.lower() for i in named}:
        raise _wrong(call, f"The identity '{wanted}' is not assigned to the namespace '{namespace.name}'.")


def _wrong(call: Call, message: str, *, coded: bool = True) -> Exception:
    return failure(call, 400, "BadRequest", f"SubCode=40000. {message}" if coded else message)


_HUBS = f"{BASE}/{{namespace}}/eventhubs"

ROUTES = (
    Route("PUT", f"{_HUBS}/{{hub}}", VERSIONS, f"{ACTION}/eventhubs/write", _put),
    Route("GET", f"{_HUBS}/{{hub}}", VERSIONS, f"{ACTION}/eventhubs/read", _get),
    Route("DELETE", f"{_HUBS}/{{hub}}", VERSIONS, f"{ACTION}/eventhubs/delete", _delete),
    Route("GET", _HUBS, VERSIONS, f"{ACTION}/eventhubs/read", _list, 1),
)
