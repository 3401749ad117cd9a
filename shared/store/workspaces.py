"""Table `workspaces`: partition the integration's id, row the hash of the workspace's id."""

import builtins

from shared.model.ids import stable_hash
from shared.model.workspace import Workspace
from shared.store.storage import Storage
from shared.store.tables import Row, Stored, TableName, commit, find, query, write
from shared.store.upkeep import columns_of, upkeep_of


class WorkspaceStore:
    """What we know of workspaces."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def list(self) -> list[Workspace]:
        """All workspaces."""
        table = await self._storage.table(TableName.WORKSPACES)
        rows = query(table, "PartitionKey ge @least", least="")
        return [_from_row(row) async for row in rows]

    async def list_of(self, integration_id: str) -> builtins.list[Workspace]:
        """The workspaces of an integration."""
        table = await self._storage.table(TableName.WORKSPACES)
        rows = query(table, "PartitionKey eq @id", id=integration_id)
        return [_from_row(row) async for row in rows]

    async def read(self, integration_id: str, workspace_id: str) -> Stored[Workspace]:
        """One workspace, with its ETag; a new one with an empty ETag if it is not known yet."""
        table = await self._storage.table(TableName.WORKSPACES)
        row = await find(table, integration_id, stable_hash(workspace_id.lower()))
        if row is None:
            return Stored(Workspace(integration_id, workspace_id), "")
        return Stored(_from_row(row), row["_etag"])

    async def save(self, workspace: Workspace, etag: str) -> None:
        """Write a workspace; an empty ETag means that the row is new.

        Raises:
            ConflictError: it was changed by somebody else.
        """
        row = {
            "PartitionKey": workspace.integration_id,
            "RowKey": stable_hash(workspace.id.lower()),
            "id": workspace.id,
            "region": workspace.region,
            "replaced": workspace.replaced,
            "adopted": workspace.adopted,
            **columns_of(workspace.upkeep),
        }
        await commit(await self._storage.table(TableName.WORKSPACES), [write(row, etag)])


def _from_row(row: Row) -> Workspace:
    return Workspace(
        integration_id=row["PartitionKey"],
        id=row["id"],
        region=row["region"],
        upkeep=upkeep_of(row),
        replaced=row["replaced"],
        # Rows from before older rules could be adopted do not have this.
        adopted=row.get("adopted", False),
    )
