"""The mapping of regions to customers that infrastructure as code is given, and its history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.model.jobs import Cause


@dataclass(frozen=True, slots=True, order=True)
class MappedHub:
    """One customer's event hub in one region.

    Attributes:
        region: as in `westeurope`.
        customer: slug, also the hub's name.
        namespace: name of the Event Hubs namespace.
        shard: number of the namespace within the region, from 1.
    """

    region: str
    customer: str
    namespace: str
    shard: int


@dataclass(frozen=True, slots=True)
class MappingVersion:
    """One published version, as its difference to the one before.

    Attributes:
        number: from 1, without gaps.
        published_at: UTC.
        cause: why the job ran that published it.
        added: hubs that the version before did not have, sorted.
        removed: hubs that only the version before has, sorted.
    """

    number: int
    published_at: datetime
    cause: Cause
    added: tuple[MappedHub, ...]
    removed: tuple[MappedHub, ...]


def replay(versions: Iterable[MappingVersion]) -> frozenset[MappedHub]:
    """The hubs after all versions from the first one on."""
    hubs: set[MappedHub] = set()
    for version in versions:
        hubs.difference_update(version.removed)
        hubs.update(version.added)
    return frozenset(hubs)


def customers_by_region(hubs: Iterable[MappedHub]) -> dict[str, list[str]]:
    """The mapping itself: sorted customers by sorted region."""
    mapping: dict[str, list[str]] = {}
    for hub in sorted(hubs):
        mapping.setdefault(hub.region, []).append(hub.customer)
    return mapping
