"""Consumer groups of event hubs (2026-01-01): `$Default` is always there, more can be made.

Limits: learn.microsoft.com/azure/event-hubs/event-hubs-quotas.
"""

from dataclasses import replace

from local.azure.event_hubs import found_hub
from local.azure.http import Json, Response
from local.azure.namespaces import ACTION, BASE, VERSIONS, failure, stamp
from local.azure.routes import Call, Route, page
from local.azure.world import ConsumerGroup, Hub, Namespace

DEFAULT = "$Default"
GROUPS_PER_HUB = {"Basic": 1, "Standard": 20, "Premium": 100}


def describe(namespace: Namespace, hub: Hub, group: ConsumerGroup) -> Json:
    """A consumer group as Azure shows it."""
    properties: Json = {"createdAt": stamp(group.created_at), "updatedAt": stamp(group.updated_at)}
    if group.metadata is not None:
        properties["userMetadata"] = group.metadata
    return {
        "id": f"/subscriptions/{namespace.subscription_id}/resourceGroups/{namespace.group}"
        f"/providers/Microsoft.EventHub/namespaces/{namespace.name}/eventhubs/{hub.name}"
        f"/consumergroups/{group.name}",
        "name": group.name,
        "type": "Microsoft.EventHub/Namespaces/EventHubs/ConsumerGroups",
        "location": namespace.location,
        "properties": properties,
    }


def _put(call: Call) -> Response:
    namespace, hub = found_hub(call)
    name, now = call.path["name"], call.world.clock.now()
    metadata = (call.request.json().get("properties") or {}).get("userMetadata")
    known = _groups(call, namespace, hub)
    before = known.get(name.lower())
    tier = str((namespace.body.get("sku") or {}).get("name", "Standard"))
    most = GROUPS_PER_HUB.get(tier, GROUPS_PER_HUB["Standard"])
    if before is None and len(known) >= most:
        message = f"SubCode=40300. The maximum number of consumer groups ({most}) has been reached."
        raise failure(call, 403, "Forbidden", message)
    group = (
        replace(before, metadata=metadata, updated_at=now)
        if before
        else ConsumerGroup(name, metadata, now, now)
    )
    call.world.consumer_groups[namespace.name.lower(), hub.name.lower(), name.lower()] = group
    return Response.of(describe(namespace, hub, group))


def _get(call: Call) -> Response:
    namespace, hub = found_hub(call)
    group = _groups(call, namespace, hub).get(call.path["name"].lower())
    if group is None:
        raise failure(call, 404, "NotFound", f"The requested resource {call.path['name']} does not exist.")
    return Response.of(describe(namespace, hub, group))


def _delete(call: Call) -> Response:
    namespace, hub = found_hub(call)
    name = call.path["name"].lower()
    if name == DEFAULT.lower():
        raise failure(call, 400, "BadRequest", "SubCode=40000. The default consumer group can't be deleted.")
    key = (namespace.name.lower(), hub.name.lower(), name)
    gone = call.world.consumer_groups.pop(key, None)
    return Response.of(None, 200 if gone else 204)


def _list(call: Call) -> Response:
    namespace, hub = found_hub(call)
    items = [describe(namespace, hub, group) for group in _groups(call, namespace, hub).values()]
    return page(call, items, call.world.page_size)


def _groups(call: Call, namespace: Namespace, hub: Hub) -> dict[str, ConsumerGroup]:
    """By lower-cased name; the default one is as old as its hub."""
    begin = (namespace.name.lower(), hub.name.lower())
    default = ConsumerGroup(DEFAULT, None, hub.created_at, hub.created_at)
    made = {key[2]: each for key, each in call.world.consumer_groups.items() if key[:2] == begin}
    return {DEFAULT.lower(): default} | dict(sorted(made.items()))


_GROUPS = f"{BASE}/{{namespace}}/eventhubs/{{hub}}/consumergroups"
_ACTION = f"{ACTION}/eventhubs/consumergroups"

ROUTES = (
    Route("PUT", f"{_GROUPS}/{{name}}", VERSIONS, f"{_ACTION}/write", _put),
    Route("GET", f"{_GROUPS}/{{name}}", VERSIONS, f"{_ACTION}/read", _get),
    Route("DELETE", f"{_GROUPS}/{{name}}", VERSIONS, f"{_ACTION}/delete", _delete),
    Route("GET", _GROUPS, VERSIONS, f"{_ACTION}/read", _list, 1),
)
