"""What became of an offboarded customer's objects, for people."""

from collections import Counter
from collections.abc import Sequence

from shared.model.hubs import HubAssignment
from shared.model.integration import Integration
from shared.model.removal import Removal, RemovalState
from shared.portal.views import Json, hub_view, reason_view, time_view


def offboarding_view(
    integration: Integration, removals: Sequence[Removal], hubs: Sequence[HubAssignment]
) -> Json:
    """The report: when it began and ended, each object with what became of it, and the hubs that are left."""
    by_state = Counter(removal.state for removal in removals)
    return {
        "status": integration.status.value,
        "requestedAt": time_view(integration.offboarding_at),
        "drainedAt": time_view(integration.drained_at),
        "finishedAt": time_view(integration.offboarded_at),
        "counts": {state.value: by_state[state] for state in RemovalState},
        "hubs": [hub_view(hub) for hub in hubs],
        "objects": [
            _removal_view(removal)
            for removal in sorted(removals, key=lambda each: (each.subscription_id, each.kind, each.scope))
        ],
    }


def _removal_view(removal: Removal) -> Json:
    return {
        "kind": removal.kind.value,
        "scope": removal.scope,
        "name": removal.name,
        "subscriptionId": removal.subscription_id,
        "state": removal.state.value,
        **reason_view(removal.reason, removal.detail),
        "checkedAt": time_view(removal.checked_at),
    }
