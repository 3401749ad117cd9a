"""Azure Lighthouse: definitions and assignments of subscriptions and resource groups (2022-10-01).

They are another view of the same delegations: what is delegated is listed, writing an assignment
delegates, deleting one withdraws. Answers after recordings.
"""

import uuid

from local.azure.http import Json, Refusal, Response
from local.azure.roles import BY_GUID, ROLES
from local.azure.routes import Call, Route
from local.azure.scopes import group_of, subscription_of
from local.azure.world import Delegation, Subscription, World

_VERSIONS = ("2019-06-01", "2019-09-01", "2020-02-01-preview", "2022-01-01-preview", "2022-10-01")
TYPE = "Microsoft.ManagedServices"
_DEFINITIONS = f"/providers/{TYPE}/registrationDefinitions"
_ASSIGNMENTS = f"/providers/{TYPE}/registrationAssignments"


def assignment_of(subscription: Subscription, delegation: Delegation) -> str:
    """GUID of the assignment by which a delegation exists."""
    about = f"{subscription.subscription_id}/{delegation.tenant_id}/{delegation.group}".lower()
    return delegation.assignment or str(uuid.uuid5(uuid.NAMESPACE_URL, about))


def assignment_path(subscription: Subscription, delegation: Delegation) -> str:
    """ID of the assignment by which a delegation exists."""
    return f"{_scope(subscription, delegation)}{_ASSIGNMENTS}/{assignment_of(subscription, delegation)}"


def _scope(subscription: Subscription, delegation: Delegation) -> str:
    place = f"/subscriptions/{subscription.subscription_id}"
    return f"{place}/resourceGroups/{delegation.group}" if delegation.group else place


def _definition_id(subscription: Subscription, delegation: Delegation) -> str:
    if delegation.definition:
        return delegation.definition
    about = f"{subscription.tenant_id}/{delegation.tenant_id}".lower()
    place = f"/subscriptions/{subscription.subscription_id}"
    return f"{place}{_DEFINITIONS}/{uuid.uuid5(uuid.NAMESPACE_URL, about)}"


def _describe_definition(definition_id: str, properties: Json) -> Json:
    return {
        "properties": {
            **properties,
            "provisioningState": "Succeeded",
            "managedByTenantName": "Default Directory",
        },
        "id": definition_id,
        "type": f"{TYPE}/registrationDefinitions",
        "name": definition_id.rpartition("/")[2],
    }


def _describe_assignment(
    subscription: Subscription, delegation: Delegation, state: str = "Succeeded"
) -> Json:
    return {
        "properties": {
            "registrationDefinitionId": _definition_id(subscription, delegation),
            "provisioningState": state,
        },
        "id": assignment_path(subscription, delegation),
        "type": f"{TYPE}/registrationAssignments",
        "name": assignment_of(subscription, delegation),
    }


def _implied(delegation: Delegation) -> Json:
    """What the definition behind a delegation says."""
    return {
        "registrationDefinitionName": "Managed services",
        "managedByTenantId": delegation.tenant_id,
        "authorizations": [
            {"principalId": who, "roleDefinitionId": ROLES[role].guid}
            for who, role in sorted(delegation.grants)
        ],
    }


def _definitions(call: Call) -> dict[str, tuple[str, Json]]:
    """Definitions in a subscription by GUID: ID and properties, written ones and those behind delegations."""
    subscription = _subscription(call)
    found: dict[str, tuple[str, Json]] = {}
    for delegation in subscription.delegations:
        definition_id = _definition_id(subscription, delegation)
        found[definition_id.rpartition("/")[2].lower()] = (definition_id, _implied(delegation))
    place = f"/subscriptions/{subscription.subscription_id}"
    for guid, properties in call.world.definitions.get(place.lower(), {}).items():
        found[guid] = (f"{place}{_DEFINITIONS}/{guid}", properties)
    return found


def _list_definitions(call: Call) -> Response:
    return Response.of({"value": [_describe_definition(*each) for each in _definitions(call).values()]})


def _get_definition(call: Call) -> Response:
    found = _definitions(call).get(call.path["name"].lower())
    if found is None:
        raise _missing("registrationDefinitions", call)
    return Response.of(_describe_definition(*found))


def _put_definition(call: Call) -> Response:
    properties = call.request.json().get("properties") or {}
    authorizations = properties.get("authorizations") or ()
    if not properties.get("managedByTenantId") or not authorizations:
        raise _bad("The registration definition needs 'managedByTenantId' and 'authorizations'.")
    for each in authorizations:
        role = BY_GUID.get(str(each.get("roleDefinitionId")).lower())
        if role is None or role.name == "Owner" or role.data_actions:
            raise _bad(f"The role definition '{each.get('roleDefinitionId')}' cannot be delegated.")
        if role.name == "User Access Administrator" and not each.get("delegatedRoleDefinitionIds"):
            raise _bad("User Access Administrator needs 'delegatedRoleDefinitionIds'.")
    place = f"/subscriptions/{_subscription(call).subscription_id}"
    call.world.definitions.setdefault(place.lower(), {})[call.path["name"].lower()] = properties
    return Response.of(_describe_definition(f"{place}{_DEFINITIONS}/{call.path['name']}", properties), 201)


def _delete_definition(call: Call) -> Response:
    found = _definitions(call).get(call.path["name"].lower())
    if found is None:
        return Response.of(None, 204)
    subscription = _subscription(call)
    used = {
        _definition_id(subscription, each).rpartition("/")[2].lower() for each in subscription.delegations
    }
    if call.path["name"].lower() in used:
        raise Refusal(409, "RegistrationDefinitionInUse", "The registration definition has an assignment.")
    place = f"/subscriptions/{subscription.subscription_id}".lower()
    call.world.definitions.get(place, {}).pop(call.path["name"].lower(), None)
    return Response.of(None)


def _assignments(call: Call) -> dict[str, Delegation]:
    """Delegations of the place that the path names, by the GUID of the assignment."""
    subscription, group = _subscription(call), group_of(call.path["place"])
    return {
        assignment_of(subscription, delegation).lower(): delegation
        for delegation in subscription.delegations
        if (delegation.group or "") == group
    }


def _list_assignments(call: Call) -> Response:
    found = _assignments(call).values()
    return Response.of({"value": [_describe_assignment(_subscription(call), one) for one in found]})


def _get_assignment(call: Call) -> Response:
    found = _assignments(call).get(call.path["name"].lower())
    if found is None:
        raise _missing("registrationAssignments", call)
    return Response.of(_describe_assignment(_subscription(call), found))


def _put_assignment(call: Call) -> Response:
    """Delegate: to whom and with which roles, the definition says."""
    body = call.request.json().get("properties") or {}
    definition_id = str(body.get("registrationDefinitionId") or "")
    found = _definitions(call).get(definition_id.rpartition("/")[2].lower())
    if found is None:
        raise _bad(f"The registration definition '{definition_id}' was not found.")
    subscription = _subscription(call)
    grants = frozenset(
        (str(each["principalId"]), BY_GUID[str(each["roleDefinitionId"]).lower()].name)
        for each in found[1]["authorizations"]
    )
    tenant = str(found[1]["managedByTenantId"])
    group = group_of(call.path["place"]) or None
    delegation = Delegation(tenant, grants, group, call.path["name"], definition_id)
    kept = [d for d in subscription.delegations if (d.tenant_id, d.group) != (tenant, group)]
    _delegate(call.world, subscription, [*kept, delegation])
    answer = Response.of(_describe_assignment(subscription, delegation, "Accepted"), 201)
    return answer.with_headers({"Azure-AsyncOperation": _status_url(call)})


def _delete_assignment(call: Call) -> Response:
    """Withdraw; the managing tenant loses all its rights at once."""
    found = _assignments(call).get(call.path["name"].lower())
    if found is None:
        return Response.of(None, 204)
    subscription = _subscription(call)
    _delegate(call.world, subscription, [d for d in subscription.delegations if d != found])
    return Response.of(None, 202, Location=_status_url(call))


def _delegate(world: World, subscription: Subscription, delegations: list[Delegation]) -> None:
    world.change_subscription(subscription.subscription_id, delegations=tuple(delegations))


def _status(_: Call) -> Response:
    return Response.of({"status": "Succeeded"})


def _status_url(call: Call) -> str:
    version = call.request.query.get("api-version", _VERSIONS[-1])
    place = f"/subscriptions/{_subscription(call).subscription_id}/providers/{TYPE}"
    return f"{call.request.host_url}{place}/operationStatuses/{call.path['name']}?api-version={version}"


def _subscription(call: Call) -> Subscription:
    return call.world.subscriptions[subscription_of(call.request.path)]


def _missing(kind: str, call: Call) -> Refusal:
    name = call.path["name"]
    return Refusal(404, "ResourceNotFound", f"The {kind} '{name}' could not be found.")


def _bad(message: str) -> Refusal:
    return Refusal(400, "InvalidRegistrationDefinition", message)


_KINDS = (
    ("registrationDefinitions", _list_definitions, _get_definition, _put_definition, _delete_definition),
    ("registrationAssignments", _list_assignments, _get_assignment, _put_assignment, _delete_assignment),
)

ROUTES = (
    *(
        Route(
            method,
            f"{{+place}}/providers/{TYPE}/{kind}{tail}",
            _VERSIONS,
            f"{TYPE}/{kind}/{verb}",
            handler,
            cut,
        )
        for kind, listing, get, put, delete in _KINDS
        for method, tail, verb, handler, cut in (
            ("GET", "", "read", listing, 3),
            ("GET", "/{name}", "read", get, 0),
            ("PUT", "/{name}", "write", put, 0),
            ("DELETE", "/{name}", "delete", delete, 0),
        )
    ),
    Route(
        "GET",
        f"{{+place}}/providers/{TYPE}/operationStatuses/{{name}}",
        _VERSIONS,
        "",
        _status,
    ),
)
