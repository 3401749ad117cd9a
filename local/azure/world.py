"""All shared state of the simulated Azure: who owns what, who may do what, and what stands where.

Facts are frozen and are replaced, never changed, so that a snapshot is a plain copy. IDs compare
without case, so every dictionary is keyed by the lower-cased ID or name.
"""

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any

from local.azure.clock import Clock
from local.azure.http import Json


@dataclass(frozen=True, slots=True)
class Principal:
    """A managed identity or user that calls.

    Attributes:
        object_id: in its tenant's directory.
        client_id: of its application.
        tenant_id: its home.
        name: for messages; a user's principal name, or the client ID.
    """

    object_id: str
    client_id: str
    tenant_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Delegation:
    """One Azure Lighthouse assignment of a subscription or of one resource group in it.

    Attributes:
        tenant_id: the managing tenant.
        grants: pairs of principal's object ID and role name.
        group: resource group in lower case; None delegates the whole subscription.
    """

    tenant_id: str
    grants: frozenset[tuple[str, str]] = frozenset()
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription, as its owner sees it."""

    subscription_id: str
    tenant_id: str
    name: str
    state: str = "Enabled"
    quota_id: str = "EnterpriseAgreement_2014-09-01"
    providers: frozenset[str] = frozenset({"microsoft.insights", "microsoft.keyvault", "microsoft.resources"})
    delegations: tuple[Delegation, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource in a resource group; `resource_id` as Azure spells it today."""

    resource_id: str
    resource_type: str
    location: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One diagnostic setting as it was written.

    Attributes:
        name: as first spelled.
        properties: the `properties` of the last PUT.
        enabled: enabled log categories, as Azure spells them.
    """

    name: str
    properties: Json
    enabled: frozenset[str]

    @property
    def rule_id(self) -> str:
        """ID of the namespace's authorization rule, or empty."""
        return str(self.properties.get("eventHubAuthorizationRuleId") or "")

    @property
    def hub(self) -> str:
        """Name of the event hub, or empty."""
        return str(self.properties.get("eventHubName") or "")


@dataclass(frozen=True, slots=True)
class Namespace:
    """One Event Hubs namespace; it works from `ready_at` on, and is gone from `gone_at` on."""

    name: str
    subscription_id: str
    group: str
    location: str
    body: Json
    created_at: datetime
    updated_at: datetime
    ready_at: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hub:
    """One event hub; `capture` is its captureDescription or None."""

    name: str
    partitions: int
    retention: Json
    capture: Json | None
    created_at: datetime
    updated_at: datetime

    @property
    def captures(self) -> bool:
        """Whether Capture is on."""
        return bool(self.capture and self.capture.get("enabled"))


@dataclass(frozen=True, slots=True)
class Rule:
    """One authorization rule of a namespace."""

    name: str
    rights: tuple[str, ...]
    primary_key: str
    secondary_key: str


_WRITTEN = ("subscriptions", "resources", "settings", "namespaces", "hubs", "rules")


@dataclass(slots=True)
class World:
    """Everything there is.

    Attributes:
        clock: the one clock.
        random: the one source of chance.
        provider_tenant: the managing tenant.
        provider_subscription: where the provider's namespaces are.
        principals: callers that can get a token, by client ID; the empty key is the system-assigned one.
        subscriptions: by ID.
        groups: resource groups and their location, by (subscription, group).
        resources: by ID.
        grants: role assignments in the provider's subscription: (principal, role, scope in lower case).
        settings: diagnostic settings by scope, then by name.
        namespaces: by name, which is unique in all of Azure.
        taken_names: namespace names that strangers hold.
        hubs: by (namespace, hub).
        rules: by (namespace, rule).
        storage_accounts: connection strings of the accounts that Capture may write to, by ID.
        identities: IDs of user-assigned identities.
        identity_header: what callers of the identity endpoint must show; empty takes anything.
        namespace_seconds: how long a namespace takes to come or go.
        page_size: items on a page of a listing.
    """

    provider_tenant: str
    provider_subscription: str
    clock: Clock = field(default_factory=Clock)
    seed: int = 0
    random: Random = field(init=False)
    principals: dict[str, Principal] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    groups: dict[tuple[str, str], str] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    grants: set[tuple[str, str, str]] = field(default_factory=set)
    settings: dict[str, dict[str, Setting]] = field(default_factory=dict)
    namespaces: dict[str, Namespace] = field(default_factory=dict)
    taken_names: set[str] = field(default_factory=set)
    hubs: dict[tuple[str, str], Hub] = field(default_factory=dict)
    rules: dict[tuple[str, str], Rule] = field(default_factory=dict)
    storage_accounts: dict[str, str] = field(default_factory=dict)
    identities: set[str] = field(default_factory=set)
    identity_header: str = ""
    namespace_seconds: float = 30.0
    page_size: int = 1000

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - repeatable on purpose

    def guid(self) -> str:
        """A GUID that depends on the seed alone."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    @property
    def app(self) -> Principal:
        """The identity that the app runs as."""
        return self.principals[""]

    def add_subscription(self, subscription: Subscription) -> None:
        """Put a subscription in, or replace it."""
        self.subscriptions[subscription.subscription_id.lower()] = subscription

    def change_subscription(self, subscription_id: str, **changes: object) -> Subscription:
        """Replace fields of a subscription.

        Raises:
            KeyError: there is none.
        """
        changed: Subscription = replace(self.subscriptions[subscription_id.lower()], **changes)  # type: ignore[arg-type]
        self.subscriptions[subscription_id.lower()] = changed
        return changed

    def add_group(self, subscription_id: str, group: str, location: str) -> None:
        """Put a resource group in."""
        self.groups[subscription_id.lower(), group.lower()] = location

    def add_resource(self, resource: Resource) -> None:
        """Put a resource in, or replace it."""
        self.resources[resource.resource_id.lower()] = resource

    def setting(self, scope: str, name: str) -> Setting | None:
        """One diagnostic setting of a subscription or resource."""
        return self.settings.get(scope.lower(), {}).get(name.lower())

    def namespace(self, name: str) -> Namespace | None:
        """A namespace that is not gone."""
        found = self.namespaces.get(name.lower())
        if found and found.gone_at and found.gone_at <= self.clock.now():
            self._forget(found.name.lower())
            return None
        return found

    def ready(self, namespace: Namespace) -> bool:
        """Whether the namespace has been provisioned."""
        return namespace.ready_at <= self.clock.now()

    def hub(self, namespace: str, name: str) -> Hub | None:
        """One event hub."""
        return self.hubs.get((namespace.lower(), name.lower()))

    def hubs_of(self, namespace: str) -> list[Hub]:
        """The event hubs of a namespace, by name."""
        return [hub for (owner, _), hub in sorted(self.hubs.items()) if owner == namespace.lower()]

    def rules_of(self, namespace: str) -> list[Rule]:
        """The authorization rules of a namespace, by name."""
        return [rule for (owner, _), rule in sorted(self.rules.items()) if owner == namespace.lower()]

    def snapshot(self) -> dict[str, dict[Any, Any]]:
        """What can be written through the API, as it stands now."""
        kept: dict[str, dict[Any, Any]] = {name: dict(getattr(self, name)) for name in _WRITTEN}
        kept["settings"] = {scope: dict(named) for scope, named in self.settings.items()}
        return kept

    def restore(self, kept: dict[str, dict[Any, Any]]) -> None:
        """Go back to a snapshot."""
        for name, table in kept.items():
            setattr(self, name, table)

    def _forget(self, name: str) -> None:
        del self.namespaces[name]
        for table in (self.hubs, self.rules):
            for key in [key for key in table if key[0] == name]:
                del table[key]
