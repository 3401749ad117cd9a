"""Workspaces and alert exports, as we keep them."""

from dataclasses import dataclass

from shared.model.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class Workspace:
    """What we know of a customer's Log Analytics workspace with the Entra tables.

    Attributes:
        integration_id: the integration it belongs to.
        id: resource ID as the customer named it.
        region: where it is; empty until Azure was asked.
        upkeep: how far its export rule has come.
        replaced: whether an older rule of ours was looked for after ours was read back, and is gone.
        adopted: whether the older rule itself is kept, because it sends to the very hub that ours would.
    """

    integration_id: str
    id: str
    region: str = ""
    upkeep: Upkeep = Upkeep()  # noqa: RUF009 - frozen, so it can be shared
    replaced: bool = False
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class AlertExportState:
    """What we know of one subscription's export of Defender for Cloud alerts.

    Attributes:
        integration_id: the integration it belongs to.
        subscription_id: lower-case GUID.
        upkeep: how far it has come.
        key_version: digest of the key it was last given, since Azure never shows it.
    """

    integration_id: str
    subscription_id: str
    upkeep: Upkeep = Upkeep()  # noqa: RUF009 - frozen, so it can be shared
    key_version: str = ""
