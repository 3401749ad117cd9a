"""Table `alertexports`: partition the integration's id, row the subscription's id."""

from shared.model.workspace import AlertExportState
from shared.store.storage import Storage
from shared.store.tables import Row, Stored, TableName, commit, find, query, write
from shared.store.upkeep import columns_of, upkeep_of


class AlertExportStore:
    """What we know of alert exports."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def list(self, integration_id: str) -> dict[str, AlertExportState]:
        """All alert exports of an integration, by subscription id."""
        table = await self._storage.table(TableName.ALERT_EXPORTS)
        rows = query(table, "PartitionKey eq @id", id=integration_id)
        return {row["RowKey"]: _from_row(row) async for row in rows}

    async def read(self, integration_id: str, subscription_id: str) -> Stored[AlertExportState]:
        """One alert export, with its ETag; a new one with an empty ETag if it is not known yet."""
        table = await self._storage.table(TableName.ALERT_EXPORTS)
        row = await find(table, integration_id, subscription_id)
        if row is None:
            return Stored(AlertExportState(integration_id, subscription_id), "")
        return Stored(_from_row(row), row["_etag"])

    async def save(self, export: AlertExportState, etag: str) -> None:
        """Write an alert export; an empty ETag means that the row is new.

        Raises:
            ConflictError: it was changed by somebody else.
        """
        row = {
            "PartitionKey": export.integration_id,
            "RowKey": export.subscription_id,
            "key_version": export.key_version,
            **columns_of(export.upkeep),
        }
        await commit(await self._storage.table(TableName.ALERT_EXPORTS), [write(row, etag)])


def _from_row(row: Row) -> AlertExportState:
    return AlertExportState(row["PartitionKey"], row["RowKey"], upkeep_of(row), row["key_version"])
