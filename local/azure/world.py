"""All shared state of the simulated Azure: who owns what, who may do what, and what stands where.

IDs compare without case, so every dictionary is keyed by the lower-cased ID or name. Resources are
put in and taken out through methods, which keep the index by subscription and the journal of changes.
"""

import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from local.azure.clock import Clock
from local.azure.facts import (
    Automation,
    ConsumerGroup,
    Delegation,
    ExportRule,
    Hub,
    Namespace,
    Principal,
    Resource,
    ResourceChange,
    Rule,
    Setting,
    Subscription,
)
from local.azure.http import Json

__all__ = [
    "Automation",
    "ConsumerGroup",
    "Delegation",
    "ExportRule",
    "Hub",
    "Namespace",
    "Principal",
    "Resource",
    "ResourceChange",
    "Rule",
    "Setting",
    "Subscription",
    "World",
]

_OF_HUBS = ("consumer_groups", "hub_rules")
_OF_NAMESPACES = ("hubs", "rules", "network_rules", *_OF_HUBS)
_FLAT = ("subscriptions", "groups", "resources", "namespaces", "automations", *_OF_NAMESPACES)
_NESTED = ("settings", "exports", "definitions", "resources_in")
_JOURNAL = 50_000


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
        group_names: how a resource group is spelled, by the same key; others are in lower case.
        resources: by ID.
        resources_in: the same, by subscription, then by ID.
        changes: what resources were before they changed, oldest first; for listings that lag.
        delegated_since: when a subscription's delegations last changed, in seconds of the clock.
        grants: role assignments: (principal, role, scope in lower case).
        settings: diagnostic settings by scope, then by name.
        exports: data export rules by workspace, then by name.
        automations: security automations by ID.
        definitions: registration definitions that were written, by scope, then by GUID.
        namespaces: by name, which is unique in all of Azure.
        taken_names: namespace names that strangers hold.
        hubs: by (namespace, hub).
        rules: by (namespace, rule).
        hub_rules: by (namespace, hub, rule).
        consumer_groups: those that somebody made, by (namespace, hub, group).
        network_rules: properties of the network rule set, by (namespace,); none lets everybody in.
        storage_accounts: connection strings of the accounts that Capture may write to, by ID.
        identities: IDs of user-assigned identities.
        identity_header: what callers of the identity endpoint must show; empty takes anything.
        namespace_seconds: how long a namespace takes to come or go.
        graph_lag_seconds: after how long a change can be seen in Resource Graph.
        graph_windows: by principal, when its window of Resource Graph's quota began and what it has used.
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
    group_names: dict[tuple[str, str], str] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    resources_in: dict[str, dict[str, Resource]] = field(default_factory=dict)
    changes: deque[ResourceChange] = field(default_factory=lambda: deque(maxlen=_JOURNAL))
    delegated_since: dict[str, float] = field(default_factory=dict)
    grants: set[tuple[str, str, str]] = field(default_factory=set)
    settings: dict[str, dict[str, Setting]] = field(default_factory=dict)
    exports: dict[str, dict[str, ExportRule]] = field(default_factory=dict)
    automations: dict[str, Automation] = field(default_factory=dict)
    definitions: dict[str, dict[str, Json]] = field(default_factory=dict)
    namespaces: dict[str, Namespace] = field(default_factory=dict)
    taken_names: set[str] = field(default_factory=set)
    hubs: dict[tuple[str, str], Hub] = field(default_factory=dict)
    rules: dict[tuple[str, str], Rule] = field(default_factory=dict)
    hub_rules: dict[tuple[str, str, str], Rule] = field(default_factory=dict)
    consumer_groups: dict[tuple[str, str, str], ConsumerGroup] = field(default_factory=dict)
    network_rules: dict[tuple[str], Json] = field(default_factory=dict)
    storage_accounts: dict[str, str] = field(default_factory=dict)
    identities: set[str] = field(default_factory=set)
    identity_header: str = ""
    namespace_seconds: float = 30.0
    graph_lag_seconds: float = 0.0
    graph_windows: dict[str, tuple[float, int]] = field(default_factory=dict)
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
        key = subscription_id.lower()
        changed: Subscription = replace(self.subscriptions[key], **changes)  # type: ignore[arg-type]
        self.subscriptions[key] = changed
        if "delegations" in changes:
            self.delegated_since[key] = self.clock.seconds()
        return changed

    def add_group(self, subscription_id: str, group: str, location: str) -> None:
        """Put a resource group in."""
        key = (subscription_id.lower(), group.lower())
        self.groups[key] = location
        self.group_names[key] = group

    def add_resource(self, resource: Resource) -> None:
        """Put a resource in, or replace it, as if it had always been so."""
        key = resource.resource_id.lower()
        self.resources[key] = resource
        self.resources_in.setdefault(key.split("/")[2], {})[key] = resource

    def write_resource(self, resource: Resource) -> None:
        """Put a resource in, or replace it, now: listings that lag show it later."""
        key = resource.resource_id.lower()
        self.changes.append(ResourceChange(self.clock.seconds(), key, self.resources.get(key)))
        self.add_resource(resource)

    def remove_resource(self, resource_id: str) -> Resource | None:
        """Take a resource out; what hangs on it in other providers, as diagnostic settings, stays."""
        key = resource_id.lower()
        gone = self.resources.pop(key, None)
        if gone is not None:
            del self.resources_in[key.split("/")[2]][key]
            self.changes.append(ResourceChange(self.clock.seconds(), key, gone))
        return gone

    def resources_of(self, subscription_id: str) -> Iterable[Resource]:
        """The resources of a subscription, in the order in which they came."""
        return self.resources_in.get(subscription_id.lower(), {}).values()

    def unseen(self, lag_seconds: float, *, stale: bool = False) -> dict[str, Resource | None]:
        """What resources were, by ID, before the changes that a listing does not show yet.

        Args:
            lag_seconds: how late the listing is.
            stale: whether it lacks at least the last change.
        """
        past: dict[str, Resource | None] = {}
        shown = self.clock.seconds() - lag_seconds
        if stale and self.changes:
            shown = min(shown, self.changes[-1].at - 1e-9)
        for change in reversed(self.changes):
            if change.at <= shown:
                break
            past[change.key] = change.before
        return past

    def listed(self, subscription_id: str, past: dict[str, Resource | None]) -> Iterator[Resource]:
        """The resources of a subscription as a listing shows them; `past` as `unseen` gives it."""
        if not past:
            yield from self.resources_of(subscription_id)
            return
        here = self.resources_in.get(subscription_id.lower(), {})
        begin = f"/subscriptions/{subscription_id.lower()}/"
        gone = [key for key in past if key.startswith(begin) and key not in here]
        for key in (*here, *gone):
            resource = past[key] if key in past else here[key]
            if resource is not None:
                yield resource

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
        """Whether the namespace works: it has been provisioned and is not being deleted."""
        return namespace.gone_at is None and namespace.ready_at <= self.clock.now()

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
        kept: dict[str, dict[Any, Any]] = {name: dict(getattr(self, name)) for name in _FLAT}
        for name in _NESTED:
            kept[name] = {key: dict(inner) for key, inner in getattr(self, name).items()}
        return kept

    def restore(self, kept: dict[str, dict[Any, Any]]) -> None:
        """Go back to a snapshot."""
        for name, table in kept.items():
            setattr(self, name, table)

    def remove_hub(self, namespace: str, name: str) -> Hub | None:
        """Take an event hub out, with its rules and consumer groups."""
        key = (namespace.lower(), name.lower())
        self._forget_below(_OF_HUBS, key)
        return self.hubs.pop(key, None)

    def lets_azure_in(self, namespace: str) -> bool:
        """Whether the namespace's firewall lets Azure's own services send."""
        rules = self.network_rules.get((namespace.lower(),), {})
        return rules.get("defaultAction") != "Deny" or rules.get("trustedServiceAccessEnabled") is True

    def _forget(self, name: str) -> None:
        del self.namespaces[name]
        self._forget_below(_OF_NAMESPACES, (name,))

    def _forget_below(self, tables: Iterable[str], begin: tuple[str, ...]) -> None:
        for table in (getattr(self, name) for name in tables):
            for key in [key for key in table if key[: len(begin)] == begin]:
                del table[key]
