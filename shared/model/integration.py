"""An integration: one customer tenant that we watch."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class IntegrationStatus(StrEnum):
    """Where an integration is in its life."""

    PROVISIONING = "provisioning"
    ACTIVE = "active"
    OFFBOARDING = "offboarding"
    OFFBOARDED = "offboarded"


@dataclass(frozen=True, slots=True)
class Integration:
    """One customer tenant that we watch.

    Attributes:
        id: GUID given at registration.
        customer: slug, unique; names the event hubs and the folders of condensed files.
        tenant_id: the customer's Entra tenant, unique.
        display_name: for people.
        home_region: region whose event hub takes the subscriptions' activity logs.
        management_group_id: name of the management group to be onboarded; None means the tenant root group.
        workspace_resource_id: Log Analytics workspace with the Entra tables, if the customer named one.
        subscription_cap: how many subscriptions are covered at most.
        status: provisioning until a first subscription is configured.
        created_at: UTC.
        offboarding_at: when it was asked to be offboarded (UTC).
        drained_at: when the last of its event hubs was gone (UTC).
        offboarded_at: when nothing was left to be done (UTC).
    """

    id: str
    customer: str
    tenant_id: str
    display_name: str
    home_region: str
    management_group_id: str | None
    workspace_resource_id: str | None
    subscription_cap: int
    status: IntegrationStatus
    created_at: datetime
    offboarding_at: datetime | None = None
    drained_at: datetime | None = None
    offboarded_at: datetime | None = None

    @property
    def kept(self) -> bool:
        """Whether its tenant is to be watched; what is being offboarded or was is left alone by all steps."""
        return self.status in (IntegrationStatus.PROVISIONING, IntegrationStatus.ACTIVE)
