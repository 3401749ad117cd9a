"""Resource groups (2025-04-01)."""

from local.azure.access import authorize_listing
from local.azure.http import Json, Refusal, Response
from local.azure.resources import location_of
from local.azure.routes import Call, Route, page

_VERSIONS = (
    "2016-09-01",
    "2019-07-01",
    "2019-10-01",
    "2020-06-01",
    "2021-04-01",
    "2022-09-01",
    "2024-03-01",
    "2024-11-01",
    "2025-04-01",
)
_TYPE = "Microsoft.Resources/subscriptions/resourceGroups"


def describe(call: Call, key: tuple[str, str]) -> Json:
    """A resource group as Azure shows it."""
    name = call.world.group_names.get(key, key[1])
    return {
        "id": f"/subscriptions/{call.path['subscription']}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": call.world.groups[key],
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }


def _list(call: Call) -> Response:
    mine = call.path["subscription"].lower()
    scope = call.request.path.rpartition("/")[0]
    may_read = authorize_listing(call.world, call.principal, f"{_TYPE}/read", scope)
    keys = sorted(key for key in call.world.groups if key[0] == mine and may_read(_TYPE, key[1]))
    return page(call, [describe(call, key) for key in keys], call.world.page_size)


def _get(call: Call) -> Response:
    return Response.of(describe(call, _found(call)))


def _head(call: Call) -> Response:
    """Whether the group exists: a status without a body, either way."""
    return Response(204 if _key(call) in call.world.groups else 404)


def _put(call: Call) -> Response:
    key = _key(call)
    where = location_of(call.request.json().get("location"))
    if not where:
        raise Refusal(400, "LocationRequired", "The location property is required for this definition.")
    existing = call.world.groups.get(key)
    if existing and existing != where:
        raise Refusal(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{where}'. The Resource group already exists in location "
            f"'{existing}'.",
        )
    if existing is None:
        call.world.add_group(call.path["subscription"], call.path["name"], where)
    return Response.of(describe(call, key), 200 if existing else 201)


def _delete(call: Call) -> Response:
    """Delete a group with everything in it; diagnostic settings stay behind in Azure Monitor."""
    key = _found(call)
    begin = f"/subscriptions/{key[0]}/resourcegroups/{key[1]}/"
    for resource in list(call.world.resources_of(key[0])):
        if resource.resource_id.lower().startswith(begin):
            call.world.remove_resource(resource.resource_id)
    for table in (call.world.automations, call.world.exports):
        for gone in [scope for scope in table if scope.startswith(begin)]:
            del table[gone]
    del call.world.groups[key]
    return Response.of(None)


def _found(call: Call) -> tuple[str, str]:
    key = _key(call)
    if key not in call.world.groups:
        raise Refusal(
            404, "ResourceGroupNotFound", f"Resource group '{call.path['name']}' could not be found."
        )
    return key


def _key(call: Call) -> tuple[str, str]:
    return call.path["subscription"].lower(), call.path["name"].lower()


_GROUPS = "/subscriptions/{subscription}/resourceGroups"

ROUTES = (
    Route("GET", _GROUPS, _VERSIONS, "", _list, 1),
    Route("GET", f"{_GROUPS}/{{name}}", _VERSIONS, f"{_TYPE}/read", _get),
    Route("HEAD", f"{_GROUPS}/{{name}}", _VERSIONS, f"{_TYPE}/read", _head),
    Route("PUT", f"{_GROUPS}/{{name}}", _VERSIONS, f"{_TYPE}/write", _put),
    Route("DELETE", f"{_GROUPS}/{{name}}", _VERSIONS, f"{_TYPE}/delete", _delete),
)
