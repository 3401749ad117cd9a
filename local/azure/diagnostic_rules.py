"""What Azure Monitor checks before it takes a diagnostic setting, in its words.

Messages are those seen in public bug reports; bodies carry no `error` wrapper. What Azure answers when a
full-rights rule is named together with a hub that does not exist is not known: it is refused here, so
that a wrong order of creation shows.
"""

from typing import Any

from local.azure.access import authorize_linked
from local.azure.http import Json, Refusal
from local.azure.log_categories import GROUPS, categories_of, groups_of, metrics_of
from local.azure.resource_types import TYPES
from local.azure.scopes import group_of, namespace_and_rule, resource_type_of, subscription_of
from local.azure.world import Namespace, Principal, Setting, World

LIMIT = 5
"""Diagnostic settings per subscription or resource."""

_ALL_RIGHTS = {"Manage", "Send", "Listen"}
_WRITE = "Microsoft.Insights/diagnosticSettings/write"


def check(world: World, principal: Principal, scope: str, name: str, properties: Json) -> None:
    """Hold a PUT to every rule that Azure has.

    Raises:
        Refusal: the first rule that is broken.
    """
    rule_id = str(properties.get("eventHubAuthorizationRuleId") or "")
    if rule_id:
        _check_rule_level(rule_id)
        full = f"{scope}/providers/microsoft.insights/diagnosticSettings/{name}"
        authorize_linked(world, principal, _WRITE, full, rule_id)
    _check_source(world, scope)
    _check_categories(scope, properties)
    if not any(properties.get(sink) for sink in _OTHER_SINKS) and not rule_id:
        raise _bad("At least one data sink needs to be specified.")
    if rule_id:
        namespace = _check_hub(world, rule_id, str(properties.get("eventHubName") or ""))
        _check_region(world, scope, namespace)
    _check_retention(world, scope, name, properties)
    _check_limit(world, scope, name)
    _check_reuse(world, scope, name, properties)


_OTHER_SINKS = ("storageAccountId", "workspaceId", "serviceBusRuleId", "marketplacePartnerId")


def enabled_categories(scope: str, properties: Json) -> frozenset[str]:
    """The log categories that a setting switches on, as Azure spells them; groups are resolved."""
    kind = resource_type_of(scope)
    known = {category.lower(): category for category in categories_of(kind) or ()}
    groups = groups_of(kind)
    enabled: set[str] = set()
    for log in _logs(properties):
        if not log.get("enabled"):
            continue
        if log.get("categoryGroup"):
            enabled |= set(groups[_group_name(log["categoryGroup"])])
        else:
            enabled.add(known[str(log["category"]).lower()])
    return frozenset(enabled)


def _check_rule_level(rule_id: str) -> None:
    if namespace_and_rule(rule_id) is None:
        raise _bad(
            f"Resource type '{resource_type_of(rule_id)}' is invalid for property "
            "'properties.eventHubAuthorizationRuleId'. Expected types are "
            "'microsoft.servicebus/namespaces/authorizationrules', "
            "'microsoft.eventhub/namespaces/authorizationrules'"
        )


def _check_source(world: World, scope: str) -> None:
    subscription = world.subscriptions[subscription_of(scope)]
    kind = resource_type_of(scope)
    if "microsoft.insights" not in subscription.providers:
        raise _not_registered(subscription.subscription_id, kind)
    if not kind:
        return
    if scope.lower() not in world.resources:
        provider_and_type, name = kind, scope.rpartition("/")[2]
        raise Refusal(
            404,
            "ResourceNotFound",
            f"The Resource '{provider_and_type}/{name}' under resource group '{group_of(scope)}' was not "
            "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        )
    if categories_of(kind) is None:
        raise Refusal(
            400,
            "ResourceTypeNotSupported",
            f"The resource type '{kind}' does not support diagnostic settings.",
            bare=True,
        )


def _not_registered(subscription_id: str, kind: str) -> Refusal:
    """Both wordings have been seen; here subscriptions answer with the one, resources with the other."""
    if kind:
        message = f"Please register the subscription '{subscription_id}' with Microsoft.Insights."
        return Refusal(409, "AuthorizationFailed", message, bare=True)
    return _conflict(f"The subscription '{subscription_id}' is not registered to use microsoft.insights.")


def _check_categories(scope: str, properties: Json) -> None:
    kind = resource_type_of(scope)
    metrics = properties.get("metrics") or []
    if not kind and metrics:
        raise _bad("Metrics are not supported for subscription diagnostic settings.")
    for metric in metrics:
        if metric.get("category") not in metrics_of(kind):
            raise _bad(f"Metric category '{metric.get('category')}' is not supported.")
    logs = _logs(properties)
    if any(log.get("categoryGroup") for log in logs) and any(log.get("category") for log in logs):
        raise _bad("Category groups and categories cannot be used in the same diagnostic setting.")
    known = {category.lower() for category in categories_of(kind) or ()}
    groups = groups_of(kind)
    for log in logs:
        group, category = log.get("categoryGroup"), log.get("category")
        if group and _group_name(group) not in groups:
            raise _bad(f"Category group '{group}' is not supported.")
        if not group and str(category).lower() not in known:
            raise _bad(f"Category '{category}' is not supported.")


def _check_hub(world: World, rule_id: str, hub: str) -> Namespace:
    name, rule_name = namespace_and_rule(rule_id) or ("", "")
    namespace = world.namespace(name)
    here = namespace and (namespace.subscription_id, namespace.group.lower()) == (
        subscription_of(rule_id),
        group_of(rule_id),
    )
    rule = world.rules.get((name.lower(), rule_name.lower()))
    if namespace is None or not here or rule is None or not world.ready(namespace):
        raise Refusal(
            404,
            "ResourceNotFound",
            f"The Resource '{rule_id.partition('/providers/')[2]}' under resource group "
            f"'{group_of(rule_id)}' was not found.",
            bare=True,
        )
    if not set(rule.rights) >= _ALL_RIGHTS and (not hub or world.hub(name, hub) is None):
        raise _bad(
            "If a valid EventHub name is not specified in the diagnostic setting, the EventHub authorization "
            "rule requires manage|send|listen access."
        )
    if hub and world.hub(name, hub) is None:
        raise _bad(f"The event hub '{hub}' was not found in namespace '{name}'.")
    return namespace


def _check_region(world: World, scope: str, namespace: Namespace) -> None:
    resource = world.resources.get(scope.lower())
    known = TYPES.get(resource_type_of(scope))
    if resource is None or resource.location in ("global", "") or not (known and known.regional):
        return
    where = namespace.location
    if resource.location != where:
        target = (
            f"/subscriptions/{namespace.subscription_id}/resourceGroups/{namespace.group}"
            f"/providers/Microsoft.EventHub/namespaces/{namespace.name}"
        )
        raise _bad(
            f"Resources should be in the same region. Resource '{scope}' is in region "
            f"'{resource.location}' and resource '{target}' is in region '{where}'."
        )


def _check_retention(world: World, scope: str, name: str, properties: Json) -> None:
    if world.setting(scope, name) is not None:
        return
    for item in [*_logs(properties), *(properties.get("metrics") or [])]:
        retention = item.get("retentionPolicy") or {}
        if retention.get("enabled") or retention.get("days"):
            raise _bad("Diagnostic settings does not support retention for new diagnostic settings.")


def _check_limit(world: World, scope: str, name: str) -> None:
    existing = world.settings.get(scope.lower(), {})
    if name.lower() not in existing and len(existing) >= LIMIT:
        raise _conflict(
            f"The limit of {LIMIT} diagnostic settings was reached. To create new setting '{name}', "
            "delete an existing one."
        )


def _check_reuse(world: World, scope: str, name: str, properties: Json) -> None:
    wanted = enabled_categories(scope, properties)
    mine = _sinks(Setting(name, properties, wanted))
    for key, other in world.settings.get(scope.lower(), {}).items():
        if key == name.lower():
            continue
        shared = sorted(wanted & other.enabled)
        for sink in sorted(mine & _sinks(other)):
            if shared:
                raise _conflict(
                    f"Data sink '{sink[0]}' is already used in diagnostic setting '{other.name}' for "
                    f"category '{shared[0]}'. Data sinks can't be reused in different settings on the same "
                    "category for the same resource."
                )


def _sinks(setting: Setting) -> set[tuple[str, str]]:
    sinks = {(str(setting.properties[s]).lower(), "") for s in _OTHER_SINKS if setting.properties.get(s)}
    if setting.rule_id:
        sinks.add((setting.rule_id.lower(), setting.hub.lower()))
    return sinks


def _logs(properties: Json) -> list[dict[str, Any]]:
    logs = properties.get("logs") or []
    return [log for log in logs if isinstance(log, dict)]


def _group_name(text: object) -> str:
    return next((name for name in GROUPS if name.lower() == str(text).lower()), str(text))


def _bad(message: str) -> Refusal:
    return Refusal(400, "BadRequest", message, bare=True)


def _conflict(message: str) -> Refusal:
    return Refusal(409, "Conflict", message, bare=True)
