"""Table `subscriptions`: partition the integration's id, row the subscription's id."""

from collections.abc import Iterable

from shared.model.subscription import Subscription
from shared.store.storage import Storage
from shared.store.tables import Row, Stored, TableName, commit, find, moment_of, query, text_of, write
from shared.store.upkeep import columns_of, upkeep_of


class SubscriptionStore:
    """What we know of subscriptions."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def list(self, integration_id: str, first: str = "", last: str = "g") -> list[Stored[Subscription]]:
        """The subscriptions of an integration from `first` to `last`, both included; by default all.

        Subscription IDs begin with hexadecimal digits, so the defaults stand before and behind all of them.
        """
        table = await self._storage.table(TableName.SUBSCRIPTIONS)
        condition = "PartitionKey eq @id and RowKey ge @first and RowKey le @last"
        rows = query(table, condition, id=integration_id, first=first, last=last)
        return [Stored(_from_row(row), row["_etag"]) async for row in rows]

    async def read(self, integration_id: str, subscription_id: str) -> Stored[Subscription] | None:
        """One subscription, with its ETag."""
        table = await self._storage.table(TableName.SUBSCRIPTIONS)
        row = await find(table, integration_id, subscription_id)
        return None if row is None else Stored(_from_row(row), row["_etag"])

    async def save(self, subscriptions: Iterable[Stored[Subscription]]) -> None:
        """Write subscriptions of one integration; an empty ETag means that the row is new.

        Raises:
            ConflictError: one of them was changed by somebody else.
        """
        table = await self._storage.table(TableName.SUBSCRIPTIONS)
        await commit(
            table,
            [write(_to_row(stored.fact), stored.etag) for stored in subscriptions],
        )


def _to_row(fact: Subscription) -> Row:
    return {
        "PartitionKey": fact.integration_id,
        "RowKey": fact.subscription_id,
        "name": fact.name,
        "state": fact.state,
        "quota_id": fact.quota_id,
        "first_seen": fact.first_seen,
        "last_seen": fact.last_seen,
        "delegated_since": text_of(fact.delegated_since),
        **columns_of(fact.upkeep),
    }


def _from_row(row: Row) -> Subscription:
    return Subscription(
        integration_id=row["PartitionKey"],
        subscription_id=row["RowKey"],
        name=row["name"],
        state=row["state"],
        quota_id=row["quota_id"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        delegated_since=moment_of(row["delegated_since"]),
        upkeep=upkeep_of(row),
    )
