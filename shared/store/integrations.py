"""Table `integrations`: partition `integration`, row the integration's id.

Beside each row stand two more that hold its customer slug and its tenant, so that one transaction
makes all three and neither can be registered twice.
"""

from datetime import datetime

from shared.model.integration import Integration, IntegrationStatus
from shared.store.storage import Storage
from shared.store.tables import (
    ConflictError,
    Row,
    Stored,
    TableName,
    commit,
    find,
    insert,
    moment_of,
    query,
    remove,
    replace,
    text_of,
)

_PARTITION = "integration"
_CUSTOMER = "customer~"
_TENANT = "tenant~"


class AlreadyRegisteredError(Exception):
    """The customer slug or the tenant has an integration already.

    Attributes:
        field: `customer` or `tenantId`.
    """

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is registered already")
        self.field = field


class IntegrationStore:
    """Integrations, registered and looked up."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def register(self, integration: Integration) -> None:
        """Add an integration.

        Raises:
            AlreadyRegisteredError: its customer slug or tenant is taken.
        """
        table = await self._storage.table(TableName.INTEGRATIONS)
        claims = [
            insert(_claim(_CUSTOMER + integration.customer, integration.id)),
            insert(_claim(_TENANT + integration.tenant_id, integration.id)),
            insert(_to_row(integration)),
        ]
        try:
            await commit(table, claims)
        except ConflictError as error:
            taken = await find(table, _PARTITION, _CUSTOMER + integration.customer)
            raise AlreadyRegisteredError("tenantId" if taken is None else "customer") from error

    async def get(self, integration_id: str) -> Integration | None:
        """The integration of that id."""
        stored = await self.read(integration_id)
        return None if stored is None else stored.fact

    async def read(self, integration_id: str) -> Stored[Integration] | None:
        """The integration of that id, with its ETag."""
        if "~" in integration_id:
            return None
        row = await find(await self._storage.table(TableName.INTEGRATIONS), _PARTITION, integration_id)
        return None if row is None else Stored(_from_row(row), row["_etag"])

    async def list_all(self) -> list[Integration]:
        """All integrations, those that are or were offboarded included, oldest first."""
        table = await self._storage.table(TableName.INTEGRATIONS)
        found = [
            _from_row(row)
            async for row in query(table, "PartitionKey eq @partition", partition=_PARTITION)
            if "~" not in row["RowKey"]
        ]
        return sorted(found, key=lambda integration: (integration.created_at, integration.id))

    async def list(self) -> list[Integration]:
        """The integrations whose tenants are to be watched, oldest first; the steps work for no others."""
        return [integration for integration in await self.list_all() if integration.kept]

    async def save(self, integration: Integration, etag: str) -> None:
        """Replace an integration that must still be as it was read.

        Raises:
            ConflictError: it was changed by somebody else.
        """
        table = await self._storage.table(TableName.INTEGRATIONS)
        await commit(table, [replace(_to_row(integration), etag)])

    async def release(self, integration: Integration, etag: str) -> None:
        """Replace an integration, and let its customer slug and its tenant be registered again.

        Raises:
            ConflictError: it was changed by somebody else.
        """
        table = await self._storage.table(TableName.INTEGRATIONS)
        changes = [replace(_to_row(integration), etag)]
        for key in (_CUSTOMER + integration.customer, _TENANT + integration.tenant_id):
            row = await find(table, _PARTITION, key)
            if row is not None and row["integration"] == integration.id:
                changes.append(remove(_claim(key, integration.id), row["_etag"]))
        await commit(table, changes)


def _claim(key: str, integration_id: str) -> Row:
    return {"PartitionKey": _PARTITION, "RowKey": key, "integration": integration_id}


def _to_row(integration: Integration) -> Row:
    return {
        "PartitionKey": _PARTITION,
        "RowKey": integration.id,
        "customer": integration.customer,
        "tenant_id": integration.tenant_id,
        "display_name": integration.display_name,
        "home_region": integration.home_region,
        "management_group_id": integration.management_group_id or "",
        "workspace_resource_id": integration.workspace_resource_id or "",
        "subscription_cap": integration.subscription_cap,
        "status": integration.status.value,
        "created_at": integration.created_at.isoformat(),
        "offboarding_at": text_of(integration.offboarding_at),
        "drained_at": text_of(integration.drained_at),
        "offboarded_at": text_of(integration.offboarded_at),
    }


def _from_row(row: Row) -> Integration:
    return Integration(
        id=row["RowKey"],
        customer=row["customer"],
        tenant_id=row["tenant_id"],
        display_name=row["display_name"],
        home_region=row["home_region"],
        management_group_id=row["management_group_id"] or None,
        workspace_resource_id=row["workspace_resource_id"] or None,
        subscription_cap=row["subscription_cap"],
        status=IntegrationStatus(row["status"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        # Rows from before integrations could be offboarded do not have these.
        offboarding_at=moment_of(row.get("offboarding_at", "")),
        drained_at=moment_of(row.get("drained_at", "")),
        offboarded_at=moment_of(row.get("offboarded_at", "")),
    )
