"""Log Analytics workspaces (2025-07-01); answers after recordings."""

import uuid
from email.utils import format_datetime

from local.azure.access import authorize_listing
from local.azure.http import Json, Response
from local.azure.resources import not_found, write
from local.azure.routes import Call, Route, page
from local.azure.world import Resource, World

_VERSIONS = (
    "2015-11-01-preview",
    "2020-03-01-preview",
    "2020-08-01",
    "2021-06-01",
    "2022-10-01",
    "2023-09-01",
    "2025-02-01",
    "2025-07-01",
)
TYPE = "Microsoft.OperationalInsights/workspaces"
BASE = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{TYPE}"


def describe(world: World, workspace: Resource) -> Json:
    """A workspace as Azure shows it."""
    written: Json = workspace.body.get("properties") or {}
    born = workspace.created_at or world.clock.now()
    stamp = format_datetime(born, usegmt=True)
    changed = format_datetime(workspace.changed_at or born, usegmt=True)
    sku = str((written.get("sku") or {}).get("name", "pergb2018")).lower()
    return {
        "properties": {
            "source": "Azure",
            "customerId": customer_id(workspace),
            "provisioningState": "Succeeded",
            "sku": {"name": sku, "maxCapacityReservationLevel": 3000, "lastSkuUpdate": stamp},
            "retentionInDays": written.get("retentionInDays", 30),
            "features": {
                "legacy": 0,
                "searchVersion": 1,
                "enableLogAccessUsingOnlyResourcePermissions": True,
            },
            "workspaceCapping": {
                "dailyQuotaGb": -1.0,
                "quotaNextResetTime": stamp,
                "dataIngestionStatus": "RespectQuota",
            },
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
            "createdDate": stamp,
            "modifiedDate": changed,
        },
        "id": workspace.resource_id.lower(),
        "name": workspace.name,
        "type": TYPE,
        "location": workspace.location,
        "tags": workspace.body.get("tags") or {},
    }


def customer_id(workspace: Resource) -> str:
    """The workspace's own GUID, which its rows carry as `TenantId`."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, workspace.resource_id.lower()))


def _list(call: Call) -> Response:
    subscription, group = call.path["subscription"], call.path.get("group", "").lower()
    place = call.request.path.partition("/providers/")[0]
    may_read = authorize_listing(call.world, call.principal, f"{TYPE}/read", place)
    found = [
        describe(call.world, resource)
        for resource in call.world.resources_of(subscription)
        if resource.resource_type.lower() == TYPE.lower()
        and group in ("", resource.group.lower())
        and may_read(TYPE, resource.group)
    ]
    return page(call, found, call.world.page_size)


def _get(call: Call) -> Response:
    found = call.world.resources.get(call.request.path.lower())
    if found is None:
        raise not_found(call.request.path)
    return Response.of(describe(call.world, found))


def _put(call: Call) -> Response:
    workspace, new = write(call.world, call.request.path, call.request.json())
    return Response.of(describe(call.world, workspace), 201 if new else 200)


def _delete(call: Call) -> Response:
    """Delete a workspace, and its export rules with it."""
    gone = call.world.remove_resource(call.request.path)
    call.world.exports.pop(call.request.path.lower(), None)
    return Response.of(None, 200 if gone else 204)


ROUTES = (
    Route("GET", f"/subscriptions/{{subscription}}/providers/{TYPE}", _VERSIONS, "", _list),
    Route("GET", BASE, _VERSIONS, "", _list),
    Route("GET", f"{BASE}/{{workspace}}", _VERSIONS, f"{TYPE}/read", _get),
    Route("PUT", f"{BASE}/{{workspace}}", _VERSIONS, f"{TYPE}/write", _put),
    Route("DELETE", f"{BASE}/{{workspace}}", _VERSIONS, f"{TYPE}/delete", _delete),
)
