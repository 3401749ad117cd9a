"""Draws what stands in a customer's subscription: resources of many types, and what others set up on them.

Names, groups and casing are as odd as customers'; foreign diagnostic settings and export rules leave little
or no room for ours.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.azure.log_categories import ACTIVITY, categories_of
from local.azure.world import ExportRule, Resource, Setting, Subscription, World

_WEIGHTS = {
    "Microsoft.KeyVault/vaults": 40,
    "Microsoft.Storage/storageAccounts": 12,
    "Microsoft.Network/networkSecurityGroups": 10,
    "Microsoft.Compute/virtualMachines": 8,
    "Microsoft.Network/networkInterfaces": 8,
    "Microsoft.Sql/servers/databases": 6,
    "Microsoft.Web/sites": 6,
    "Microsoft.ContainerService/managedClusters": 4,
    "Microsoft.Network/applicationGateways": 2,
    "Microsoft.Network/azureFirewalls": 2,
    "Microsoft.Network/trafficManagerProfiles": 2,
}
_GLOBAL = frozenset({"Microsoft.Network/trafficManagerProfiles"})
_GROUPS = ("rg-app", "RG-Prod", "Default-Storage-WestEurope", "rg_data.(old)", "MC_aks_prod_westeurope")
_FOREIGN = (0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5)
_WATCHED = 0.1
_LONG_AGO = datetime(2024, 5, 14, 9, 30, tzinfo=UTC)
_ODD_CASE = 0.1
_WORKSPACE = 0.2
_FULL_WORKSPACE = 0.05


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much is drawn.

    Attributes:
        resources: in each subscription, workspaces included.
        regions: from which locations are drawn; the first is the most frequent.
        foreign: whether others have set things up as well.
    """

    resources: int
    regions: tuple[str, ...]
    foreign: bool = True


def furnish(world: World, subscription: Subscription, home: str, amounts: Amounts) -> None:
    """Put resources into a subscription, and what others have set up on them.

    Args:
        world: where.
        subscription: in which.
        home: a resource group that is there, and that some of them are put into.
        amounts: how much.
    """
    chance = world.random
    place = f"/subscriptions/{subscription.subscription_id}/resourceGroups"
    kinds = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=amounts.resources)
    if amounts.resources and chance.random() < _WORKSPACE:
        kinds[-1] = "Microsoft.OperationalInsights/workspaces"
    for number, kind in enumerate(kinds):
        group, region = chance.choice((home, *_GROUPS)), _region(world, amounts)
        if (subscription.subscription_id, group.lower()) not in world.groups:
            world.add_group(subscription.subscription_id, group, region)
        where = "global" if kind in _GLOBAL else region
        resource = Resource(
            f"{place}/{group}/providers/{_path(world, kind, number)}",
            kind.lower() if chance.random() < _ODD_CASE else kind,
            where,
            {"tags": {"owner": "team"} if number % 3 else {}},
        )
        world.add_resource(resource)
        if amounts.foreign:
            _add_foreign(world, resource)
    if amounts.foreign and chance.random() < _WATCHED:
        scope = f"/subscriptions/{subscription.subscription_id}"
        _add_settings(world, scope, ACTIVITY, chance.choice(_FOREIGN))


def _region(world: World, amounts: Amounts) -> str:
    return world.random.choice((amounts.regions[0], amounts.regions[0], *amounts.regions))


def _path(world: World, kind: str, number: int) -> str:
    """Provider, types and names of a resource's ID; child types get a parent."""
    provider, *types = kind.split("/")
    tail = f"{world.random.getrandbits(24):06x}"
    name = f"{types[-1][:4]}-{number}-{tail}"
    if world.random.random() < _ODD_CASE:
        name = name.upper() if number % 2 else name.title().replace("-", "_")
    names = [f"parent-{tail}"] * (len(types) - 1) + [name]
    return "/".join([provider, *(part for pair in zip(types, names, strict=True) for part in pair)])


def _add_foreign(world: World, resource: Resource) -> None:
    logs = categories_of(resource.resource_type.lower())
    if logs:
        _add_settings(world, resource.resource_id, logs, world.random.choice(_FOREIGN))
    if resource.resource_type.lower() == "microsoft.operationalinsights/workspaces":
        _add_exports(world, resource)


def _add_settings(world: World, scope: str, logs: tuple[str, ...], count: int) -> None:
    """Settings of others, each with a sink of its own."""
    for number in range(count):
        name = f"foreign-{number}"
        sink = f"/subscriptions/{scope.split('/')[2]}/resourceGroups/rg-logs/providers/" + (
            f"Microsoft.OperationalInsights/workspaces/siem-{number}"
            if number % 2
            else f"Microsoft.Storage/storageAccounts/logs{number}"
        )
        chosen = logs[: world.random.randrange(1, len(logs) + 1)]
        properties: dict[str, Any] = {
            "workspaceId" if number % 2 else "storageAccountId": sink,
            "logs": [{"category": each, "enabled": True} for each in chosen],
        }
        setting = Setting(name, properties, frozenset(chosen))
        world.settings.setdefault(scope.lower(), {})[name] = setting


def _add_exports(world: World, workspace: Resource) -> None:
    """Export rules of others; now and then so many that there is no room for ours."""
    chance = world.random
    count = 10 if chance.random() < _FULL_WORKSPACE else chance.randrange(3)
    for number in range(count):
        name = f"foreign-export-{number}"
        account = f"{workspace.resource_id.partition('/providers/')[0]}/providers/Microsoft.Storage"
        rule = ExportRule(
            name,
            world.guid(),
            f"{account}/storageAccounts/export{number}",
            "",
            ("SecurityEvent", "Syslog")[: number % 2 + 1],
            enabled=True,
            created_at=_LONG_AGO,
            changed_at=_LONG_AGO,
        )
        world.exports.setdefault(workspace.resource_id.lower(), {})[name] = rule
