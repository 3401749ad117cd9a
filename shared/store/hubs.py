"""Table `hubs`: partition the region, row the customer's slug."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from shared.model.hubs import HubAssignment, HubState
from shared.model.reasons import Reason
from shared.store.storage import Storage
from shared.store.tables import Row, Stored, TableName, commit, find, moment_of, query, remove, text_of, write


class HubDirectory(Protocol):
    """Knows which customer an event hub is for."""

    async def find(self, namespace: str, hub: str) -> HubAssignment | None:
        """The assignment that names this event hub."""


class HubStore:
    """Which customer's logs go to which event hub."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._regions: dict[str, str] = {}

    async def list(self, region: str | None = None) -> list[Stored[HubAssignment]]:
        """All assignments, or those of one region."""
        table = await self._storage.table(TableName.HUBS)
        rows = (
            query(table, "PartitionKey eq @region", region=region)
            if region is not None
            else query(table, "PartitionKey ge @least", least="")
        )
        return [Stored(_from_row(row), row["_etag"]) async for row in rows]

    async def read(self, region: str, customer: str) -> Stored[HubAssignment] | None:
        """One assignment, with its ETag."""
        row = await find(await self._storage.table(TableName.HUBS), region, customer)
        return None if row is None else Stored(_from_row(row), row["_etag"])

    async def find(self, namespace: str, hub: str) -> HubAssignment | None:
        """The assignment that names this event hub; names compare case-insensitively.

        Where its row stands is remembered, what stands in it is not: whatever was assigned or removed in the
        meantime counts at once.
        """
        hub, namespace = hub.lower(), namespace.lower()
        region = self._regions.get(namespace)
        if region is not None:
            stored = await self.read(region, hub)
            if stored is not None and stored.fact.namespace == namespace:
                return stored.fact
        # Not by its key: who has this hub is not known yet, or nobody has it.
        table = await self._storage.table(TableName.HUBS)
        rows = query(table, "RowKey eq @hub and namespace eq @namespace", hub=hub, namespace=namespace)
        async for row in rows:
            found = _from_row(row)
            self._regions[namespace] = found.region
            return found
        return None

    async def save(self, assignments: Iterable[Stored[HubAssignment]]) -> None:
        """Write assignments of one region; an empty ETag means that the row is new.

        Raises:
            ConflictError: one of them was changed by somebody else.
        """
        table = await self._storage.table(TableName.HUBS)
        await commit(
            table,
            [write(_to_row(stored.fact), stored.etag) for stored in assignments],
        )

    async def remove(self, assignment: Stored[HubAssignment]) -> None:
        """Remove an assignment, which makes its place free.

        Raises:
            ConflictError: it was changed by somebody else, or is gone.
        """
        await commit(
            await self._storage.table(TableName.HUBS), [remove(_to_row(assignment.fact), assignment.etag)]
        )


def _to_row(fact: HubAssignment) -> Row:
    return {
        "PartitionKey": fact.region,
        "RowKey": fact.customer,
        "integration": fact.integration_id,
        "shard": fact.shard,
        "namespace": fact.namespace,
        "state": fact.state.value,
        "assigned_at": text_of(fact.assigned_at),
        "reason": fact.reason.value if fact.reason is not None else "",
        "detail": fact.detail,
        "verified_at": text_of(fact.verified_at),
        "unwanted_since": text_of(fact.unwanted_since),
        "drains_until": text_of(fact.drains_until),
    }


def _from_row(row: Row) -> HubAssignment:
    return HubAssignment(
        region=row["PartitionKey"],
        customer=row["RowKey"],
        integration_id=row["integration"],
        shard=row["shard"],
        namespace=row["namespace"],
        state=HubState(row["state"]),
        assigned_at=datetime.fromisoformat(row["assigned_at"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        detail=row["detail"],
        verified_at=moment_of(row["verified_at"]),
        # Rows from before hubs could drain do not have these.
        unwanted_since=moment_of(row.get("unwanted_since", "")),
        drains_until=moment_of(row.get("drains_until", "")),
    )
