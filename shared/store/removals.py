"""Table `removals`: partition the ids of integration and subscription, row the hash of the object."""

from collections.abc import Iterable

from shared.model.reasons import Reason
from shared.model.removal import Removal, RemovalKind, RemovalState
from shared.store.storage import Storage
from shared.store.tables import Row, Stored, TableName, moment_of, query, text_of, write_all


class RemovalStore:
    """What becomes of our objects in tenants that are offboarded."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def list(self, integration_id: str, subscription_id: str = "") -> list[Stored[Removal]]:
        """The removals of an integration, or those in one of its subscriptions."""
        table = await self._storage.table(TableName.REMOVALS)
        rows = query(
            table,
            "PartitionKey ge @first and PartitionKey le @last",
            first=_partition(integration_id, subscription_id),
            # Subscription IDs begin with hexadecimal digits, so `g` stands behind all of them.
            last=_partition(integration_id, subscription_id or "g"),
        )
        return [Stored(_from_row(row), row["_etag"]) async for row in rows]

    async def save(self, removals: Iterable[Stored[Removal]]) -> None:
        """Write removals of one integration; an empty ETag means that the row is new.

        Raises:
            ConflictError: one of them was changed by somebody else; those of other subscriptions, and
                hundreds before it, may be written.
        """
        table = await self._storage.table(TableName.REMOVALS)
        await write_all(table, [(_to_row(stored.fact), stored.etag) for stored in removals])


def _partition(integration_id: str, subscription_id: str) -> str:
    return f"{integration_id}-{subscription_id}"


def _to_row(fact: Removal) -> Row:
    return {
        "PartitionKey": _partition(fact.integration_id, fact.subscription_id),
        "RowKey": fact.key,
        "integration": fact.integration_id,
        "subscription": fact.subscription_id,
        "kind": fact.kind.value,
        "scope": fact.scope,
        "name": fact.name,
        "state": fact.state.value,
        "reason": fact.reason.value if fact.reason is not None else "",
        "detail": fact.detail,
        "deletions": fact.deletions,
        "checked_at": text_of(fact.checked_at),
    }


def _from_row(row: Row) -> Removal:
    return Removal(
        integration_id=row["integration"],
        subscription_id=row["subscription"],
        kind=RemovalKind(row["kind"]),
        scope=row["scope"],
        name=row["name"],
        state=RemovalState(row["state"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        detail=row["detail"],
        deletions=row["deletions"],
        checked_at=moment_of(row["checked_at"]),
    )
