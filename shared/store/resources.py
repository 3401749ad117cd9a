"""Table `resources`: partition the ids of integration and subscription, row the hash of the resource's id."""

import builtins
from collections import Counter
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import HttpResponseError

from shared.model.resource import ListedResource, Resource
from shared.store.storage import Storage
from shared.store.tables import Row, Stored, TableName, dict_of, find, query, write_all
from shared.store.upkeep import columns_of, upkeep_of


class UnknownPageError(Exception):
    """No page starts where one was asked for."""


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

    async def counts(self, integration_id: str) -> Counter[tuple[str, str]]:
        """How many resources of an integration there are by coverage and reason (empty for none)."""
        table = await self._storage.table(TableName.RESOURCES)
        rows = table.query_entities(
            "PartitionKey ge @first and PartitionKey le @last",
            parameters={"first": _partition(integration_id, ""), "last": _partition(integration_id, "g")},
            select=["coverage", "reason"],
        )
        return Counter([(str(row["coverage"]), str(row["reason"])) async for row in rows])

    async def page(
        self, integration_id: str, coverage: str, most: int, start: tuple[str, str] | None
    ) -> tuple[builtins.list[Resource], tuple[str, str] | None]:
        """A page of an integration's resources, and where the next one starts, if there may be one.

        Args:
            integration_id: whose resources.
            coverage: only those that have come so far; all if empty.
            most: resources on the page.
            start: as the page before gave it.

        Raises:
            UnknownPageError: no page starts there.
        """
        table = await self._storage.table(TableName.RESOURCES)
        condition = "PartitionKey ge @first and PartitionKey le @last"
        parameters = {"first": _partition(integration_id, ""), "last": _partition(integration_id, "g")}
        if coverage:
            condition += " and coverage eq @coverage"
            parameters["coverage"] = coverage
        # The annotation of `by_page` says text, but tables take and give a dictionary.
        token: Any = None if start is None else {"PartitionKey": start[0], "RowKey": start[1]}
        pages = table.query_entities(condition, parameters=parameters, results_per_page=most).by_page(
            continuation_token=token
        )
        found: builtins.list[Resource] = []
        try:
            async for page in pages:
                found = [_from_row(dict_of(row)) async for row in page]
                break
        except HttpResponseError as error:
            if start is not None and error.status_code == HTTPStatus.BAD_REQUEST:
                raise UnknownPageError from error
            raise
        further = getattr(pages, "continuation_token", None)
        if not further:
            return found, None
        return found, (str(further["PartitionKey"]), str(further["RowKey"]))

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
        await write_all(table, [(_to_row(stored.fact), stored.etag) for stored in resources])


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
