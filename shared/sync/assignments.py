"""Which namespace takes which customer's hub: pure, and stable for ever.

A Standard namespace holds ten event hubs, so a region gets as many namespaces (shards) as it needs.
An assignment that exists is never moved.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.model.hubs import HubAssignment, HubState
from shared.model.ids import stable_hash
from shared.model.integration import Integration

MOST_NAMESPACE_NAME = 50
"""Characters in a namespace's name (Azure: 6 to 50, unique in all of Azure)."""


def namespace_name(prefix: str, region: str, shard: int) -> str:
    """Name of a region's namespace; one that would be too long ends in a hash instead."""
    name = f"{prefix}-{region}-{shard}"
    if len(name) <= MOST_NAMESPACE_NAME:
        return name
    digest = stable_hash(name)[:8]
    return f"{name[: MOST_NAMESPACE_NAME - len(digest) - 1]}-{digest}"


def wanted_regions(integration: Integration, regions: Iterable[str] = ()) -> frozenset[str]:
    """The regions in which the integration needs a hub: its home region, and where its resources are."""
    return frozenset({integration.home_region, *regions})


def new_assignments(
    integrations: Iterable[Integration],
    existing: Sequence[HubAssignment],
    *,
    regions: Mapping[str, Iterable[str]],
    capacity: int,
    prefix: str,
    now: datetime,
) -> list[HubAssignment]:
    """The assignments to be added, oldest integration first, each in the first shard with a free place.

    Args:
        integrations: all of them.
        existing: all assignments.
        regions: by integration id, where its resources are.
        capacity: hubs that a namespace holds.
        prefix: start of namespace names.
        now: the present (UTC).
    """
    taken = {(assignment.region, assignment.customer) for assignment in existing}
    load = Counter((assignment.region, assignment.shard) for assignment in existing)
    added: list[HubAssignment] = []
    for integration in sorted(integrations, key=lambda item: (item.created_at, item.id)):
        for region in sorted(wanted_regions(integration, regions.get(integration.id, ()))):
            if (region, integration.customer) in taken:
                continue
            shard = 1
            while load[region, shard] >= capacity:
                shard += 1
            load[region, shard] += 1
            added.append(
                HubAssignment(
                    region=region,
                    customer=integration.customer,
                    integration_id=integration.id,
                    shard=shard,
                    namespace=namespace_name(prefix, region, shard),
                    state=HubState.ASSIGNED,
                    assigned_at=now,
                )
            )
    return added
