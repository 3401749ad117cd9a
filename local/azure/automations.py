"""Security automations of Defender for Cloud: the continuous export of alerts (2023-12-01-preview).

Shapes after the API's specification and its examples. A connection string is never shown again; its key
must be one of the namespace's for alerts to arrive. The words of refusals are not known.
"""

import re

from local.azure.access import authorize_listing, check_registered
from local.azure.http import Json, Refusal, Response
from local.azure.resources import location_of
from local.azure.routes import Call, Route, page
from local.azure.scopes import group_of, subscription_of
from local.azure.world import Automation, World

_VERSIONS = ("2019-01-01-preview", "2023-12-01-preview")
TYPE = "Microsoft.Security/automations"
_HUB = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.eventhub/namespaces/(?P<namespace>[^/]+)"
    r"/eventhubs/(?P<hub>[^/]+)",
    re.IGNORECASE,
)
_POLICY = re.compile(r"(?:^|;)SharedAccessKeyName=(?P<name>[^;]+)", re.IGNORECASE)
_KEY = re.compile(r"(?:^|;)SharedAccessKey=(?P<key>[^;]+)", re.IGNORECASE)
_SOURCES = frozenset(
    f"{name}{tail}"
    for name in (
        "Alerts",
        "Assessments",
        "SubAssessments",
        "SecureScores",
        "SecureScoreControls",
        "RegulatoryComplianceAssessment",
    )
    for tail in ("", "Snapshot")
) - {"AlertsSnapshot"}
_ACTIONS = frozenset({"EventHub", "LogicApp", "Workspace"})


def describe(automation: Automation) -> Json:
    """An automation as Azure shows it: without connection strings and trigger addresses."""
    actions = []
    for action in automation.properties.get("actions") or ():
        shown = {key: value for key, value in action.items() if key not in ("connectionString", "uri")}
        if policy := _POLICY.search(str(action.get("connectionString") or "")):
            shown["sasPolicyName"] = policy["name"]
        actions.append(shown)
    return {
        "id": automation.automation_id,
        "name": automation.name,
        "type": TYPE,
        "etag": automation.etag,
        "location": automation.location,
        "tags": automation.tags,
        "properties": {"description": "", "isEnabled": True, **automation.properties, "actions": actions},
    }


def namespace_and_hub(action: Json) -> tuple[str, str] | None:
    """The event hub that an action names."""
    match = _HUB.fullmatch(str(action.get("eventHubResourceId") or "").rstrip("/"))
    return (match["namespace"], match["hub"]) if match else None


def may_send(world: World, action: Json) -> bool:
    """Whether what the action was given still opens its event hub."""
    named = namespace_and_hub(action)
    if named is None or world.hub(*named) is None:
        return False
    if action.get("isTrustedServiceEnabled"):
        return True
    text = str(action.get("connectionString") or "")
    policy, key = _POLICY.search(text), _KEY.search(text)
    rule = world.rules.get((named[0].lower(), policy["name"].lower())) if policy else None
    return bool(rule and key and key["key"] in (rule.primary_key, rule.secondary_key))


def _put(call: Call) -> Response:
    body = call.request.json()
    check_registered(call.world.subscriptions[call.path["subscription"].lower()], "Microsoft.Security")
    before = call.world.automations.get(call.request.path.lower())
    properties = body.get("properties") or {}
    _check(call.world, call.path["subscription"], properties)
    home = call.world.groups[call.path["subscription"].lower(), call.path["group"].lower()]
    where = location_of(body.get("location")) or (before.location if before else "")
    if not where:
        raise Refusal(400, "LocationRequired", "The location property is required for this definition.")
    if before is None and where != home:
        # An automation lies where its resource group lies.
        raise _bad(f"The location '{where}' is not that of the resource group, '{home}'.")
    automation = Automation(
        before.automation_id if before else call.request.path,
        before.location if before else where,
        body.get("tags") or {},
        properties,
        f'"{call.world.guid()}"',
    )
    call.world.automations[call.request.path.lower()] = automation
    return Response.of(describe(automation), 200 if before else 201)


def _patch(call: Call) -> Response:
    """Replace the properties that the body names."""
    before, body = _found(call), call.request.json()
    properties = {**before.properties, **(body.get("properties") or {})}
    _check(call.world, call.path["subscription"], properties)
    tags = body.get("tags") or before.tags
    changed = Automation(before.automation_id, before.location, tags, properties, f'"{call.world.guid()}"')
    call.world.automations[call.request.path.lower()] = changed
    return Response.of(describe(changed))


def _get(call: Call) -> Response:
    return Response.of(describe(_found(call)))


def _delete(call: Call) -> Response:
    call.world.automations.pop(call.request.path.lower(), None)
    return Response.of(None, 204)


def _list(call: Call) -> Response:
    place = call.request.path.partition("/providers/")[0]
    may_read = authorize_listing(call.world, call.principal, f"{TYPE}/read", place)
    begin = f"{place}/".lower()
    found = [
        describe(automation)
        for key, automation in call.world.automations.items()
        if key.startswith(begin) and may_read(TYPE, group_of(key))
    ]
    return page(call, found, call.world.page_size)


def _validate(call: Call) -> Response:
    try:
        _check(call.world, call.path["subscription"], call.request.json().get("properties") or {})
    except Refusal as refusal:
        return Response.of({"isValid": False, "message": refusal.message})
    return Response.of({"isValid": True, "message": "Validation Successful"})


def _found(call: Call) -> Automation:
    path = call.request.path.removesuffix("/validate")
    automation = call.world.automations.get(path.lower())
    if automation is None:
        raise Refusal(
            404,
            "ResourceNotFound",
            f"The Resource '{TYPE}/{call.path['name']}' under resource group '{call.path['group']}' was not "
            "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        )
    return automation


def _check(world: World, subscription: str, properties: Json) -> None:
    scopes, sources = properties.get("scopes") or (), properties.get("sources") or ()
    actions = properties.get("actions") or ()
    if not scopes or not sources or not actions:
        raise _bad("An automation needs scopes, sources and actions.")
    for scope in scopes:
        if subscription_of(str(scope.get("scopePath"))) != subscription.lower():
            raise _bad(f"The scope '{scope.get('scopePath')}' is not in the automation's subscription.")
    for source in sources:
        if source.get("eventSource") not in _SOURCES:
            raise _bad(f"The event source '{source.get('eventSource')}' is not supported.")
    for action in actions:
        if action.get("actionType") not in _ACTIONS:
            raise _bad(f"The action type '{action.get('actionType')}' is not supported.")
        if action["actionType"] == "EventHub":
            _check_hub(world, action)


def _check_hub(world: World, action: Json) -> None:
    named = namespace_and_hub(action)
    if named is None or world.hub(*named) is None:
        raise _bad(f"The event hub '{action.get('eventHubResourceId')}' was not found.")
    if not action.get("connectionString") and not action.get("isTrustedServiceEnabled"):
        raise _bad("An event hub action needs a connection string.")


def _bad(message: str) -> Refusal:
    return Refusal(400, "InvalidInputJson", message)


_BASE = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{TYPE}"

ROUTES = (
    Route("PUT", f"{_BASE}/{{name}}", _VERSIONS, f"{TYPE}/write", _put),
    Route("PATCH", f"{_BASE}/{{name}}", _VERSIONS, f"{TYPE}/write", _patch),
    Route("GET", f"{_BASE}/{{name}}", _VERSIONS, f"{TYPE}/read", _get),
    Route("DELETE", f"{_BASE}/{{name}}", _VERSIONS, f"{TYPE}/delete", _delete),
    Route("POST", f"{_BASE}/{{name}}/validate", _VERSIONS, f"{TYPE}/validate/action", _validate, 1),
    Route("GET", _BASE, _VERSIONS, "", _list),
    Route("GET", f"/subscriptions/{{subscription}}/providers/{TYPE}", _VERSIONS, "", _list),
)
