"""Event hubs: who captures which customer's logs in which region."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.reasons import Reason


class HubState(StrEnum):
    """How far an event hub has come.

    `DRAINING` is no longer wanted but may still receive and capture; `REMOVING` is being deleted, and only
    its end makes its place free.
    """

    ASSIGNED = "assigned"
    CREATING = "creating"
    READY = "ready"
    BLOCKED = "blocked"
    DRAINING = "draining"
    REMOVING = "removing"


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """How an event hub's stream becomes files.

    Attributes:
        interval_seconds: a file is written at least this often (60 to 900).
        size_limit_bytes: or when it reaches this size (10 MiB to 500 MiB).
        storage_account_id: ID of the account that takes the files.
        container: blob container.
        identity_id: ID of the user-assigned identity that writes them.
    """

    interval_seconds: int
    size_limit_bytes: int
    storage_account_id: str
    container: str
    identity_id: str


@dataclass(frozen=True, slots=True)
class HubShape:
    """The part of an event hub that we own.

    Attributes:
        partitions: number of partitions; Azure cannot change it in the Standard tier.
        retention_hours: how long events are kept.
        capture: how they become files; None if Capture is off or goes elsewhere than to a blob container.
    """

    partitions: int
    retention_hours: int
    capture: CaptureSettings | None


@dataclass(frozen=True, slots=True)
class NamespaceShape:
    """The part of an Event Hubs namespace that we own.

    Attributes:
        region: where it is.
        tier: `Standard` or `Premium`.
        identities: IDs of attached user-assigned identities, in lower case; of what we want, Capture's.
        state: `provisioningState` as Azure spells it, empty in what we want.
        keys_allowed: whether keys are accepted; diagnostic settings send with nothing else
            (github.com/MicrosoftDocs/azure-docs/issues/119932).
        units: throughput units; Azure adds to them by itself, so they are no drift.
    """

    region: str
    tier: str
    identities: frozenset[str]
    state: str = ""
    keys_allowed: bool = True
    units: int = 1


@dataclass(frozen=True, slots=True)
class HubAssignment:
    """The event hub of one customer in one region. Once assigned, the namespace never changes.

    Attributes:
        region: Azure region, as in `westeurope`.
        customer: the customer's slug, also the event hub's name.
        integration_id: the customer's integration.
        shard: number of the namespace within the region, from 1.
        namespace: name of the Event Hubs namespace.
        state: how far it has come.
        reason: why it is blocked.
        detail: what Azure said.
        assigned_at: when the assignment was made.
        verified_at: when the hub was last read back as wanted.
        unwanted_since: when it was first seen that nothing needs it; None while something does.
        drains_until: when a draining hub may be deleted.
    """

    region: str
    customer: str
    integration_id: str
    shard: int
    namespace: str
    state: HubState
    assigned_at: datetime
    reason: Reason | None = None
    detail: str = ""
    verified_at: datetime | None = None
    unwanted_since: datetime | None = None
    drains_until: datetime | None = None

    @property
    def leaving(self) -> bool:
        """Whether it is on its way out, so that nothing new may be sent to it."""
        return self.state in (HubState.DRAINING, HubState.REMOVING)

    @property
    def hub(self) -> str:
        """Name of the event hub."""
        return self.customer
