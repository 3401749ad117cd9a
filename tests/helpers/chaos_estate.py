"""Small estates drawn from a seed: customers, subscriptions, resources, and what others set up there."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from local.azure.clock import Clock
from local.azure.estate import Provider, build_world
from local.azure.log_categories import ACTIVITY, categories_of
from local.azure.roles import LOG_ANALYTICS_CONTRIBUTOR, READER, SECURITY_ADMIN
from local.azure.world import Automation, Delegation, ExportRule, Resource, Setting, Subscription, World
from tests.helpers.facts import GROUP, PROVIDER_SUBSCRIPTION, PROVIDER_TENANT

PROVIDER = Provider(PROVIDER_TENANT, PROVIDER_SUBSCRIPTION, GROUP)
BEGINNING = datetime(2020, 2, 28, 22, 0, tzinfo=UTC)
VAULT = "Microsoft.KeyVault/vaults"
MONITORED = (VAULT, "Microsoft.Network/networkSecurityGroups")
_UNMONITORED = ("Microsoft.Storage/storageAccounts", "Microsoft.Network/networkInterfaces")
_WORKSPACE = "Microsoft.OperationalInsights/workspaces"
_REGIONS = ("westeurope", "eastus", "uksouth")
_GROUPS = ("rg-app", "RG-Prod", "rg_data.(old)")
_FOREIGN = (0, 0, 0, 0, 1, 1, 2, 4, 5)
AUTOMATION_GROUP = "LightkeeperAutomation"
OLDER_RULE = "Older-Entra"
"""Name of the export rule that ours takes the place of."""

_MOST_RULES = 10


@dataclass(slots=True)
class Tenant:
    """One customer as drawn.

    Attributes:
        customer: slug.
        tenant_id: its tenant.
        home_region: of the hub for activity logs.
        subscriptions: IDs.
        roles: that it delegates.
        workspace_id: the workspace that it names, or empty.
        cap: how many of its subscriptions are covered at most.
    """

    customer: str
    tenant_id: str
    home_region: str
    roles: tuple[str, ...]
    subscriptions: list[str] = field(default_factory=list)
    workspace_id: str = ""
    cap: int = 2000


@dataclass(slots=True)
class Estate:
    """A world, and who is in it."""

    world: World
    tenants: list[Tenant]


def draw_estate(random: Random) -> Estate:
    """An estate with all its oddities."""
    world = build_world(PROVIDER, seed=random.getrandbits(32), clock=Clock(BEGINNING))
    world.page_size = random.choice((1, 2, 3, 1000))
    world.namespace_seconds = random.choice((0.0, 30.0, 200.0))
    world.graph_lag_seconds = random.choice((0.0, 0.0, 60.0))
    estate = Estate(world, [])
    for number in range(random.choice((1, 1, 1, 2))):
        roles = (READER.name, LOG_ANALYTICS_CONTRIBUTOR.name, SECURITY_ADMIN.name)
        tenant = Tenant(
            customer=("contoso", "fabrikam")[number],
            tenant_id=world.guid(),
            home_region=random.choice(_REGIONS[:2]),
            roles=roles[: random.choice((2, 3, 3, 3))],
            cap=random.choice((1, 2, 2000, 2000, 2000, 2000)),
        )
        for _ in range(random.choice((1, 1, 2, 2, 3, 4))):
            tenant.subscriptions.append(_add_subscription(world, tenant, random))
        if random.random() < 0.5:
            tenant.workspace_id = _add_workspace(world, tenant, random)
        estate.tenants.append(tenant)
    return estate


def delegation(world: World, roles: tuple[str, ...], group: str | None = None) -> Delegation:
    """What a customer delegates to the app."""
    grants = frozenset((world.app.object_id, role) for role in roles)
    return Delegation(world.provider_tenant, grants, group)


def _add_subscription(world: World, tenant: Tenant, random: Random) -> str:
    fate = random.choice(("whole", "whole", "whole", "whole", "whole", "part", "none", "disabled"))
    group = _GROUPS[0] if fate == "part" else None
    subscription = Subscription(
        world.guid(),
        tenant.tenant_id,
        f"{tenant.customer}-{len(tenant.subscriptions)}",
        state="Disabled" if fate == "disabled" else "Enabled",
        delegations=() if fate == "none" else (delegation(world, tenant.roles, group),),
    )
    world.add_subscription(subscription)
    here = subscription.subscription_id
    for name in _GROUPS:
        world.add_group(here, name, random.choice(_REGIONS))
    for provider in ("microsoft.insights", "microsoft.security"):
        if random.random() < 0.06:
            left = world.subscriptions[here].providers - {provider}
            world.change_subscription(here, providers=left)
    if random.random() < 0.7:
        world.add_group(here, AUTOMATION_GROUP, random.choice(_REGIONS))
        _add_foreign_automation(world, here)
    for _ in range(random.choice((0, 0, 1, 1, 2, 3, 4))):
        add_resource(world, here, random)
    _add_foreign_settings(world, f"/subscriptions/{here}", ACTIVITY, random)
    return here


def add_resource(world: World, subscription_id: str, random: Random) -> str:
    """Put in a resource of any kind, oddly spelled at times; gives its ID."""
    kind = random.choice((VAULT, VAULT, VAULT, *MONITORED, *_UNMONITORED))
    name = f"{kind.rpartition('/')[2][:4]}-{world.guid()[:8]}"
    path = f"/subscriptions/{subscription_id}/resourceGroups/{random.choice(_GROUPS)}/providers/{kind}/{name}"
    spelled = random.choice(
        (path, path, path.lower(), path.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))
    )
    world.write_resource(Resource(spelled, kind, random.choice(_REGIONS[:2])))
    _add_foreign_settings(world, spelled, categories_of(kind.lower()) or (), random)
    return spelled


def _add_workspace(world: World, tenant: Tenant, random: Random) -> str:
    begin = f"/subscriptions/{random.choice(tenant.subscriptions)}/resourceGroups/{_GROUPS[0]}/providers"
    workspace, region = f"{begin}/{_WORKSPACE}/Sentinel", random.choice(_REGIONS)
    world.add_resource(Resource(workspace, _WORKSPACE, region))
    rules = {
        f"theirs-{number}": ExportRule(
            f"theirs-{number}",
            world.guid(),
            f"{begin}/Microsoft.Storage/storageAccounts/export{number}",
            "",
            ("Syslog",),
            enabled=True,
            created_at=BEGINNING,
            changed_at=BEGINNING,
        )
        for number in range(random.choice((0, 0, 1, 2, 10)))
    }
    if random.random() < 0.5 and len(rules) < _MOST_RULES:
        rules[OLDER_RULE.lower()] = _older_rule(
            world, region, random.choice((tenant.customer, "older")), random
        )
    world.exports[workspace.lower()] = rules
    return workspace


def _older_rule(world: World, region: str, hub: str, random: Random) -> ExportRule:
    """A rule from the time before ours: to the hub that ours is to have, or to one of its own."""
    group = f"/subscriptions/{PROVIDER.subscription_id}/resourceGroups/{PROVIDER.group}"
    return ExportRule(
        OLDER_RULE,
        world.guid(),
        f"{group}/providers/Microsoft.EventHub/namespaces/lightkeeper-{region}-1",
        hub,
        ("AuditLogs", "SigninLogs"),
        enabled=random.random() < 0.8,
        created_at=BEGINNING,
        changed_at=BEGINNING,
    )


def _add_foreign_automation(world: World, subscription_id: str) -> None:
    path = (
        f"/subscriptions/{subscription_id}/resourceGroups/{AUTOMATION_GROUP}"
        "/providers/Microsoft.Security/automations/theirs"
    )
    location = world.groups[subscription_id, AUTOMATION_GROUP.lower()]
    world.automations[path.lower()] = Automation(path, location, {}, {"isEnabled": True}, '"theirs"')


def _add_foreign_settings(world: World, scope: str, categories: tuple[str, ...], random: Random) -> None:
    for number in range(random.choice(_FOREIGN) if categories else 0):
        sink = f"/subscriptions/{scope.split('/')[2]}/resourceGroups/logs/providers/Microsoft.Storage"
        properties = {
            "storageAccountId": f"{sink}/storageAccounts/theirs{number}",
            "logs": [{"category": categories[0], "enabled": True}],
        }
        name = f"theirs-{number}"
        world.settings.setdefault(scope.lower(), {})[name] = Setting(
            name, properties, frozenset(categories[:1])
        )
