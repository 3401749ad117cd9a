"""What goes wrong in a history: people's changes, faults, and jobs from elsewhere, drawn from a seed."""

from dataclasses import replace
from random import Random

from local.azure.app import SimulatedAzure
from local.azure.faults import Fault, FaultKind
from local.azure.hands import Hands
from local.azure.log_categories import ACTIVITY
from tests.helpers.chaos_estate import MONITORED, Estate, Tenant, add_resource
from tests.helpers.chaos_wanted import AUTOMATION, OLDER, RULE, SETTING

_MOST_TORN = 2
"""Listings in a row that may look whole and are not, before three of them would make something gone."""

_LASTING = (
    FaultKind.DROP,
    FaultKind.DROP_AFTER,
    FaultKind.ERROR_500,
    FaultKind.ERROR_503,
    FaultKind.THROTTLED,
    FaultKind.KEEP_NOTHING,
    FaultKind.STALE_READ,
)
_WHERE = (
    "",
    "/diagnosticSettings",
    "/providers/Microsoft.EventHub",
    "/dataExports",
    "/automations",
    "/subscriptions",
    "/resources",
)


class Events:
    """Does one thing at a time, and says what it did in one line.

    Attributes:
        once_hidden: IDs, in lower case, of what a listing may have missed with reason.
    """

    def __init__(self, estate: Estate, azure: SimulatedAzure, random: Random) -> None:
        self._estate = estate
        self._azure = azure
        self._world = estate.world
        self._random = random
        self._hands = Hands(azure)
        self._torn = {"/subscriptions": 0, "/resources": 0}
        self.once_hidden: set[str] = set()

    def draw(self) -> str:
        """Do anything."""
        kinds = (
            self._setting,
            self._setting,
            self._resource,
            self._resource,
            self._empty_region,
            self._delegation,
            self._state,
            self._provider,
            self._hub,
            self._namespace,
            self._rule,
            self._automation,
            self._fault,
            self._fault,
            self._fault,
            self._torn_listing,
            self._calm,
        )
        return self._random.choice(kinds)()

    def _setting(self) -> str:
        scopes = sorted(scope for scope, found in self._world.settings.items() if SETTING in found)
        if not scopes:
            return "no setting to change"
        scope = self._random.choice(scopes)
        if scope.count("/") > 2 and scope not in self._world.resources:
            del self._world.settings[scope][SETTING]
            return f"setting of a resource that is gone deleted: {scope}"
        name = self._world.settings[scope][SETTING].name
        how = self._random.choice(("delete", "hub", "category", "all categories", "rule"))
        setting = self._world.settings[scope][SETTING]
        match how:
            case "delete":
                self._hands.delete_setting(scope, name)
            case "category":
                self._world.settings[scope][SETTING] = replace(
                    setting,
                    enabled=frozenset(sorted(setting.enabled)[1:]),
                    properties={
                        **setting.properties,
                        "logs": [
                            {"category": each, "enabled": bool(number)}
                            for number, each in enumerate(sorted(setting.enabled))
                        ],
                    },
                )
            case "all categories":
                known = ACTIVITY if scope.count("/") == 2 else ("AuditEvent",)
                logs = [{"category": each, "enabled": False} for each in known]
                self._world.settings[scope][SETTING] = replace(
                    setting, enabled=frozenset(), properties={**setting.properties, "logs": logs}
                )
            case "hub":
                changed = {**setting.properties, "eventHubName": "theirs"}
                self._world.settings[scope][SETTING] = replace(setting, properties=changed)
            case _:
                rule = setting.rule_id.replace("lightkeeper-", "theirs-")
                changed = {**setting.properties, "eventHubAuthorizationRuleId": rule}
                self._world.settings[scope][SETTING] = replace(setting, properties=changed)
        return f"setting changed ({how}): {scope}"

    def _resource(self) -> str:
        chosen = sorted(
            key
            for key, each in self._world.resources.items()
            if each.resource_type.lower() in {kind.lower() for kind in MONITORED}
        )
        how = self._random.choice(("new", "delete", "move", "anew", "group"))
        if how == "new" or not chosen:
            tenant = self._random.choice(self._estate.tenants)
            home = self._random.choice(tenant.subscriptions)
            return f"resource made: {add_resource(self._world, home, self._random)}"
        key = self._random.choice(chosen)
        resource = self._world.resources[key]
        self.once_hidden.add(key)
        match how:
            case "delete":
                self._hands.delete_resource(resource.resource_id)
            case "move":
                elsewhere = "eastus" if resource.location == "westeurope" else "westeurope"
                self._hands.move_to_region(resource.resource_id, elsewhere)
            case "anew":
                self._hands.make_anew(resource.resource_id)
            case _:
                self._move(resource.resource_id)
        return f"resource ({how}): {key}"

    def _empty_region(self) -> str:
        """Somebody deletes everything that is monitored in one region."""
        tenant = self._random.choice(self._estate.tenants)
        region = self._random.choice(("eastus", "westeurope"))
        monitored = {kind.lower() for kind in MONITORED}
        chosen = sorted(
            key
            for subscription in tenant.subscriptions
            for each in self._world.resources_of(subscription)
            if each.resource_type.lower() in monitored
            and each.location == region
            and (key := each.resource_id.lower())
        )
        for key in chosen:
            self.once_hidden.add(key)
            self._hands.delete_resource(self._world.resources[key].resource_id)
        return f"everything deleted in {region}: {len(chosen)} of {tenant.customer}"

    def _move(self, resource_id: str) -> None:
        before = self._world.resources[resource_id.lower()]
        parts = before.resource_id.split("/")
        parts[4] = "RG-Prod" if parts[4].lower() != "rg-prod" else "rg-app"
        moved = "/".join(parts)
        if moved.lower() in self._world.resources:
            return
        self._world.remove_resource(resource_id)
        self._world.write_resource(replace(before, resource_id=moved))
        self.once_hidden.add(moved.lower())

    def _delegation(self) -> str:
        tenant, key = self._any_subscription()
        subscription = self._world.subscriptions[key]
        self._hide(key)
        if subscription.delegations:
            self._hands.withdraw(key)
            return f"delegation withdrawn: {key}"
        self._hands.delegate(key, roles=list(tenant.roles))
        return f"delegated: {key}"

    def _state(self) -> str:
        _, key = self._any_subscription()
        state = "Enabled" if self._world.subscriptions[key].state == "Disabled" else "Disabled"
        self._world.change_subscription(key, state=state)
        return f"{state}: {key}"

    def _provider(self) -> str:
        _, key = self._any_subscription()
        provider = self._random.choice(("microsoft.insights", "microsoft.security"))
        registered = self._world.subscriptions[key].providers
        self._world.change_subscription(key, providers=registered ^ {provider})
        return f"{provider} {'un' if provider in registered else ''}registered: {key}"

    def _hub(self) -> str:
        if not self._world.hubs:
            return "no hub to change"
        namespace, hub = self._random.choice(sorted(self._world.hubs))
        how = self._random.choice(("delete", "capture off", "capture interval", "retention"))
        found = self._world.hubs[namespace, hub]
        match how:
            case "delete":
                del self._world.hubs[namespace, hub]
            case "capture off":
                changed = {**(found.capture or {}), "enabled": False}
                self._world.hubs[namespace, hub] = replace(found, capture=changed)
            case "capture interval":
                changed = {**(found.capture or {}), "intervalInSeconds": 900}
                self._world.hubs[namespace, hub] = replace(found, capture=changed)
            case _:
                shorter = {**found.retention, "retentionTimeInHours": 24}
                self._world.hubs[namespace, hub] = replace(found, retention=shorter)
        return f"event hub ({how}): {namespace}/{hub}"

    def _namespace(self) -> str:
        names = sorted(name for name, each in self._world.namespaces.items() if self._world.ready(each))
        if not names:
            return "no namespace to change"
        name = self._random.choice(names)
        if self._random.random() < 0.4:
            self._hands.delete_namespace(name)
            return f"namespace deleted: {name}"
        if self._random.random() < 0.3:
            found = self._world.namespaces[name]
            closed = {**found.body, "properties": {**found.body["properties"], "disableLocalAuth": True}}
            self._world.namespaces[name] = replace(found, body=closed)
            return f"namespace takes no keys: {name}"
        rules = sorted(key for key in self._world.rules if key[0] == name)
        for key in rules:
            fresh = self._world.guid()
            self._world.rules[key] = replace(self._world.rules[key], primary_key=fresh, secondary_key=fresh)
        return f"keys rotated: {name}"

    def _rule(self) -> str:
        chosen = sorted(
            (workspace, name)
            for workspace, rules in self._world.exports.items()
            for name in rules.keys() & {RULE, OLDER}
        )
        if not chosen:
            return "no export rule to change"
        workspace, name = self._random.choice(chosen)
        rule = self._world.exports[workspace][name]
        how = self._random.choice(("delete", "disable", "tables", "hub"))
        match how:
            case "delete":
                self._hands.delete_export_rule(workspace, name)
            case "disable":
                self._world.exports[workspace][name] = replace(rule, enabled=False)
            case "tables":
                self._world.exports[workspace][name] = replace(rule, tables=("AuditLogs",))
            case _:
                self._world.exports[workspace][name] = replace(rule, hub="")
        return f"export rule {name} ({how}): {workspace}"

    def _automation(self) -> str:
        ours = sorted(key for key in self._world.automations if key.endswith(AUTOMATION))
        if not ours:
            return "no automation to change"
        key = self._random.choice(ours)
        if self._random.random() < 0.5:
            self._hands.delete_automation(key)
            return f"automation deleted: {key}"
        found = self._world.automations[key]
        disabled = {**found.properties, "isEnabled": False}
        self._world.automations[key] = replace(found, properties=disabled)
        return f"automation disabled: {key}"

    def _fault(self) -> str:
        fault = Fault(
            self._random.choice(_LASTING),
            method=self._random.choice(("", "", "GET", "PUT")),
            path=self._random.choice(_WHERE),
            calls=self._random.choice((None, 1, 2, 5, 20)),
            skip=self._random.choice((0, 0, 1, 3)),
            seconds=self._random.choice((1, 30, 300)),
        )
        self._azure.faults.switch_on(f"{fault.kind}", fault)
        return f"fault: {fault}"

    def _torn_listing(self) -> str:
        path = self._random.choice(sorted(self._torn))
        kind = self._random.choice((FaultKind.EMPTY_PAGE, FaultKind.LOST_NEXT_LINK))
        if self._random.random() < 0.4:
            graph = Fault(kind, method="POST", path="/Microsoft.ResourceGraph/resources")
            self._azure.faults.switch_on("torn graph", graph)
            return f"fault: {graph}"
        left = _MOST_TORN - self._torn[path]
        if left <= 0:
            return "no further torn listing"
        fault = Fault(kind, method="GET", path=path, calls=self._random.randint(1, left))
        self._torn[path] += fault.calls or 0
        self._azure.faults.switch_on(f"torn {path} {self._torn[path]}", fault)
        return f"fault: {fault}"

    def _calm(self) -> str:
        self._azure.faults.switch_off()
        return "faults off"

    def _any_subscription(self) -> tuple[Tenant, str]:
        tenant = self._random.choice(self._estate.tenants)
        return tenant, self._random.choice(tenant.subscriptions)

    def _hide(self, subscription_id: str) -> None:
        self.once_hidden.add(subscription_id)
        self.once_hidden |= {each.resource_id.lower() for each in self._world.resources_of(subscription_id)}
