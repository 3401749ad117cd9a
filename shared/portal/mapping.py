"""The published mapping of regions to customers, and its history."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from shared.model.answers import Answer, answer, problem_answer
from shared.model.mapping import MappedHub, MappingVersion, customers_by_region, replay
from shared.portal.views import Json, time_view
from shared.store.mappings import MappingStore

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")


class MappingApi:
    """Shows the mapping."""

    def __init__(self, mappings: MappingStore) -> None:
        self._mappings = mappings

    async def mapping(self, version: str) -> Answer:
        """The newest version, or an older one: 200; 400 if that is no number, 404 if there is no such one.

        Args:
            version: its number as text; empty for the newest.
        """
        if version and not _NUMBER.fullmatch(version):
            wrong = [{"field": "version", "detail": "must be a whole number from 1"}]
            return problem_answer(
                HTTPStatus.BAD_REQUEST, "Invalid request", "version is not a number", errors=wrong
            )
        versions = await self._mappings.versions()
        if version and int(version) > len(versions):
            return problem_answer(HTTPStatus.NOT_FOUND, "Not found", "There is no version of that number.")
        return answer(HTTPStatus.OK, mapping_view(versions[: int(version)] if version else versions))

    async def versions(self) -> Answer:
        """All versions, newest first, each with its difference to the one before."""
        versions = await self._mappings.versions()
        return answer(HTTPStatus.OK, {"versions": [version_view(version) for version in reversed(versions)]})


def mapping_view(versions: Sequence[MappingVersion]) -> Json:
    """The mapping after these versions, as the blob has it, and what it says of each hub."""
    hubs = replay(versions)
    newest = versions[-1] if versions else None
    return {
        "version": newest.number if newest is not None else 0,
        "publishedAt": time_view(newest.published_at) if newest is not None else None,
        "eventHubMapping": customers_by_region(hubs),
        "hubs": [_hub_view(hub) for hub in sorted(hubs)],
    }


def version_view(version: MappingVersion) -> Json:
    """One version, as its difference to the one before."""
    return {
        "version": version.number,
        "publishedAt": time_view(version.published_at),
        "cause": version.cause.value,
        "added": [_hub_view(hub) for hub in version.added],
        "removed": [_hub_view(hub) for hub in version.removed],
    }


def _hub_view(hub: MappedHub) -> Json:
    return {
        "region": hub.region,
        "customer": hub.customer,
        "namespace": hub.namespace,
        "shard": hub.shard,
    }
