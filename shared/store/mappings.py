"""Table `mappings`, one row per published version; and the blob that shows the newest one.

The table is the truth: a version's row holds its difference to the one before, and rows are only ever
added. The blob follows it and never goes back.
"""

import json
from dataclasses import asdict
from datetime import datetime
from itertools import count
from typing import Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContentSettings

from shared.model.jobs import Cause
from shared.model.mapping import MappedHub, MappingVersion, customers_by_region, replay
from shared.store.blobs import ContainerName
from shared.store.storage import Storage
from shared.store.tables import ConflictError, Row, TableName, commit, insert, query, text_of

BLOB: Final = "event-hub-mapping.json"
"""The newest mapping, as `{"eventHubMapping": {"westeurope": ["contoso"]}, "hubs": [...]}`; `infra/eventhubs`
reads it."""

_PARTITION: Final = "version"
_PIECE: Final = 30_000
"""Characters in one property of a row (Table service limit: 64 KiB of UTF-16)."""

_MOST_TRIES: Final = 5


class MappingStore:
    """Published versions of the mapping."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def versions(self) -> list[MappingVersion]:
        """All versions, oldest first."""
        table = await self._storage.table(TableName.MAPPINGS)
        rows = query(table, "PartitionKey eq @partition", partition=_PARTITION)
        return sorted([_from_row(row) async for row in rows], key=lambda version: version.number)

    async def append(self, version: MappingVersion) -> None:
        """Add a version.

        Raises:
            ConflictError: somebody else added one of that number.
        """
        await commit(await self._storage.table(TableName.MAPPINGS), [insert(_to_row(version))])

    async def show(self, versions: list[MappingVersion]) -> None:
        """Make the blob show the newest of all versions, unless it shows that or a newer one already.

        Raises:
            ConflictError: too many others wrote it at the same moment.
        """
        number = versions[-1].number
        blob = (await self._storage.container(ContainerName.PUBLISHED)).get_blob_client(BLOB)
        text = mapping_text(replay(versions))
        for _ in range(_MOST_TRIES):
            try:
                found = await blob.get_blob_properties()
            except ResourceNotFoundError:
                expected: dict[str, Any] = {"match_condition": MatchConditions.IfMissing}
            else:
                if int((found.metadata or {}).get("version", 0)) >= number:
                    return
                expected = {"etag": found.etag, "match_condition": MatchConditions.IfNotModified}
            try:
                await blob.upload_blob(
                    text,
                    overwrite=True,
                    metadata={"version": str(number)},
                    content_settings=ContentSettings(content_type="application/json"),
                    **expected,
                )
            except (ResourceExistsError, ResourceModifiedError):
                continue
            return
        raise ConflictError

    async def shown(self) -> str | None:
        """The blob's text; None if nothing was published yet."""
        container = await self._storage.container(ContainerName.PUBLISHED)
        try:
            download = await container.download_blob(BLOB)
        except ResourceNotFoundError:
            return None
        return (await download.readall()).decode()


def mapping_text(hubs: frozenset[MappedHub]) -> str:
    """The blob's text for these hubs."""
    value = {"eventHubMapping": customers_by_region(hubs), "hubs": [asdict(hub) for hub in sorted(hubs)]}
    return json.dumps(value, indent=2) + "\n"


def _to_row(version: MappingVersion) -> Row:
    return {
        "PartitionKey": _PARTITION,
        "RowKey": f"{version.number:010d}",
        "published_at": text_of(version.published_at),
        "cause": version.cause.value,
        **_pieces("added", version.added),
        **_pieces("removed", version.removed),
    }


def _from_row(row: Row) -> MappingVersion:
    return MappingVersion(
        number=int(row["RowKey"]),
        published_at=datetime.fromisoformat(row["published_at"]),
        cause=Cause(row["cause"]),
        added=_hubs("added", row),
        removed=_hubs("removed", row),
    )


def _pieces(name: str, hubs: tuple[MappedHub, ...]) -> Row:
    text = "\n".join(f"{hub.region}/{hub.customer}/{hub.namespace}/{hub.shard}" for hub in hubs)
    return {
        f"{name}_{number}": text[start : start + _PIECE]
        for number, start in enumerate(range(0, len(text), _PIECE))
    }


def _hubs(name: str, row: Row) -> tuple[MappedHub, ...]:
    pieces = []
    for number in count():
        piece = row.get(f"{name}_{number}")
        if piece is None:
            break
        pieces.append(piece)
    fields = (line.split("/") for line in "".join(pieces).splitlines())
    return tuple(
        MappedHub(region, customer, namespace, int(shard)) for region, customer, namespace, shard in fields
    )
