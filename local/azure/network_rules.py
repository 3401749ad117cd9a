"""The firewall of an Event Hubs namespace: its one network rule set, `default` (2026-01-01).

A namespace that denies by default lets Azure Monitor, Defender for Cloud and Log Analytics in only as trusted
services (learn.microsoft.com/azure/event-hubs/event-hubs-ip-filtering).
"""

from local.azure.http import Json, Response
from local.azure.namespaces import ACTION, BASE, VERSIONS, failure, parent_namespace
from local.azure.routes import Call, Route
from local.azure.world import Namespace

_ACTIONS = ("Allow", "Deny")
_OPEN: Json = {"defaultAction": "Allow", "virtualNetworkRules": [], "ipRules": []}
_KEPT = (*_OPEN, "publicNetworkAccess", "trustedServiceAccessEnabled")


def describe(call: Call, namespace: Namespace) -> Json:
    """The rule set as Azure shows it."""
    return {
        "id": f"/subscriptions/{namespace.subscription_id}/resourceGroups/{namespace.group}"
        f"/providers/Microsoft.EventHub/namespaces/{namespace.name}/networkRuleSets/default",
        "name": "default",
        "type": "Microsoft.EventHub/Namespaces/NetworkRuleSets",
        "location": namespace.location,
        "properties": {**_OPEN, **call.world.network_rules.get((namespace.name.lower(),), {})},
    }


def _put(call: Call) -> Response:
    namespace = parent_namespace(call, "networkRuleSets")
    properties = call.request.json().get("properties") or {}
    if properties.get("defaultAction", "Allow") not in _ACTIONS:
        message = f"SubCode=40000. The default action '{properties['defaultAction']}' is not valid."
        raise failure(call, 400, "BadRequest", message)
    kept = {key: properties[key] for key in _KEPT if key in properties}
    call.world.network_rules[(namespace.name.lower(),)] = kept
    return Response.of(describe(call, namespace))


def _get(call: Call) -> Response:
    return Response.of(describe(call, parent_namespace(call, "networkRuleSets")))


def _list(call: Call) -> Response:
    return Response.of({"value": [describe(call, parent_namespace(call, "networkRuleSets"))]})


_RULES = f"{BASE}/{{namespace}}/networkRuleSets"

ROUTES = (
    Route("PUT", f"{_RULES}/default", VERSIONS, f"{ACTION}/networkRuleSets/write", _put),
    Route("GET", f"{_RULES}/default", VERSIONS, f"{ACTION}/networkRuleSets/read", _get),
    Route("GET", _RULES, VERSIONS, f"{ACTION}/networkRuleSets/read", _list, 1),
)
