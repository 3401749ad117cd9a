"""What is wanted in Azure, worked out from the world alone, by other code than the app's."""

from dataclasses import dataclass

from local.azure.automations import may_send
from local.azure.log_categories import ACTIVITY
from local.azure.world import ExportRule, Setting, Subscription, World
from shared.model.exports import ENTRA_TABLES
from shared.model.hubs import HubAssignment, HubState
from tests.helpers.chaos_estate import AUTOMATION_GROUP, OLDER_RULE, Tenant

SETTING = "lightkeeper-logs"
RULE = "lightkeeper-entra-data-export"
OLDER = OLDER_RULE.lower()
AUTOMATION = "lightkeeperdefenderforcloudexport"
_CATEGORIES = {
    "microsoft.keyvault/vaults": {"AuditEvent"},
    "microsoft.network/networksecuritygroups": {
        "NetworkSecurityGroupEvent",
        "NetworkSecurityGroupRuleCounter",
    },
}
_LIMIT, _EXPORT_LIMIT = 5, 10


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to be true of one object.

    Attributes:
        where: the place under which its problems stand.
        possible: whether Azure and the customer allow it to be as wanted.
        standing: whether Azure has it as wanted.
    """

    where: str
    possible: bool
    standing: bool


class Wanted:
    """Looks at the world.

    Args:
        world: everything that there is in Azure.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def is_hub_right(self, row: HubAssignment) -> bool:
        """Whether the event hub of an assignment is as wanted, and so is its namespace."""
        hub = self._world.hub(row.namespace, row.hub)
        namespace = self._world.namespace(row.namespace)
        capture = hub.capture or {} if hub else {}
        return bool(
            row.state is HubState.READY
            and namespace
            and self._world.ready(namespace)
            and not namespace.body["properties"].get("disableLocalAuth")
            and hub
            and hub.captures
            and capture.get("intervalInSeconds") == 60
            and capture.get("skipEmptyArchives") is True
            and hub.retention.get("retentionTimeInHours") == 168
            and any(rule.name.lower() == "diagnostics" for rule in self._world.rules_of(row.namespace))
        )

    def of_subscription(self, tenant: Tenant, subscription: Subscription, ready: dict[str, str]) -> Expected:
        """A subscription's setting; `ready` gives the namespaces of the regions with a ready hub."""
        scope = f"/subscriptions/{subscription.subscription_id}"
        namespace = ready.get(tenant.home_region, "")
        return Expected(
            subscription.subscription_id,
            possible=_is_whole(subscription) and self._takes_settings(subscription, scope),
            standing=self._has_setting(scope, namespace, tenant.customer, set(ACTIVITY)),
        )

    def of_resource(self, tenant: Tenant, key: str, ready: dict[str, str]) -> Expected:
        """A resource's setting."""
        resource = self._world.resources[key]
        subscription = self._world.subscriptions[key.split("/")[2]]
        namespace = ready.get(resource.location, "")
        categories = _CATEGORIES[resource.resource_type.lower()]
        return Expected(
            resource.resource_id,
            possible=self._takes_settings(subscription, key),
            standing=self._has_setting(key, namespace, tenant.customer, categories),
        )

    def of_alerts(self, tenant: Tenant, subscription: Subscription, ready: dict[str, str]) -> Expected:
        """A subscription's alert export."""
        here = subscription.subscription_id
        path = (
            f"/subscriptions/{here}/resourceGroups/{AUTOMATION_GROUP}"
            f"/providers/Microsoft.Security/automations/{AUTOMATION}"
        )
        found = self._world.automations.get(path.lower())
        possible = (
            _is_whole(subscription)
            and "Security Admin" in tenant.roles
            and "microsoft.security" in subscription.providers
            and (here, AUTOMATION_GROUP.lower()) in self._world.groups
        )
        standing = False
        if found is not None and possible:
            actions = found.properties.get("actions") or [{}]
            hub_id = str(actions[0].get("eventHubResourceId")).lower()
            standing = (
                found.properties.get("isEnabled") is True
                and [each["eventSource"] for each in found.properties["sources"]] == ["Alerts"]
                and hub_id.endswith(f"/{ready.get(tenant.home_region)}/eventhubs/{tenant.customer}")
                and may_send(self._world, actions[0])
            )
        return Expected(f"{here} alerts", possible=possible, standing=standing)

    def of_workspace(self, tenant: Tenant, ready: dict[str, str]) -> Expected:
        """The export rule of a customer's workspace, or the older one in its stead."""
        key = tenant.workspace_id.lower()
        subscription = self._world.subscriptions[key.split("/")[2]]
        rules = self._world.exports.get(key, {})
        namespace = ready.get(self._world.resources[key].location, "")
        destination = (namespace, tenant.customer)
        adoptable = OLDER in rules and _destination(rules[OLDER]) == destination
        others = sum(
            each.enabled for name, each in rules.items() if name != RULE and not (name == OLDER and adoptable)
        )
        whole = {
            name
            for name, rule in rules.items()
            if rule.enabled
            and _destination(rule) == destination
            and {table.lower() for table in rule.tables or ()} == {table.lower() for table in ENTRA_TABLES}
        }
        standing = bool(subscription.delegations) and bool(whole & {RULE, OLDER})
        possible = (
            bool(subscription.delegations)
            and subscription.state == "Enabled"
            and "microsoft.insights" in subscription.providers
            and others < _EXPORT_LIMIT
        )
        return Expected(tenant.workspace_id, possible=possible, standing=standing)

    def resources_of(self, tenant: Tenant, watched: set[str]) -> set[str]:
        """IDs of the resources that are to be kept: of monitored types, and to be seen by us."""
        found: set[str] = set()
        for key in sorted(watched & set(tenant.subscriptions)):
            groups = {each.group for each in self._world.subscriptions[key].delegations}
            found |= {
                resource.resource_id.lower()
                for resource in self._world.resources_of(key)
                if resource.resource_type.lower() in _CATEGORIES
                and (None in groups or resource.group.lower() in {str(group).lower() for group in groups})
            }
        return found

    def _takes_settings(self, subscription: Subscription, scope: str) -> bool:
        settings = self._world.settings.get(scope.lower(), {})
        room = SETTING in settings or len(settings) < _LIMIT
        return room and "microsoft.insights" in subscription.providers

    def _has_setting(self, scope: str, namespace: str, hub: str, categories: set[str]) -> bool:
        found: Setting | None = self._world.setting(scope, SETTING)
        if found is None or not namespace:
            return False
        tail = f"/namespaces/{namespace}/authorizationrules/diagnostics"
        return (found.hub, set(found.enabled)) == (hub, categories) and found.rule_id.lower().endswith(tail)


def _destination(rule: ExportRule) -> tuple[str, str]:
    return (rule.destination.lower().rpartition("/")[2], rule.hub.lower())


def _is_whole(subscription: Subscription) -> bool:
    return any(each.group is None for each in subscription.delegations)


def foreign(world: World) -> dict[str, object]:
    """Everything in customers' subscriptions that others made and nobody has changed since."""
    found: dict[str, object] = {}
    for scope, settings in world.settings.items():
        found |= {f"{scope} {name}": each for name, each in settings.items() if name != SETTING}
    for workspace, rules in world.exports.items():
        found |= {f"{workspace} {name}": each for name, each in rules.items() if name not in (RULE, OLDER)}
    found |= {key: each for key, each in world.automations.items() if not key.endswith(AUTOMATION)}
    return found
