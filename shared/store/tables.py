"""What all tables have in common: batches, ETags, names.

Rows are written with the ETag they were read with wherever two writers may meet; the loser gets a
`ConflictError`, reads again and decides again.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import batched, groupby
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

type Row = dict[str, Any]
"""One table entity as the SDK gives and takes it: PartitionKey, RowKey and up to 252 properties."""

BATCH = 100
"""Operations in one transaction, all in one partition (Table service limit)."""

_SINGLE = frozenset({"create", "update", "upsert"})
# A deletion by itself says nothing when the row is gone already, one in a transaction does.
_WITH_OPTIONS = 3


class TableName(StrEnum):
    """Every table of the app."""

    INTEGRATIONS = "integrations"
    SUBSCRIPTIONS = "subscriptions"
    LISTINGS = "listings"
    HUBS = "hubs"
    CAPTURES = "captures"
    OPERATIONS = "operations"
    PROBLEMS = "problems"
    RESOURCES = "resources"
    WORKSPACES = "workspaces"
    ALERT_EXPORTS = "alertexports"
    CLAIMS = "claims"
    MAPPINGS = "mappings"
    REMOVALS = "removals"


class ConflictError(Exception):
    """Somebody else wrote one of the rows in the meantime, or it exists, or it is gone.

    Attributes:
        index: which of the changes in the call met the conflict, from 0; None if the service did not say.
    """

    def __init__(self, index: int | None = None) -> None:
        super().__init__("a row was changed by somebody else")
        self.index = index


@dataclass(frozen=True, slots=True)
class Stored[T]:
    """A fact as it was read, with the ETag that proves it."""

    fact: T
    etag: str


type Change = tuple[str, Row] | tuple[str, Row, Mapping[str, Any]]


def insert(row: Row) -> Change:
    """Write a row that must not exist yet."""
    return ("create", row)


def replace(row: Row, etag: str) -> Change:
    """Write a row that must still be as it was read."""
    return ("update", row, _matching(etag))


def write(row: Row, etag: str) -> Change:
    """Write a row that must still be as it was read; with an empty ETag it must not exist yet."""
    return replace(row, etag) if etag else insert(row)


def overwrite(row: Row) -> Change:
    """Write a row whatever was there; only for rows that a single writer owns."""
    return ("upsert", row, {"mode": UpdateMode.REPLACE})


def remove(row: Row, etag: str) -> Change:
    """Delete a row that must still be as it was read."""
    return ("delete", row, {"etag": etag, "match_condition": MatchConditions.IfNotModified})


def _matching(etag: str) -> Mapping[str, Any]:
    return {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}


async def commit(table: TableClient, changes: Iterable[Change]) -> None:
    """Write changes to one partition, in transactions of at most a hundred.

    Each transaction succeeds or fails whole; those before a failed one stay.

    Raises:
        ConflictError: a row was not as expected.
    """
    for number, chunk in enumerate(batched(changes, BATCH, strict=False)):
        try:
            if len(chunk) == 1 and chunk[0][0] in _SINGLE:
                await _write_single(table, chunk[0])
            else:
                await table.submit_transaction(chunk)
        except HttpResponseError as error:
            if _is_conflict(error):
                index = getattr(error, "index", 0)
                raise ConflictError(None if index is None else number * BATCH + index) from error
            raise


async def _write_single(table: TableClient, change: Change) -> None:
    """Write one row by itself, which takes the client a fraction of the work of a transaction."""
    kind, row, options = change if len(change) == _WITH_OPTIONS else (*change, {})
    if kind == "create":
        await table.create_entity(row)
    elif kind == "update":
        await table.update_entity(row, **options)
    else:
        await table.upsert_entity(row, **options)


async def write_all(table: TableClient, rows: Iterable[tuple[Row, str]]) -> None:
    """Write rows of any partitions, each with its ETag; an empty one means that the row is new.

    Raises:
        ConflictError: a row was not as expected; those of other partitions, and hundreds before it, may
            be written.
    """
    ordered = sorted(rows, key=lambda row: str(row[0]["PartitionKey"]))
    for _, group in groupby(ordered, key=lambda row: row[0]["PartitionKey"]):
        await commit(table, [write(row, etag) for row, etag in group])


def _is_conflict(error: HttpResponseError) -> bool:
    conflicts = (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError)
    return isinstance(error, conflicts) or error.status_code in (404, 409, 412)


async def find(table: TableClient, partition: str, row: str) -> Row | None:
    """One row, or None if there is none."""
    try:
        return dict_of(await table.get_entity(partition, row))
    except ResourceNotFoundError:
        return None


async def query(table: TableClient, condition: str, **parameters: object) -> AsyncIterator[Row]:
    """All rows that fulfil an OData condition with `@name` parameters."""
    async for entity in table.query_entities(condition, parameters=parameters):
        yield dict_of(entity)


def text_of(moment: datetime | None) -> str:
    """A moment as it stands in a row: sortable, with all its digits; empty for none."""
    return moment.isoformat() if moment is not None else ""


def moment_of(text: str) -> datetime | None:
    """The moment that a row's text stands for."""
    return datetime.fromisoformat(text) if text else None


def dict_of(entity: Mapping[str, Any]) -> Row:
    """The entity's properties, with its ETag under `_etag`."""
    metadata = getattr(entity, "metadata", {})
    return {**entity, "_etag": str(metadata.get("etag", ""))}
