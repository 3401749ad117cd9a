"""Data export rules of Log Analytics workspaces (2025-07-01).

learn.microsoft.com/azure/azure-monitor/logs/logs-data-export. Answers, and the refusals of unknown tables
and used destinations, after recordings and public test suites; refusals are texts, not error objects.
The words for the limit, the region and a wrong destination are not known.
"""

import re
from datetime import datetime
from email.utils import format_datetime

from local.azure.access import LIST_KEYS, authorize_linked, check_registered
from local.azure.export_tables import exists
from local.azure.http import Json, Response, TextRefusal
from local.azure.resources import not_found
from local.azure.routes import Call, Route
from local.azure.scopes import group_of, subscription_of
from local.azure.workspaces import BASE
from local.azure.world import ExportRule, Resource

_VERSIONS = (
    "2019-08-01-preview",
    "2020-03-01-preview",
    "2020-08-01",
    "2023-09-01",
    "2025-02-01",
    "2025-07-01",
)
_ONE_RULE_PER_TABLE = _VERSIONS[1]
"""The version for which it is recorded; nothing says so of later ones."""

LIMIT = 10
"""Active rules in a workspace."""

_ACTION = "Microsoft.OperationalInsights/workspaces/dataExports"
_WRITE_HUBS = "Microsoft.EventHub/namespaces/eventhubs/write"
_NAMESPACE = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.eventhub/namespaces/(?P<name>[^/]+)",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.storage/storageaccounts/[^/]+",
    re.IGNORECASE,
)


def describe(workspace_id: str, rule: ExportRule) -> Json:
    """A rule as Azure shows it: its ID in lower case, times as in mail headers."""
    kind = "EventHub" if _NAMESPACE.fullmatch(rule.destination) else "StorageAccount"
    shown: Json = {
        "dataExportId": rule.export_id,
        "destination": {
            "resourceId": rule.destination,
            "type": kind,
            "metaData": {"eventHubName": rule.hub} if rule.hub else {},
        },
        "allTables": rule.tables is None,
    }
    if rule.tables is not None:
        shown["tableNames"] = list(rule.tables)
    shown["enable"] = rule.enabled
    shown["createdDate"] = _stamp(rule.created_at)
    shown["lastModifiedDate"] = _stamp(rule.changed_at)
    return {
        "properties": shown,
        "id": f"{workspace_id}/dataexports/{rule.name}".lower(),
        "name": rule.name,
        "type": "Microsoft.OperationalInsights/workspaces/export",
    }


def namespace_of(destination: str) -> str:
    """Name of the namespace that a rule sends to; empty for a storage account."""
    match = _NAMESPACE.fullmatch(destination)
    return match["name"] if match else ""


def _put(call: Call) -> Response:
    """Replace the whole rule: what the body does not name is gone."""
    workspace = _workspace(call)
    world, name = call.world, call.path["name"]
    check_registered(world.subscriptions[call.path["subscription"].lower()], "Microsoft.Insights")
    properties: Json = call.request.json().get("properties") or {}
    destination = properties.get("destination") or {}
    target = str(destination.get("resourceId") or "").rstrip("/")
    hub = str((destination.get("metaData") or {}).get("eventHubName") or "")
    tables = None if properties.get("allTables") else tuple(properties.get("tableNames") or ())
    if tables is not None and not tables:
        raise TextRefusal(400, "At least one table must be specified.", plain=True)
    for table in tables or ():
        if not exists(str(table)):
            raise TextRefusal(404, f"Table {table} does not exist in the workspace")
    _check_destination(call, workspace, target, hub)
    rules = world.exports.setdefault(workspace.resource_id.lower(), {})
    enabled = bool(properties.get("enable", True))
    _check_others(rules, name, target, hub, enabled=enabled)
    if call.request.query.get("api-version") == _ONE_RULE_PER_TABLE:
        _check_tables(rules, name, target, tables)
    now, before = world.clock.now(), rules.get(name.lower())
    rule = ExportRule(
        before.name if before else name,
        before.export_id if before else world.guid(),
        target,
        hub,
        tables,
        enabled,
        before.created_at if before else now,
        now,
    )
    rules[name.lower()] = rule
    return Response.of(describe(workspace.resource_id, rule))


def _get(call: Call) -> Response:
    workspace = _workspace(call)
    rule = call.world.exports.get(workspace.resource_id.lower(), {}).get(call.path["name"].lower())
    if rule is None:
        raise _missing(call)
    return Response.of(describe(workspace.resource_id, rule))


def _delete(call: Call) -> Response:
    workspace = _workspace(call)
    rules = call.world.exports.get(workspace.resource_id.lower(), {})
    if rules.pop(call.path["name"].lower(), None) is None:
        raise _missing(call)
    return Response.of(None)


def _list(call: Call) -> Response:
    workspace = _workspace(call)
    rules = call.world.exports.get(workspace.resource_id.lower(), {}).values()
    return Response.of({"value": [describe(workspace.resource_id, rule) for rule in rules]})


def _workspace(call: Call) -> Resource:
    workspace_id = call.request.path.lower().rpartition("/dataexports")[0]
    found = call.world.resources.get(workspace_id)
    if found is None:
        raise not_found(call.request.path[: len(workspace_id)])
    return found


def _check_destination(call: Call, workspace: Resource, target: str, hub: str) -> None:
    """Hold a rule to a destination that is there, in the workspace's region, and that the caller may use."""
    if _ACCOUNT.fullmatch(target):
        return
    name = namespace_of(target)
    if not name:
        message = f"The destination '{target}' is not an Event Hubs namespace or a storage account."
        raise TextRefusal(400, message, plain=True)
    full = call.request.path
    for wanted in (_WRITE_HUBS, LIST_KEYS):
        authorize_linked(call.world, call.principal, f"{_ACTION}/write", full, target, wanted=wanted)
    namespace = call.world.namespace(name)
    at = (subscription_of(target), group_of(target))
    if (
        namespace is None
        or (namespace.subscription_id.lower(), namespace.group.lower()) != at
        or not call.world.ready(namespace)
    ):
        raise TextRefusal(404, f"The destination '{target}' was not found.")
    if hub and call.world.hub(name, hub) is None:
        raise TextRefusal(400, f"The event hub '{hub}' was not found in '{target}'.", plain=True)
    if namespace.location != workspace.location:
        message = (
            f"The destination must be in the region of the workspace. The workspace is in "
            f"'{workspace.location}' and the destination is in '{namespace.location}'."
        )
        raise TextRefusal(400, message, plain=True)


def _check_others(rules: dict[str, ExportRule], name: str, target: str, hub: str, *, enabled: bool) -> None:
    others = [rule for key, rule in rules.items() if key != name.lower()]
    for other in others:
        if (other.destination.lower(), other.hub.lower()) == (target.lower(), hub.lower()):
            message = (
                f"You are adding a destination that is already defined in rule: {other.name}. Destination "
                "must be unique across export rules in your workspace . "
                "See http://aka.ms/LADataExport#limitations"
            )
            raise TextRefusal(400, message, plain=True)
    if enabled and sum(other.enabled for other in others) >= LIMIT:
        raise TextRefusal(
            400, f"You have exceeded the allowed number of active export rules ({LIMIT}).", plain=True
        )


def _check_tables(
    rules: dict[str, ExportRule], name: str, target: str, tables: tuple[str, ...] | None
) -> None:
    """Hold storage accounts to one rule for each table."""
    taken = {
        table.lower()
        for key, rule in rules.items()
        if key != name.lower() and _ACCOUNT.fullmatch(rule.destination)
        for table in rule.tables or ()
    }
    if _ACCOUNT.fullmatch(target) and taken & {table.lower() for table in tables or ()}:
        raise TextRefusal(
            400,
            "You have exceeded the allowed export rules for the provided table(s). When export is to a "
            "StorageAccount, you can included a table in 1 export rule(s).",
            plain=True,
        )


def _missing(call: Call) -> TextRefusal:
    return TextRefusal(404, f"Export {call.path['name']} does not exist in the workspace.")


def _stamp(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


_RULES = f"{BASE}/{{workspace}}/dataExports"

ROUTES = (
    Route("PUT", f"{_RULES}/{{name}}", _VERSIONS, f"{_ACTION}/write", _put),
    Route("GET", f"{_RULES}/{{name}}", _VERSIONS, f"{_ACTION}/read", _get),
    Route("DELETE", f"{_RULES}/{{name}}", _VERSIONS, f"{_ACTION}/delete", _delete),
    Route("GET", _RULES, _VERSIONS, f"{_ACTION}/read", _list, 1),
)
