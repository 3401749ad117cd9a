"""Subscriptions: as Azure lists them, and as we keep them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.reasons import Reason


class SubscriptionState(StrEnum):
    """States of a subscription in ARM (`Subscription.state`, api-version 2022-12-01)."""

    ENABLED = "Enabled"
    WARNED = "Warned"
    PAST_DUE = "PastDue"
    DISABLED = "Disabled"
    DELETED = "Deleted"


class Coverage(StrEnum):
    """How far a subscription's diagnostic setting has come."""

    PENDING = "pending"
    WRITTEN = "written"
    CONFIGURED = "configured"
    BLOCKED = "blocked"
    EXCLUDED = "excluded"
    GONE = "gone"


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
        coverage: how far its diagnostic setting has come.
        reason: the one reason why it is not covered; None while pending, written or configured.
        detail: what Azure said with that reason.
        written_at: when we last wrote the setting.
        verified_at: when we last read the setting back as wanted.
        writes: writes in a row that no read-back has confirmed.
        handled: stamp of the newest cycle in which its setting was looked after.
    """

    integration_id: str
    subscription_id: str
    name: str
    state: str
    quota_id: str
    first_seen: str
    last_seen: str
    delegated_since: datetime | None
    coverage: Coverage
    reason: Reason | None = None
    detail: str = ""
    written_at: datetime | None = None
    verified_at: datetime | None = None
    writes: int = 0
    handled: str = ""

    @property
    def watched(self) -> bool:
        """Whether it is to have a diagnostic setting of ours."""
        return self.coverage not in (Coverage.EXCLUDED, Coverage.GONE)
