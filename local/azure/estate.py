"""Estates: a provider and customers with subscriptions, drawn from a seed and a size or built by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from local.azure.clock import Clock
from local.azure.furnishing import Amounts, furnish
from local.azure.roles import CONTRIBUTOR, LOG_ANALYTICS_CONTRIBUTOR, READER
from local.azure.world import Delegation, Principal, Resource, Subscription, World

REGIONS = ("westeurope", "eastus", "northeurope", "uksouth", "australiaeast")
_ODD = 30
_UNREGISTERED = {"microsoft.insights": 0.04, "microsoft.security": 0.1}
_OFFERS = ("EnterpriseAgreement_2014-09-01", "PayAsYouGo_2014-09-01", "CSP_2015-05-01", "MSDN_2014-09-01")


@dataclass(frozen=True, slots=True)
class Provider:
    """The managing side: where namespaces are made, and what Capture may use.

    Attributes:
        tenant_id: the managing tenant.
        subscription_id: its subscription.
        group: resource group of the namespaces, storage account and identity.
        storage: connection string behind the storage account.
        storage_name: name of the storage account.
        identity_name: name of the user-assigned identity with which Capture writes.
        region: of the resource group.
    """

    tenant_id: str
    subscription_id: str
    group: str = "lightkeeper"
    storage: str = ""
    storage_name: str = "lightkeepercapture"
    identity_name: str = "lightkeeper-capture"
    region: str = "eastus"

    @property
    def storage_id(self) -> str:
        """ID of the storage account."""
        return f"{self._begin}/Microsoft.Storage/storageAccounts/{self.storage_name}"

    @property
    def identity_id(self) -> str:
        """ID of the user-assigned identity."""
        return f"{self._begin}/Microsoft.ManagedIdentity/userAssignedIdentities/{self.identity_name}"

    @property
    def _begin(self) -> str:
        return f"/subscriptions/{self.subscription_id}/resourceGroups/{self.group}/providers"


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer tenant as it was built.

    Attributes:
        name: short name.
        tenant_id: its tenant.
        delegated: IDs of subscriptions delegated to the provider and enabled.
        not_delegated: IDs of subscriptions that are not delegated.
        disabled: IDs of delegated subscriptions that are disabled.
        partial: IDs of subscriptions of which only a resource group is delegated.
    """

    name: str
    tenant_id: str
    delegated: tuple[str, ...]
    not_delegated: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """IDs of all its subscriptions."""
        return (*self.delegated, *self.not_delegated, *self.disabled, *self.partial)


def build_world(provider: Provider, *, seed: int = 0, clock: Clock | None = None) -> World:
    """A world with the provider's side in it and no customers."""
    world = World(provider.tenant_id, provider.subscription_id, clock or Clock(), seed)
    app = Principal(world.guid(), world.guid(), provider.tenant_id, "lightkeeper")
    world.principals[""] = app
    world.principals[app.client_id] = app
    home = Subscription(
        provider.subscription_id,
        provider.tenant_id,
        "Provider",
        providers=frozenset({"microsoft.insights", "microsoft.eventhub", "microsoft.storage"}),
    )
    world.add_subscription(home)
    world.add_group(provider.subscription_id, provider.group, provider.region)
    world.grants.add((app.object_id, CONTRIBUTOR.name, f"/subscriptions/{provider.subscription_id}".lower()))
    world.storage_accounts[provider.storage_id.lower()] = provider.storage
    world.identities.add(provider.identity_id.lower())
    return world


def delegation_to_provider(world: World, group: str | None = None) -> Delegation:
    """What the Lighthouse offer gives: Reader and Log Analytics Contributor to the app's identity."""
    roles = (READER.name, LOG_ANALYTICS_CONTRIBUTOR.name)
    grants = frozenset((world.app.object_id, role) for role in roles)
    return Delegation(world.provider_tenant, grants, group)


def add_customer(
    world: World,
    name: str,
    subscriptions: int,
    *,
    tenant_id: str = "",
    not_delegated: int = 0,
    disabled: int = 0,
    partial: int = 0,
    vaults: int = 1,
    regions: Sequence[str] = REGIONS,
) -> Customer:
    """Add a customer tenant.

    Args:
        world: where.
        name: short name; subscriptions are called after it.
        subscriptions: how many in all, the following included.
        tenant_id: drawn if empty.
        not_delegated: how many of them are not delegated.
        disabled: how many are delegated but disabled.
        partial: of how many only one resource group is delegated.
        vaults: key vaults in each.
        regions: from which each draws its own.
    """
    tenant = tenant_id or world.guid()
    fates = ["not_delegated"] * not_delegated + ["disabled"] * disabled + ["partial"] * partial
    fates = ["delegated"] * (subscriptions - len(fates)) + fates
    ids: dict[str, list[str]] = {"delegated": [], "not_delegated": [], "disabled": [], "partial": []}
    for number, fate in enumerate(fates, 1):
        delegation = delegation_to_provider(world, f"{name}-rg" if fate == "partial" else None)
        subscription = Subscription(
            world.guid(),
            tenant,
            f"{name}-{number:04d}",
            state="Disabled" if fate == "disabled" else "Enabled",
            quota_id=world.random.choice(_OFFERS),
            delegations=() if fate == "not_delegated" else (delegation, *_others(world, number)),
        )
        world.add_subscription(subscription)
        _furnish(world, subscription, f"{name}-rg", vaults, world.random.choice(list(regions)))
        ids[fate].append(subscription.subscription_id)
    return Customer(name, tenant, **{fate: tuple(found) for fate, found in ids.items()})


def _others(world: World, number: int) -> tuple[Delegation, ...]:
    """Every fifth subscription is managed by somebody else as well."""
    return (Delegation(world.guid()),) if number % 5 == 0 else ()


def _furnish(world: World, subscription: Subscription, group: str, vaults: int, region: str) -> None:
    world.add_group(subscription.subscription_id, group, region)
    for number in range(vaults):
        begin = f"/subscriptions/{subscription.subscription_id}/resourceGroups/{group}/providers"
        vault = f"{begin}/Microsoft.KeyVault/vaults/kv-{subscription.subscription_id[:8]}-{number}"
        world.add_resource(Resource(vault, "Microsoft.KeyVault/vaults", region))


def generate(
    provider: Provider,
    *,
    seed: int,
    customers: int,
    subscriptions: int,
    resources: int | None = None,
    regions: Sequence[str] = REGIONS,
    foreign: bool = True,
    odd: bool = True,
) -> World:
    """A whole world from a seed and a size.

    Args:
        provider: the managing side.
        seed: all chance comes from it.
        customers: how many tenants.
        subscriptions: in each of them.
        resources: in each subscription, of several types; None gives each one key vault.
        regions: from which locations are drawn.
        foreign: whether others have settings and export rules there too.
        odd: whether about one subscription in ten is partly delegated, not delegated, disabled, or lacks
            a resource provider.
    """
    world = build_world(provider, seed=seed)
    for number in range(1, customers + 1):
        fates = _odd_ones(world, subscriptions if odd else 0, drawn=resources is not None)
        customer = add_customer(
            world,
            f"customer{number:03d}",
            subscriptions,
            not_delegated=fates["not_delegated"],
            disabled=fates["disabled"],
            partial=fates["partial"],
            vaults=1 if resources is None else 0,
            regions=regions,
        )
        if resources is None:
            continue
        home = world.random.sample(list(regions), len(regions))
        amounts = Amounts(resources, tuple(home), foreign=foreign)
        for subscription_id in customer.subscriptions:
            furnish(world, world.subscriptions[subscription_id], f"{customer.name}-rg", amounts)
            if odd:
                _forget_providers(world, subscription_id)
    return world


def _odd_ones(world: World, subscriptions: int, *, drawn: bool) -> dict[str, int]:
    """How many subscriptions have which odd fate: drawn for each, or one in thirty."""
    counts = dict.fromkeys(("not_delegated", "disabled", "partial"), 0 if drawn else subscriptions // 30)
    for _ in range(subscriptions if drawn else 0):
        fate = world.random.randrange(_ODD)
        if fate < len(counts):
            counts[list(counts)[fate]] += 1
    return counts


def _forget_providers(world: World, subscription_id: str) -> None:
    """Leave a resource provider unregistered in a few subscriptions."""
    chance = world.random
    missing = {provider for provider, often in _UNREGISTERED.items() if chance.random() < often}
    if missing:
        registered = world.subscriptions[subscription_id].providers - missing
        world.change_subscription(subscription_id, providers=registered)
