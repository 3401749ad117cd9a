"""Table `resources`: partition the ids of integration and subscription, row the hash of the resource's id."""

from collections.abc import Iterable
from itertools import groupby

from shared.model.resource import ListedResource, Resource
from shared.store.storage import Storage
from shared.store.tables import Row, Stored, TableName, commit, find, query, write
from shared.store.upkeep import columns_of, upkeep_of


class ResourceStore:
    """What we know of monitored resources."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def list(self, integration_id: str, first: str = "", last: str = "g") -> list[Stored[Resource]]:
        """The resources of an integration in the subscriptions from `first` to `last`, both included.

        Subscription IDs begin with hexadecimal digits, so the defaults stand before and behind all of them.
        """
        table = await self._storage.table(TableName.RESOURCES)
        rows = query(
            table,
            "PartitionKey ge @first and PartitionKey le @last",
            first=_partition(integration_id, first),
            last=_partition(integration_id, last),
        )
        return [Stored(_from_row(row), row["_etag"]) async for row in rows]

    async def regions(self, integration_id: str) -> frozenset[str]:
        """The regions in which an integration has resources that are kept."""
        table = await self._storage.table(TableName.RESOURCES)
        rows = table.query_entities(
            "PartitionKey ge @first and PartitionKey le @last and "
            "coverage ne 'gone' and coverage ne 'excluded' and region ne 'global'",
            parameters={"first": _partition(integration_id, ""), "last": _partition(integration_id, "g")},
            select=["region"],
        )
        return frozenset([str(row["region"]) async for row in rows])

    async def read(self, integration_id: str, resource: ListedResource) -> Stored[Resource] | None:
        """One resource, with its ETag."""
        table = await self._storage.table(TableName.RESOURCES)
        row = await find(table, _partition(integration_id, resource.subscription_id), resource.key)
        return None if row is None else Stored(_from_row(row), row["_etag"])

    async def save(self, resources: Iterable[Stored[Resource]]) -> None:
        """Write resources of one integration; an empty ETag means that the row is new.

        Raises:
            ConflictError: one of them was changed by somebody else; those of other subscriptions, and
                hundreds before it, may be written.
        """
        table = await self._storage.table(TableName.RESOURCES)
        rows = [(_to_row(stored.fact), stored.etag) for stored in resources]
        rows.sort(key=lambda row: str(row[0]["PartitionKey"]))
        for _, group in groupby(rows, key=lambda row: row[0]["PartitionKey"]):
            await commit(table, [write(row, etag) for row, etag in group])


def _partition(integration_id: str, subscription_id: str) -> str:
    return f"{integration_id}-{subscription_id}"


def _to_row(fact: Resource) -> Row:
    return {
        "PartitionKey": _partition(fact.integration_id, fact.listed.subscription_id),
        "RowKey": fact.listed.key,
        "integration": fact.integration_id,
        "subscription": fact.listed.subscription_id,
        "id": fact.listed.id,
        "type": fact.listed.type,
        "region": fact.listed.region,
        "first_seen": fact.first_seen,
        "missed": " ".join(fact.missed),
        **columns_of(fact.upkeep),
    }


def _from_row(row: Row) -> Resource:
    return Resource(
        integration_id=row["integration"],
        listed=ListedResource(
            id=row["id"], type=row["type"], region=row["region"], subscription_id=row["subscription"]
        ),
        first_seen=row["first_seen"],
        missed=tuple(row["missed"].split()),
        upkeep=upkeep_of(row),
    )
