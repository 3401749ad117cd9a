"""Event Hubs namespaces (2026-01-01): long operations, names unique in all of Azure.

Error texts: learn.microsoft.com/azure/event-hubs/resource-manager-exceptions and public bug reports.
"""

import re
import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from local.azure.http import Json, Refusal, Response
from local.azure.routes import Call, Route, page
from local.azure.world import Namespace, Rule, World

VERSIONS = ("2017-04-01", "2018-01-01-preview", "2021-11-01", "2024-01-01", "2026-01-01")
BASE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.EventHub/namespaces"
ACTION = "Microsoft.EventHub/namespaces"
MANAGE_ALL = "RootManageSharedAccessKey"
"""The rule with all rights that every namespace is born with."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9]")
_OPTIONAL = ("clusterArmId", "encryption", "alternateName")
_HELP = "For more information visit https://aka.ms/eventhubsarmexceptions."


def found_namespace(call: Call) -> Namespace:
    """The namespace that a path names.

    Raises:
        Refusal: there is none in this subscription and resource group.
    """
    name, group = call.path["namespace"], call.path["group"]
    namespace = call.world.namespace(name)
    if namespace is None or not _is_at(namespace, call):
        raise Refusal(
            404,
            "ResourceNotFound",
            f"The Resource 'Microsoft.EventHub/namespaces/{name}' under resource group '{group}' was not "
            "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        )
    return namespace


def parent_namespace(call: Call, child: str) -> Namespace:
    """The namespace in which a child is read or written.

    Raises:
        Refusal: it does not exist, or is not active yet.
    """
    namespace = call.world.namespace(call.path["namespace"])
    if namespace is None or not _is_at(namespace, call):
        parent = call.request.path.rsplit(f"/{child}", 1)[0]
        raise Refusal(
            404,
            "ParentResourceNotFound",
            f"Failed to perform '{call.request.method.lower()}' on resource(s) of type 'namespaces/{child}', "
            f"because the parent resource '{parent}' could not be found.",
        )
    if not call.world.ready(namespace):
        raise Refusal(
            404,
            "NotFound",
            f"The namespace {namespace.name} in subscription {namespace.subscription_id} is not active, its "
            f"current state is {_state(call.world, namespace)}. CorrelationId: {call.world.guid()}",
        )
    return namespace


def failure(call: Call, status: int, code: str, message: str) -> Refusal:
    """A refusal in the words of the Event Hubs resource provider, which end in a correlation ID."""
    return Refusal(status, code, f"{message} CorrelationId: {call.world.guid()}")


def stamp(moment: datetime) -> str:
    """A time as Event Hubs writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def describe(world: World, namespace: Namespace) -> Json:
    """A namespace as Azure shows it."""
    ready = world.ready(namespace)
    sku = namespace.body.get("sku") or {}
    properties = namespace.body.get("properties") or {}
    name = sku.get("name", "Standard")
    described: Json = {
        "sku": {"name": name, "tier": sku.get("tier", name), "capacity": sku.get("capacity", 1)},
        "id": f"/subscriptions/{namespace.subscription_id}/resourceGroups/{namespace.group}"
        f"/providers/Microsoft.EventHub/namespaces/{namespace.name}",
        "name": namespace.name,
        "type": "Microsoft.EventHub/Namespaces",
        "location": namespace.location,
        "tags": namespace.body.get("tags") or {},
        "properties": {
            "minimumTlsVersion": properties.get("minimumTlsVersion", "1.2"),
            "publicNetworkAccess": properties.get("publicNetworkAccess", "Enabled"),
            "disableLocalAuth": properties.get("disableLocalAuth", False),
            "zoneRedundant": properties.get("zoneRedundant", True),
            "privateEndpointConnections": [],
            "isAutoInflateEnabled": properties.get("isAutoInflateEnabled", False),
            "maximumThroughputUnits": properties.get("maximumThroughputUnits", 0),
            "kafkaEnabled": properties.get("kafkaEnabled", name != "Basic"),
            "provisioningState": _state(world, namespace),
            "metricId": f"{namespace.subscription_id}:{namespace.name}",
            "createdAt": stamp(namespace.created_at),
            "updatedAt": stamp(namespace.updated_at),
            "serviceBusEndpoint": f"https://{namespace.name}.servicebus.windows.net:443/",
            "status": "Removing" if namespace.gone_at else "Active" if ready else "Activating",
        },
    }
    described["properties"] |= {key: properties[key] for key in _OPTIONAL if key in properties}
    identity = namespace.body.get("identity")
    if identity:
        described["identity"] = {**identity, **_own_identity(world, namespace, str(identity.get("type")))}
    return described


def _own_identity(world: World, namespace: Namespace, kind: str) -> Json:
    """The identity that Azure makes for the namespace itself, if it is asked to."""
    if "SystemAssigned" not in kind:
        return {}
    principal = uuid.uuid5(uuid.NAMESPACE_URL, f"{namespace.subscription_id}/{namespace.name}".lower())
    return {"principalId": str(principal), "tenantId": world.provider_tenant}


def _put(call: Call) -> Response:
    name, body = call.path["namespace"], call.request.json()
    existing = call.world.namespace(name)
    if existing and _is_at(existing, call):
        _check_settled(call, existing)
        return Response.of(describe(call.world, _update(call, existing, body)))
    location = str(body.get("location") or "").replace(" ", "").lower()
    if not location:
        raise Refusal(400, "LocationRequired", "The location property is required for this definition.")
    if not available(call.world, name):
        raise failure(call, 400, "BadRequest", f"The specified name is not available. {_HELP}")
    _check_identities(call, body)
    now = call.world.clock.now()
    ready_at = now + timedelta(seconds=call.world.namespace_seconds)
    namespace = Namespace(
        name, call.path["subscription"], call.path["group"], location, body, now, now, ready_at
    )
    call.world.namespaces[name.lower()] = namespace
    rights = ("Listen", "Manage", "Send")
    call.world.rules[name.lower(), MANAGE_ALL.lower()] = new_rule(call.world, MANAGE_ALL, rights)
    # 200, although it is new and not ready yet: so it was recorded.
    return Response.of(describe(call.world, namespace))


def _patch(call: Call) -> Response:
    namespace = found_namespace(call)
    _check_settled(call, namespace)
    return Response.of(describe(call.world, _update(call, namespace, call.request.json())))


def _get(call: Call) -> Response:
    return Response.of(describe(call.world, found_namespace(call)))


def _delete(call: Call) -> Response:
    namespace = call.world.namespace(call.path["namespace"])
    if namespace is None or not _is_at(namespace, call):
        return Response.of(None, 204)
    _check_settled(call, namespace)
    gone_at = call.world.clock.now() + timedelta(seconds=call.world.namespace_seconds)
    call.world.namespaces[namespace.name.lower()] = replace(namespace, gone_at=gone_at)
    version = call.request.query["api-version"]
    path = f"{call.request.path}/operationresults/{namespace.name}?api-version={version}"
    return Response.of(None, 202, Location=f"{call.request.host_url}{path}")


def _operation_result(call: Call) -> Response:
    namespace = call.world.namespace(call.path["namespace"])
    if namespace and namespace.gone_at:
        return Response.of(None, 202, Location=call.request.url)
    return Response.of(None)


def _list(call: Call) -> Response:
    """Namespaces of a resource group, or of the whole subscription."""
    group = call.path.get("group", "").lower()
    found = [call.world.namespace(name) for name in sorted(call.world.namespaces)]
    items = [
        describe(call.world, namespace)
        for namespace in found
        if namespace
        and namespace.subscription_id.lower() == call.path["subscription"].lower()
        and group in ("", namespace.group.lower())
    ]
    return page(call, items, call.world.page_size)


def _check_name(call: Call) -> Response:
    name = str(call.request.json().get("name") or "")
    if not _NAME.fullmatch(name):
        message = "The namespace name is not valid."
        return Response.of({"nameAvailable": False, "reason": "InvalidName", "message": message})
    if not available(call.world, name):
        message = "The specified name is not available."
        return Response.of({"nameAvailable": False, "reason": "NameInUse", "message": message})
    return Response.of({"nameAvailable": True, "reason": "None", "message": None})


def available(world: World, name: str) -> bool:
    """Whether nobody in Azure holds a namespace name, and it may be one."""
    taken = name.lower() in world.taken_names or world.namespace(name) is not None
    return bool(_NAME.fullmatch(name)) and not taken


def new_rule(world: World, name: str, rights: tuple[str, ...]) -> Rule:
    """A rule with fresh keys."""
    return Rule(name, rights, f"simulated-{world.guid()}", f"simulated-{world.guid()}")


def _state(world: World, namespace: Namespace) -> str:
    if namespace.gone_at:
        return "Deleting"
    return "Succeeded" if world.ready(namespace) else "Created"


def _is_at(namespace: Namespace, call: Call) -> bool:
    at = (namespace.subscription_id.lower(), namespace.group.lower())
    return at == (call.path["subscription"].lower(), call.path["group"].lower())


def _check_settled(call: Call, namespace: Namespace) -> None:
    if not call.world.ready(namespace):
        raise failure(call, 409, "Conflict", f"Namespace provisioning in transition. {_HELP}")


def _check_identities(call: Call, body: Json) -> None:
    named = ((body.get("identity") or {}).get("userAssignedIdentities") or {}).keys()
    for identity in named:
        if identity.lower() not in call.world.identities:
            raise Refusal(
                400,
                "FailedIdentityOperation",
                "Identity operation for resource failed with error 'Failed to perform resource identity "
                f"operation. Status: 'NotFound'. Response: the identity '{identity}' was not found.'.",
            )


def _update(call: Call, namespace: Namespace, body: Json) -> Namespace:
    """Merge what a PUT or PATCH names into what is there; the location never changes."""
    location = str(body.get("location") or namespace.location).replace(" ", "").lower()
    if location != namespace.location:
        raise Refusal(
            409,
            "InvalidResourceLocation",
            f"The resource '{namespace.name}' already exists in location '{namespace.location}' in resource "
            f"group '{namespace.group}'. A resource with the same name cannot be created in location "
            f"'{location}'. Please select a new resource name.",
        )
    _check_identities(call, body)
    properties = {**(namespace.body.get("properties") or {}), **(body.get("properties") or {})}
    merged = {**namespace.body, **body, "properties": properties}
    changed = replace(namespace, body=merged, updated_at=call.world.clock.now())
    call.world.namespaces[namespace.name.lower()] = changed
    return changed


_SUBSCRIPTION = "/subscriptions/{subscription}/providers/Microsoft.EventHub"

ROUTES = (
    Route("PUT", f"{BASE}/{{namespace}}", VERSIONS, f"{ACTION}/write", _put),
    Route("PATCH", f"{BASE}/{{namespace}}", VERSIONS, f"{ACTION}/write", _patch),
    Route("GET", f"{BASE}/{{namespace}}", VERSIONS, f"{ACTION}/read", _get),
    Route("DELETE", f"{BASE}/{{namespace}}", VERSIONS, f"{ACTION}/delete", _delete),
    Route("GET", BASE, VERSIONS, f"{ACTION}/read", _list, 3),
    Route("GET", f"{_SUBSCRIPTION}/namespaces", VERSIONS, f"{ACTION}/read", _list, 3),
    Route(
        "GET",
        f"{BASE}/{{namespace}}/operationresults/{{operation}}",
        VERSIONS,
        f"{ACTION}/operationresults/read",
        _operation_result,
        2,
    ),
    Route(
        "POST",
        f"{_SUBSCRIPTION}/checkNameAvailability",
        VERSIONS,
        "Microsoft.EventHub/checkNameAvailability/action",
        _check_name,
        3,
    ),
)
