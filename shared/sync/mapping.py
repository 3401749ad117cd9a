"""Publishing which customers have an event hub in which region, for infrastructure as code."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from shared.model.hubs import HubAssignment, HubState
from shared.model.jobs import Cause
from shared.model.mapping import MappedHub, MappingVersion, replay
from shared.store.tables import ConflictError
from shared.sync.context import Context

_log = logging.getLogger(__name__)

_MOST_TRIES: Final = 5


async def publish(context: Context, cause: Cause) -> None:
    """Add a version if the assignments differ from the newest one, and make the blob show the newest.

    Raises:
        ConflictError: too many others published at the same moment.
    """
    for _ in range(_MOST_TRIES):
        # In this order: whoever assigns in between publishes in between, too, and then our number is taken.
        versions = await context.mappings.versions()
        hubs = mapped(row.fact for row in await context.hubs.list())
        version = next_version(versions, hubs, cause, context.clock())
        if version is not None:
            try:
                await context.mappings.append(version)
            except ConflictError:
                continue
            versions.append(version)
            _log.info(
                "mapping %d published added=%d removed=%d",
                version.number,
                len(version.added),
                len(version.removed),
            )
        if versions:
            await context.mappings.show(versions)
        return
    raise ConflictError


def mapped(assignments: Iterable[HubAssignment]) -> frozenset[MappedHub]:
    """The hubs that exist or are to exist; one that is being deleted must not be made again by others."""
    return frozenset(
        MappedHub(each.region, each.customer, each.namespace, each.shard)
        for each in assignments
        if each.state is not HubState.REMOVING
    )


def next_version(
    versions: list[MappingVersion], hubs: frozenset[MappedHub], cause: Cause, now: datetime
) -> MappingVersion | None:
    """The version to be added, or None if the newest one says the same."""
    known = replay(versions)
    if hubs == known:
        return None
    return MappingVersion(
        number=versions[-1].number + 1 if versions else 1,
        published_at=now,
        cause=cause,
        added=tuple(sorted(hubs - known)),
        removed=tuple(sorted(known - hubs)),
    )
