"""Subscriptions: as Azure lists them, and as we keep them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.upkeep import Upkeep


class SubscriptionState(StrEnum):
    """States of a subscription in ARM (`Subscription.state`, api-version 2022-12-01)."""

    ENABLED = "Enabled"
    WARNED = "Warned"
    PAST_DUE = "PastDue"
    DISABLED = "Disabled"
    DELETED = "Deleted"


@dataclass(frozen=True, slots=True)
class ListedSubscription:
    """One item of `GET /subscriptions`.

    Attributes:
        subscription_id: lower-case GUID.
        tenant_id: home tenant, that is the customer's.
        name: display name.
        state: as Azure spells it; an unknown state is kept as text.
        quota_id: the offer, for instance `MSDN_2014-09-01`.
        managed_by: tenants to which the subscription is delegated.
    """

    subscription_id: str
    tenant_id: str
    name: str
    state: str
    quota_id: str
    managed_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What we know of one subscription of one integration.

    Attributes:
        integration_id: the integration it belongs to.
        subscription_id: lower-case GUID.
        name: display name when last listed.
        state: Azure's state when last listed.
        quota_id: Azure's offer when last listed.
        first_seen: stamp of the first complete listing that saw it.
        last_seen: stamp of the last complete listing that saw it; empty if none ever did.
        delegated_since: when a listing first found it delegated to us; None while it is not.
        upkeep: how far its diagnostic setting has come.
    """

    integration_id: str
    subscription_id: str
    name: str
    state: str
    quota_id: str
    first_seen: str
    last_seen: str
    delegated_since: datetime | None
    upkeep: Upkeep

    @property
    def watched(self) -> bool:
        """Whether it is to have a diagnostic setting of ours."""
        return self.upkeep.kept
