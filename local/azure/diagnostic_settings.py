"""Diagnostic settings of subscriptions and of any resource (2021-05-01-preview).

They belong to Azure Monitor, not to the resource: they stay when it is deleted, moved or made anew.
"""

from local.azure.diagnostic_rules import check, enabled_categories
from local.azure.http import Json, Refusal, Response
from local.azure.log_categories import categories_of, groups_of, metrics_of
from local.azure.routes import Call, Route
from local.azure.scopes import resource_type_of
from local.azure.world import Setting

_VERSIONS = ("2017-05-01-preview", "2021-05-01-preview")
_SINKS = (
    "storageAccountId",
    "serviceBusRuleId",
    "workspaceId",
    "eventHubAuthorizationRuleId",
    "eventHubName",
    "marketplacePartnerId",
)


def _scope(call: Call) -> str:
    return call.path.get("scope") or f"/subscriptions/{call.path['subscription']}"


def _put(call: Call) -> Response:
    scope, name = _scope(call), call.path["name"]
    properties = call.request.json().get("properties")
    if not isinstance(properties, dict):
        raise Refusal(400, "BadRequest", "The request body must have 'properties'.", bare=True)
    check(call.world, call.principal, scope, name, properties)
    before = call.world.setting(scope, name)
    spelled = before.name if before else name
    setting = Setting(spelled, properties, enabled_categories(scope, properties))
    if scope.isascii():
        # With other characters in the resource's ID the setting disappears
        # (learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings, limitations).
        call.world.settings.setdefault(scope.lower(), {})[name.lower()] = setting
    return Response.of(_describe(scope, setting, written=True))


def _get(call: Call) -> Response:
    scope, name = _scope(call), call.path["name"]
    setting = call.world.setting(scope, name)
    if setting is None:
        raise Refusal(
            404,
            "ResourceNotFound",
            f"The Resource '{scope.strip('/')}/providers/microsoft.insights/diagnosticSettings/{name}' "
            "was not found.",
            bare=True,
        )
    return Response.of(_describe(scope, setting))


def _list(call: Call) -> Response:
    scope = _scope(call)
    found = call.world.settings.get(scope.lower(), {}).values()
    return Response.of({"value": [_describe(scope, setting) for setting in found]})


def _delete(call: Call) -> Response:
    scope = _scope(call)
    gone = call.world.settings.get(scope.lower(), {}).pop(call.path["name"].lower(), None)
    return Response.of(None, 200 if gone else 204)


def _list_categories(call: Call) -> Response:
    return Response.of({"value": _categories(call)})


def _get_category(call: Call) -> Response:
    wanted = call.path["name"]
    for category in _categories(call):
        if category["name"].lower() == wanted.lower():
            return Response.of(category)
    raise Refusal(404, "NotFound", f"The category '{wanted}' was not found.", bare=True)


def _categories(call: Call) -> list[Json]:
    scope = call.path["scope"]
    kind = resource_type_of(scope)
    found = [(name, "Logs") for name in categories_of(kind) or ()]
    # Types without diagnostic settings are known to be listed with the metric category all the same.
    found += [(name, "Metrics") for name in metrics_of(kind)]
    groups = groups_of(kind)
    return [
        {
            "id": f"{scope.lower()}/providers/microsoft.insights/diagnosticSettingsCategories/{name}",
            "type": "Microsoft.Insights/diagnosticSettingsCategories",
            "name": name,
            "location": None,
            "kind": None,
            "tags": None,
            "properties": {
                "categoryType": category_type,
                "categoryGroups": [group for group, members in groups.items() if name in members] or None,
            },
            "identity": None,
        }
        for name, category_type in found
    ]


def _describe(scope: str, setting: Setting, *, written: bool = False) -> Json:
    """A setting as Azure shows it: every category, extra nulls, and spellings of its own.

    The answer to a PUT on a subscription names another provider in its ID than a GET does, and both
    lack the leading slash (examples of the API's specification, and recordings).
    """
    kind = resource_type_of(scope)
    sinks: Json = {sink: setting.properties.get(sink) or None for sink in _SINKS}
    if setting.rule_id and not written:
        sinks["eventHubAuthorizationRuleId"] = setting.rule_id.replace(
            "/authorizationRules/", "/authorizationrules/"
        )
    logs = _logs(kind, setting)
    if kind:
        metrics = [{"timeGrain": None, **metric} for metric in setting.properties.get("metrics") or ()]
        tables = setting.properties.get("logAnalyticsDestinationType")
        more = {"metrics": metrics, "logs": logs, "logAnalyticsDestinationType": tables}
        identifier = f"{scope.lower()}/providers/microsoft.insights/diagnosticSettings/{setting.name}"
        location = None
    else:
        more = {"logs": logs}
        provider = "AzureResourceManager" if written else "microsoft.insights"
        identifier = f"{scope.strip('/')}/providers/{provider}/diagnosticSettings/{setting.name}"
        location = "global"
    return {
        "id": identifier,
        "type": None,
        "name": setting.name,
        "location": location,
        "kind": None,
        "tags": None,
        "properties": {**sinks, **more},
        "identity": None,
    }


def _logs(kind: str, setting: Setting) -> list[Json]:
    """All categories with enabled true or false; or the groups, where the setting was written with groups."""
    retention = {"enabled": False, "days": 0}
    grouped = [log for log in setting.properties.get("logs") or () if log.get("categoryGroup")]
    if grouped:
        return [
            {
                "category": None,
                "categoryGroup": log["categoryGroup"],
                "enabled": bool(log.get("enabled")),
                "retentionPolicy": retention,
            }
            for log in grouped
        ]
    return [
        {
            "category": category,
            "categoryGroup": None,
            "enabled": category in setting.enabled,
            "retentionPolicy": retention,
        }
        for category in categories_of(kind) or ()
    ]


_NAME = "/providers/microsoft.insights/diagnosticSettings"
_ACTION = "Microsoft.Insights/diagnosticSettings"

_SETTINGS = (
    ("PUT", "/{name}", "write", _put, 0),
    ("GET", "/{name}", "read", _get, 0),
    ("DELETE", "/{name}", "delete", _delete, 0),
    ("GET", "", "read", _list, 3),
)
_CATEGORIES = (("", _list_categories, 3), ("/{name}", _get_category, 0))

ROUTES = (
    *(
        Route(method, f"{scope}{_NAME}{tail}", _VERSIONS, f"{_ACTION}/{verb}", handler, cut)
        for scope in ("/subscriptions/{subscription}", "{+scope}")
        for method, tail, verb, handler, cut in _SETTINGS
    ),
    *(
        Route(
            "GET", f"{{+scope}}{_NAME}Categories{tail}", _VERSIONS, f"{_ACTION}Categories/read", handler, cut
        )
        for tail, handler, cut in _CATEGORIES
    ),
)
