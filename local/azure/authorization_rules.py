"""Authorization rules of Event Hubs namespaces, and their keys (2026-01-01)."""

from dataclasses import replace

from local.azure.http import Json, Response
from local.azure.namespaces import ACTION, BASE, VERSIONS, failure, new_rule, parent_namespace
from local.azure.routes import Call, Route, page
from local.azure.world import Namespace, Rule

RULES_PER_NAMESPACE = 12
_RIGHTS = ("Listen", "Manage", "Send")


def describe(namespace: Namespace, rule: Rule) -> Json:
    """A rule as Azure shows it: without its keys."""
    return {
        "id": f"/subscriptions/{namespace.subscription_id}/resourceGroups/{namespace.group}"
        f"/providers/Microsoft.EventHub/namespaces/{namespace.name}/authorizationRules/{rule.name}",
        "name": rule.name,
        "type": "Microsoft.EventHub/Namespaces/AuthorizationRules",
        "location": namespace.location,
        "properties": {"rights": list(rule.rights)},
    }


def _put(call: Call) -> Response:
    namespace = parent_namespace(call, "authorizationRules")
    rights = tuple(sorted((call.request.json().get("properties") or {}).get("rights") or ()))
    if not rights or not set(rights) <= set(_RIGHTS):
        raise failure(call, 400, "BadRequest", f"The rights {list(rights)} are not valid.")
    if "Manage" in rights and len(rights) < len(_RIGHTS):
        raise failure(call, 400, "BadRequest", "The rights Listen and Send are required with Manage.")
    key = (namespace.name.lower(), call.path["rule"].lower())
    existing = call.world.rules.get(key)
    if existing is None and len(call.world.rules_of(namespace.name)) >= RULES_PER_NAMESPACE:
        most = RULES_PER_NAMESPACE
        raise failure(call, 403, "Forbidden", f"SubCode=40300. The maximum number of rules is {most}.")
    rule = replace(existing, rights=rights) if existing else new_rule(call.world, call.path["rule"], rights)
    call.world.rules[key] = rule
    return Response.of(describe(namespace, rule))


def _get(call: Call) -> Response:
    namespace, rule = _found(call)
    return Response.of(describe(namespace, rule))


def _delete(call: Call) -> Response:
    namespace = parent_namespace(call, "authorizationRules")
    gone = call.world.rules.pop((namespace.name.lower(), call.path["rule"].lower()), None)
    return Response.of(None, 200 if gone else 204)


def _list(call: Call) -> Response:
    namespace = parent_namespace(call, "authorizationRules")
    items = [describe(namespace, rule) for rule in call.world.rules_of(namespace.name)]
    return page(call, items, call.world.page_size)


def _list_keys(call: Call) -> Response:
    return _keys(*_found(call))


def _regenerate_keys(call: Call) -> Response:
    """Give a rule a fresh key, or the one that the body names; who still has the old one is shut out."""
    namespace, rule = _found(call)
    body = call.request.json()
    kind = body.get("keyType")
    if kind not in ("PrimaryKey", "SecondaryKey"):
        raise failure(call, 400, "BadRequest", f"The key type '{kind}' is not valid.")
    fresh = str(body.get("key") or f"simulated-{call.world.guid()}")
    primary = kind == "PrimaryKey"
    changed = replace(rule, primary_key=fresh) if primary else replace(rule, secondary_key=fresh)
    call.world.rules[namespace.name.lower(), rule.name.lower()] = changed
    return _keys(namespace, changed)


def _keys(namespace: Namespace, rule: Rule) -> Response:
    begin = f"Endpoint=sb://{namespace.name}.servicebus.windows.net/;SharedAccessKeyName={rule.name}"
    return Response.of(
        {
            "primaryConnectionString": f"{begin};SharedAccessKey={rule.primary_key}",
            "secondaryConnectionString": f"{begin};SharedAccessKey={rule.secondary_key}",
            "primaryKey": rule.primary_key,
            "secondaryKey": rule.secondary_key,
            "keyName": rule.name,
        }
    )


def _found(call: Call) -> tuple[Namespace, Rule]:
    namespace = parent_namespace(call, "authorizationRules")
    rule = call.world.rules.get((namespace.name.lower(), call.path["rule"].lower()))
    if rule is None:
        raise failure(call, 404, "NotFound", f"The requested resource {call.path['rule']} does not exist.")
    return namespace, rule


_RULES = f"{BASE}/{{namespace}}/authorizationRules"
_KEYS = f"{ACTION}/authorizationRules/listkeys/action"
_NEW_KEYS = f"{ACTION}/authorizationRules/regenerateKeys/action"

ROUTES = (
    Route("PUT", f"{_RULES}/{{rule}}", VERSIONS, f"{ACTION}/authorizationRules/write", _put),
    Route("GET", f"{_RULES}/{{rule}}", VERSIONS, f"{ACTION}/authorizationRules/read", _get),
    Route("DELETE", f"{_RULES}/{{rule}}", VERSIONS, f"{ACTION}/authorizationRules/delete", _delete),
    Route("GET", _RULES, VERSIONS, f"{ACTION}/authorizationRules/read", _list, 1),
    Route("POST", f"{_RULES}/{{rule}}/listKeys", VERSIONS, _KEYS, _list_keys, 1),
    Route(
        "POST",
        f"{_RULES}/{{rule}}/regenerateKeys",
        VERSIONS,
        _NEW_KEYS,
        _regenerate_keys,
        1,
        changes=True,
    ),
)
