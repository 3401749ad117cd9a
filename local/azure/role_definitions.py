"""Role definitions (2022-04-01): what a role allows, as a preflight check reads it."""

from local.azure.http import Json, Refusal, Response
from local.azure.roles import BY_GUID, ROLES, RoleDefinition
from local.azure.routes import Call, Route

_VERSIONS = ("2015-07-01", "2018-01-01-preview", "2022-04-01", "2022-05-01-preview")


def describe(call: Call, role: RoleDefinition) -> Json:
    """A role definition as Azure shows it: below the scope at which it was asked for."""
    place = call.path.get("place") or call.path.get("scope") or ""
    subscription = "/".join(place.split("/")[:3])
    return {
        "id": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role.guid}",
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.guid,
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": role.description,
            "assignableScopes": ["/"],
            "permissions": [
                {
                    "actions": list(role.actions),
                    "notActions": list(role.not_actions),
                    "dataActions": list(role.data_actions),
                    "notDataActions": [],
                }
            ],
            "createdOn": "2015-02-02T21:55:09.8806423Z",
            "updatedOn": "2024-11-11T20:13:28.6061853Z",
            "createdBy": None,
            "updatedBy": None,
        },
    }


def _get(call: Call) -> Response:
    role = BY_GUID.get(call.path["role"].lower())
    if role is None:
        raise Refusal(
            404,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{call.path['role']}' does not exist.",
        )
    return Response.of(describe(call, role))


def _list(call: Call) -> Response:
    """All definitions, or those that `roleName eq '...'` or `type eq 'BuiltInRole'` names."""
    wanted = call.request.query.get("$filter", "")
    field, _, value = wanted.partition(" eq ")
    text = value.strip().strip("'").lower()
    if field.strip().lower() == "rolename":
        found = [role for role in ROLES.values() if role.name.lower() == text]
    elif not wanted or (field.strip().lower(), text) == ("type", "builtinrole"):
        found = list(ROLES.values())
    else:
        raise Refusal(
            400, "UnsupportedQuery", f"The filter '{wanted}' is not supported. Supported: roleName, type."
        )
    return Response.of({"value": [describe(call, role) for role in found]})


_DEFINITIONS = "/providers/Microsoft.Authorization/roleDefinitions"
_READ = "Microsoft.Authorization/roleDefinitions/read"

ROUTES = tuple(
    Route("GET", f"{scope}{_DEFINITIONS}{tail}", _VERSIONS, _READ if scope else "", handler, cut)
    for scope in ("", "{+place}", "{+scope}")
    for tail, handler, cut in (("/{role}", _get, 0), ("", _list, 3))
)
