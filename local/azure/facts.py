"""Facts of the simulated Azure: who there is and what stands where.

All are frozen and are replaced, never changed, so that a snapshot is a plain copy.
"""

from dataclasses import dataclass, field
from datetime import datetime

from local.azure.http import Json

REGISTERED = frozenset(
    {
        "microsoft.insights",
        "microsoft.keyvault",
        "microsoft.managedservices",
        "microsoft.operationalinsights",
        "microsoft.resources",
        "microsoft.security",
    }
)
"""Resource providers that a subscription has registered if nothing else is said."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A managed identity or user that calls.

    Attributes:
        object_id: in its tenant's directory.
        client_id: of its application.
        tenant_id: its home.
        name: for messages; a user's principal name, or the client ID.
        unlimited: nothing is refused to it; for whoever has to break things on purpose.
    """

    object_id: str
    client_id: str
    tenant_id: str
    name: str
    unlimited: bool = False

    @property
    def is_user(self) -> bool:
        """Whether it is a person, not an application."""
        return "@" in self.name


@dataclass(frozen=True, slots=True)
class Delegation:
    """One Azure Lighthouse assignment of a subscription or of one resource group in it.

    Attributes:
        tenant_id: the managing tenant.
        grants: pairs of principal's object ID and role name.
        group: resource group in lower case; None delegates the whole subscription.
        assignment: GUID of the registration assignment; empty derives one.
        definition: ID of the registration definition; empty derives one from the grants.
    """

    tenant_id: str
    grants: frozenset[tuple[str, str]] = frozenset()
    group: str | None = None
    assignment: str = ""
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription, as its owner sees it."""

    subscription_id: str
    tenant_id: str
    name: str
    state: str = "Enabled"
    quota_id: str = "EnterpriseAgreement_2014-09-01"
    providers: frozenset[str] = REGISTERED
    delegations: tuple[Delegation, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource in a resource group.

    Attributes:
        resource_id: as Azure spells it today.
        resource_type: as Azure spells it.
        location: region, or `global`.
        body: `kind`, `sku`, `tags`, `properties` as last written.
        created_at: None counts as there from the beginning.
        changed_at: last write.
    """

    resource_id: str
    resource_type: str
    location: str
    body: Json = field(default_factory=dict)
    created_at: datetime | None = None
    changed_at: datetime | None = None

    @property
    def name(self) -> str:
        """Last part of the ID."""
        return self.resource_id.rpartition("/")[2]

    @property
    def subscription_id(self) -> str:
        """Of the subscription it lies in, as spelled."""
        return self.resource_id.split("/")[2]

    @property
    def group(self) -> str:
        """Resource group, as spelled."""
        return self.resource_id.split("/")[4]


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
    """One authorization rule of a namespace or of one hub in it."""

    name: str
    rights: tuple[str, ...]
    primary_key: str
    secondary_key: str


@dataclass(frozen=True, slots=True)
class ConsumerGroup:
    """One consumer group of an event hub that somebody made; `metadata` is their own text or None."""

    name: str
    metadata: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ExportRule:
    """One data export rule of a workspace as it was written.

    Attributes:
        name: as first spelled.
        export_id: GUID of its own.
        destination: ID of the namespace or storage account.
        hub: event hub, or empty for one hub per table.
        tables: names of tables; None exports all.
        enabled: whether it is active.
        created_at: first write.
        changed_at: last write.
    """

    name: str
    export_id: str
    destination: str
    hub: str
    tables: tuple[str, ...] | None
    enabled: bool
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Automation:
    """One security automation of Defender for Cloud; its properties hold the secrets as written."""

    automation_id: str
    location: str
    tags: Json
    properties: Json
    etag: str

    @property
    def name(self) -> str:
        """Last part of the ID."""
        return self.automation_id.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What a resource was before a change; None if it was not there.

    Attributes:
        at: seconds of the world's clock.
        key: the ID in lower case.
        before: the resource until then.
    """

    at: float
    key: str
    before: Resource | None
