"""Resources: the listings of a subscription or resource group, and one by its ID (2025-04-01).

IDs come back in changing case, as learn.microsoft.com/azure/azure-resource-manager/management
(resource name rules) warns. A resource can be written, moved between groups and deleted.
"""

import zlib
from dataclasses import replace
from typing import Any

from local.azure.access import authorize_listing
from local.azure.filters import read_filter
from local.azure.http import Json, Refusal, Response
from local.azure.resource_types import TYPES
from local.azure.routes import Call, Route, page
from local.azure.scopes import group_of, resource_type_of, subscription_of
from local.azure.world import Resource, World

_VERSIONS = (
    "2016-09-01",
    "2019-07-01",
    "2020-06-01",
    "2021-04-01",
    "2022-09-01",
    "2024-03-01",
    "2024-11-01",
    "2025-04-01",
)
_EXPANDABLE = {"createdtime": "createdTime", "changedtime": "changedTime", "provisioningstate": ""}
_KEPT = ("kind", "managedBy", "sku", "plan", "identity", "tags", "properties")
_MOST = 1000


def describe(resource: Resource, spelled: str = "") -> Json:
    """A resource as a listing shows it.

    Args:
        resource: what there is.
        spelled: its ID in today's case; empty takes that of the resource.
    """
    body = resource.body
    item: Json = {
        "id": spelled or resource.resource_id,
        "name": (spelled or resource.resource_id).rpartition("/")[2],
        "type": resource.resource_type,
        "location": resource.location,
    }
    for key in ("kind", "managedBy", "sku", "plan", "identity"):
        if body.get(key):
            item[key] = body[key]
    item["tags"] = body.get("tags") or {}
    return item


def location_of(text: object) -> str:
    """A region's short name: `West Europe` is `westeurope`."""
    return str(text or "").replace(" ", "").lower()


def not_found(resource_id: str) -> Refusal:
    """What Azure says of a resource that is not there."""
    path = resource_id.rpartition("/providers/")[2]
    group = resource_id.split("/")[4]
    return Refusal(
        404,
        "ResourceNotFound",
        f"The Resource '{path}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def spelling(resource_id: str, salt: int) -> str:
    """The ID as Azure spells it this time: group in upper case, segments in lower case, or as it is."""
    draw = zlib.crc32(resource_id.encode(), salt & 0xFFFFFFFF) % 8
    parts = resource_id.split("/")
    if draw == 0:
        parts[4] = parts[4].upper()
    elif draw == 1:
        parts[3] = "resourcegroups"
    elif draw == 2:  # noqa: PLR2004 - one in eight each
        parts[6] = parts[6].lower()
    return "/".join(parts)


def write(world: World, resource_id: str, body: Json) -> tuple[Resource, bool]:
    """Make or replace a resource; whether it is new.

    Raises:
        Refusal: no location is given, or another than the resource has.
    """
    before = world.resources.get(resource_id.lower())
    where = location_of(body.get("location")) or (before.location if before else "")
    if not where:
        raise Refusal(400, "LocationRequired", "The location property is required for this definition.")
    if before and where != before.location:
        raise Refusal(
            409,
            "InvalidResourceLocation",
            f"The resource '{before.name}' already exists in location '{before.location}' in resource group "
            f"'{before.group}'. A resource with the same name cannot be created in location '{where}'. "
            "Please select a new resource name.",
        )
    now = world.clock.now()
    known = TYPES.get(resource_type_of(resource_id))
    kept = {key: body[key] for key in _KEPT if key in body}
    if before:
        resource = replace(before, body={**before.body, **kept}, changed_at=now)
    else:
        kind = known.name if known else resource_type_of(resource_id)
        resource = Resource(resource_id, kind, where, kept, now, now)
    world.write_resource(resource)
    return resource, before is None


def _list(call: Call) -> Response:
    query = {name.lower(): value for name, value in call.request.query.items()}
    wanted, top = query.get("$filter", ""), query.get("$top")
    if top is not None and (not top.isdecimal() or not 1 <= int(top) <= _MOST or wanted):
        raise Refusal(400, "InvalidTopQueryParameter", f"The value '{top}' of '$top' is not valid here.")
    fits = read_filter(wanted)
    salt = zlib.crc32(call.request.headers.get("x-ms-client-request-id", "").encode())
    items = []
    place = call.request.path.rpartition("/")[0]
    may_read = authorize_listing(call.world, call.principal, _READ, place)
    past = call.world.unseen(0.0, stale=True) if call.stale else {}
    for resource in call.world.listed(call.path["subscription"], past):
        group = resource.group.lower()
        if call.path.get("group", group).lower() != group:
            continue
        if not may_read(resource.resource_type, group) or not fits(_row(resource, group)):
            continue
        item = describe(resource, spelling(resource.resource_id, salt))
        if "tagname" in wanted.lower():
            del item["tags"]
        items.append({**item, **_expanded(resource, query.get("$expand", ""))})
    size = min(int(top), call.world.page_size) if top else call.world.page_size
    return page(call, items, size)


def _row(resource: Resource, group: str) -> dict[str, Any]:
    return {
        "type": resource.resource_type,
        "location": resource.location,
        "name": resource.name,
        "resourcegroup": group,
        "tags": resource.body.get("tags"),
    }


def _expanded(resource: Resource, wanted: str) -> Json:
    more: Json = {}
    names = {name.strip().lower() for name in wanted.split(",")} & _EXPANDABLE.keys()
    for name, moment in (("createdtime", resource.created_at), ("changedtime", resource.changed_at)):
        if name in names:
            more[_EXPANDABLE[name]] = f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z" if moment else "2021-03-01T00:00:00Z"
    if "provisioningstate" in names:
        more["provisioningState"] = "Succeeded"
    return more


def _whole(resource: Resource) -> Json:
    properties = {"provisioningState": "Succeeded", **(resource.body.get("properties") or {})}
    return {**describe(resource), "properties": properties}


def _check_type(call: Call) -> str:
    """The ID that a path names, if it is of a type that is known here.

    Raises:
        Refusal: 501.
    """
    resource_id = call.path["resource"]
    if resource_type_of(resource_id) not in TYPES and resource_id.lower() not in call.world.resources:
        message = f"The simulated Azure does not know {call.request.method} {call.request.path}."
        raise Refusal(501, "NotImplemented", message)
    if (subscription_of(resource_id), group_of(resource_id)) not in call.world.groups:
        group = resource_id.split("/")[4]
        raise Refusal(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
    return resource_id


def _get(call: Call) -> Response:
    resource_id = _check_type(call)
    found = call.world.resources.get(resource_id.lower())
    if found is None:
        raise not_found(resource_id)
    return Response.of(_whole(found))


def _put(call: Call) -> Response:
    resource, new = write(call.world, _check_type(call), call.request.json())
    return Response.of(_whole(resource), 201 if new else 200)


def _delete(call: Call) -> Response:
    gone = call.world.remove_resource(_check_type(call))
    return Response.of(None, 200 if gone else 204)


def _move(call: Call) -> Response:
    """Move resources to another group or subscription: their IDs change, their regions do not."""
    body = call.request.json()
    target = str(body.get("targetResourceGroup") or "").rstrip("/")
    if (subscription_of(target), group_of(target)) not in call.world.groups:
        raise Refusal(404, "ResourceGroupNotFound", f"Resource group '{target}' could not be found.")
    found = [call.world.resources.get(str(each).lower()) for each in body.get("resources") or ()]
    for asked, resource in zip(body.get("resources") or (), found, strict=True):
        if resource is None:
            raise not_found(str(asked))
    for resource in found:
        if resource:
            call.world.remove_resource(resource.resource_id)
            tail = resource.resource_id.partition("/providers/")[2]
            call.world.write_resource(replace(resource, resource_id=f"{target}/providers/{tail}"))
    return Response.of(None, 204)


_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{group}}"
_READ = "Microsoft.Resources/subscriptions/resources/read"
_MOVE = "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action"

ROUTES = (
    Route("GET", f"{_SUBSCRIPTION}/resources", _VERSIONS, "", _list, 1),
    Route("GET", f"{_GROUP}/resources", _VERSIONS, "", _list, 1),
    Route("POST", f"{_GROUP}/moveResources", _VERSIONS, _MOVE, _move, 1, changes=True),
    Route("GET", "{+resource}", (), "{type}/read", _get),
    Route("PUT", "{+resource}", (), "{type}/write", _put),
    Route("DELETE", "{+resource}", (), "{type}/delete", _delete),
)
"""The last three fit any resource, so other modules' routes stand before them."""
