"""Authorization rules of Event Hubs namespaces and of their hubs, and the rules' keys (2026-01-01)."""

from collections.abc import MutableMapping
from dataclasses import dataclass, replace

from local.azure.event_hubs import found_hub
from local.azure.http import Json, Response
from local.azure.namespaces import ACTION, BASE, VERSIONS, failure, new_rule, parent_namespace
from local.azure.routes import Call, Route, page
from local.azure.world import Hub, Namespace, Rule

RULES_PER_ENTITY = 12
"""Of a namespace, and of each hub: learn.microsoft.com/azure/event-hubs/event-hubs-quotas."""

_RIGHTS = ("Listen", "Manage", "Send")


@dataclass(frozen=True, slots=True)
class _Entity:
    """What rules belong to: a namespace, or one hub in it.

    Attributes:
        namespace: that it is or lies in.
        hub: if it is one.
        table: where its rules are.
        key: beginning of their keys there.
    """

    namespace: Namespace
    hub: Hub | None
    table: MutableMapping[tuple[str, ...], Rule]
    key: tuple[str, ...]

    @property
    def rules(self) -> list[Rule]:
        """Its rules, by name."""
        return [rule for key, rule in sorted(self.table.items()) if key[:-1] == self.key]


def _entity(call: Call) -> _Entity:
    if "hub" in call.path:
        namespace, hub = found_hub(call)
        # One dictionary holds rules of namespaces, the other those of hubs.
        table: MutableMapping[tuple[str, ...], Rule] = call.world.hub_rules  # type: ignore[assignment]
        return _Entity(namespace, hub, table, (namespace.name.lower(), hub.name.lower()))
    namespace = parent_namespace(call, "authorizationRules")
    table = call.world.rules  # type: ignore[assignment]
    return _Entity(namespace, None, table, (namespace.name.lower(),))


def describe(entity: _Entity, rule: Rule) -> Json:
    """A rule as Azure shows it: without its keys."""
    namespace, hub = entity.namespace, entity.hub
    within = f"/eventhubs/{hub.name}" if hub else ""
    kind = "/EventHubs" if hub else ""
    return {
        "id": f"/subscriptions/{namespace.subscription_id}/resourceGroups/{namespace.group}"
        f"/providers/Microsoft.EventHub/namespaces/{namespace.name}{within}/authorizationRules/{rule.name}",
        "name": rule.name,
        "type": f"Microsoft.EventHub/Namespaces{kind}/AuthorizationRules",
        "location": namespace.location,
        "properties": {"rights": list(rule.rights)},
    }


def _put(call: Call) -> Response:
    entity = _entity(call)
    rights = tuple(sorted((call.request.json().get("properties") or {}).get("rights") or ()))
    if not rights or not set(rights) <= set(_RIGHTS):
        raise failure(call, 400, "BadRequest", f"The rights {list(rights)} are not valid.")
    if "Manage" in rights and len(rights) < len(_RIGHTS):
        raise failure(call, 400, "BadRequest", "The rights Listen and Send are required with Manage.")
    key = (*entity.key, call.path["rule"].lower())
    existing = entity.table.get(key)
    if existing is None and len(entity.rules) >= RULES_PER_ENTITY:
        most = RULES_PER_ENTITY
        raise failure(call, 403, "Forbidden", f"SubCode=40300. The maximum number of rules is {most}.")
    rule = replace(existing, rights=rights) if existing else new_rule(call.world, call.path["rule"], rights)
    entity.table[key] = rule
    return Response.of(describe(entity, rule))


def _get(call: Call) -> Response:
    return Response.of(describe(*_found(call)))


def _delete(call: Call) -> Response:
    entity = _entity(call)
    gone = entity.table.pop((*entity.key, call.path["rule"].lower()), None)
    return Response.of(None, 200 if gone else 204)


def _list(call: Call) -> Response:
    entity = _entity(call)
    return page(call, [describe(entity, rule) for rule in entity.rules], call.world.page_size)


def _list_keys(call: Call) -> Response:
    return _keys(*_found(call))


def _regenerate_keys(call: Call) -> Response:
    """Give a rule a fresh key, or the one that the body names; who still has the old one is shut out."""
    entity, rule = _found(call)
    body = call.request.json()
    kind = body.get("keyType")
    if kind not in ("PrimaryKey", "SecondaryKey"):
        raise failure(call, 400, "BadRequest", f"The key type '{kind}' is not valid.")
    fresh = str(body.get("key") or f"simulated-{call.world.guid()}")
    primary = kind == "PrimaryKey"
    changed = replace(rule, primary_key=fresh) if primary else replace(rule, secondary_key=fresh)
    entity.table[(*entity.key, rule.name.lower())] = changed
    return _keys(entity, changed)


def _keys(entity: _Entity, rule: Rule) -> Response:
    begin = f"Endpoint=sb://{entity.namespace.name}.servicebus.windows.net/;SharedAccessKeyName={rule.name}"
    end = f";EntityPath={entity.hub.name}" if entity.hub else ""
    return Response.of(
        {
            "primaryConnectionString": f"{begin};SharedAccessKey={rule.primary_key}{end}",
            "secondaryConnectionString": f"{begin};SharedAccessKey={rule.secondary_key}{end}",
            "primaryKey": rule.primary_key,
            "secondaryKey": rule.secondary_key,
            "keyName": rule.name,
        }
    )


def _found(call: Call) -> tuple[_Entity, Rule]:
    entity = _entity(call)
    rule = entity.table.get((*entity.key, call.path["rule"].lower()))
    if rule is None:
        raise failure(call, 404, "NotFound", f"The requested resource {call.path['rule']} does not exist.")
    return entity, rule


def _routes(entity: str, action: str) -> tuple[Route, ...]:
    """The operations on rules below one kind of entity."""
    rules, right = f"{entity}/authorizationRules", f"{action}/authorizationRules"
    return (
        Route("PUT", f"{rules}/{{rule}}", VERSIONS, f"{right}/write", _put),
        Route("GET", f"{rules}/{{rule}}", VERSIONS, f"{right}/read", _get),
        Route("DELETE", f"{rules}/{{rule}}", VERSIONS, f"{right}/delete", _delete),
        Route("GET", rules, VERSIONS, f"{right}/read", _list, 1),
        Route("POST", f"{rules}/{{rule}}/listKeys", VERSIONS, f"{right}/listkeys/action", _list_keys, 1),
        Route(
            "POST",
            f"{rules}/{{rule}}/regenerateKeys",
            VERSIONS,
            f"{right}/regenerateKeys/action",
            _regenerate_keys,
            1,
            changes=True,
        ),
    )


ROUTES = (
    *_routes(f"{BASE}/{{namespace}}", ACTION),
    *_routes(f"{BASE}/{{namespace}}/eventhubs/{{hub}}", f"{ACTION}/eventhubs"),
)
