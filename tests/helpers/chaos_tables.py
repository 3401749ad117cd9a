"""Tables and blobs in memory, so that thousands of histories can be played.

They take what the stores of the app send and answer like the Table and the Blob service do; that they do
is shown by playing some of the histories on Azurite, too: both must take the same course.
"""

import itertools
import operator
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableTransactionError
from azure.data.tables.aio import TableClient
from azure.storage.blob.aio import ContainerClient

from shared.settings import StorageSettings
from shared.store.storage import Storage
from shared.store.tables import Change, TableName
from tests.helpers.accounts import NoToken
from tests.helpers.chaos_worker import Turnstile

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "ge": operator.ge,
    "le": operator.le,
    "lt": operator.lt,
}
_UNUSED = "DefaultEndpointsProtocol=http;AccountName=memory;AccountKey=bm9uZQ==;" + "".join(
    f"{service}Endpoint=http://127.0.0.1:1/memory;" for service in ("Blob", "Queue", "Table")
)


class _Entity(dict[str, Any]):
    """A row with its ETag, as the SDK gives it."""

    def __init__(self, row: Mapping[str, Any], etag: str) -> None:
        super().__init__(row)
        self.metadata = {"etag": etag}


class MemoryTable:
    """One table: rows by partition and row key, transactions, and the filters that the stores use."""

    def __init__(self, turnstile: Turnstile) -> None:
        self._turnstile = turnstile
        self._rows: dict[tuple[str, str], _Entity] = {}
        self._numbers = itertools.count(1)

    async def get_entity(self, partition: str, row: str) -> _Entity:
        """One row.

        Raises:
            ResourceNotFoundError: there is none.
        """

        async def found() -> _Entity:
            if (partition, row) not in self._rows:
                raise ResourceNotFoundError
            return self._rows[partition, row]

        return await self._turnstile.call(found)

    async def query_entities(
        self, condition: str, *, parameters: Mapping[str, object], select: Iterable[str] = ()
    ) -> AsyncIterator[_Entity]:
        """The rows that fulfil a condition, in the order of their keys."""
        del select
        terms = [_term(text, parameters) for text in condition.split(" and ")]

        async def found() -> list[_Entity]:
            rows = [row for _, row in sorted(self._rows.items(), key=operator.itemgetter(0))]
            return [row for row in rows if all(fits(row) for fits in terms)]

        for row in await self._turnstile.call(found):
            yield row

    async def create_entity(self, row: Mapping[str, Any]) -> dict[str, str]:
        """Write a row that is not there.

        Raises:
            ResourceExistsError: it is there.
        """

        async def done() -> dict[str, str]:
            key = row["PartitionKey"], row["RowKey"]
            if key in self._rows:
                raise ResourceExistsError
            self._rows[key] = _Entity(row, self._etag())
            return self._rows[key].metadata

        return await self._turnstile.call(done)

    async def update_entity(self, row: Mapping[str, Any], *, etag: str, **_: object) -> dict[str, str]:
        """Write a row that is as it was read.

        Raises:
            ResourceNotFoundError, ResourceModifiedError: it is not.
        """

        async def done() -> dict[str, str]:
            key = row["PartitionKey"], row["RowKey"]
            if key not in self._rows:
                raise ResourceNotFoundError
            if self._rows[key].metadata["etag"] != etag:
                raise ResourceModifiedError
            self._rows[key] = _Entity(row, self._etag())
            return self._rows[key].metadata

        return await self._turnstile.call(done)

    async def upsert_entity(self, row: Mapping[str, Any], **_: object) -> dict[str, str]:
        """Write a row whatever was there."""

        async def done() -> dict[str, str]:
            entity = self._rows[row["PartitionKey"], row["RowKey"]] = _Entity(row, self._etag())
            return entity.metadata

        return await self._turnstile.call(done)

    async def delete_entity(self, partition: str, row: str) -> None:
        """Delete a row, if it is there."""

        async def done() -> None:
            self._rows.pop((partition, row), None)

        await self._turnstile.call(done)

    async def submit_transaction(self, changes: Iterable[Change]) -> None:
        """Do all changes, or none.

        Raises:
            TableTransactionError: one of them cannot be done.
        """
        todo = list(changes)

        async def done() -> None:
            after = dict(self._rows)
            for index, change in enumerate(todo):
                self._apply(after, change, index)
            self._rows = after

        await self._turnstile.call(done)

    def _apply(self, rows: dict[tuple[str, str], _Entity], change: Change, index: int) -> None:
        kind, row = change[0], change[1]
        options: Mapping[str, Any] = change[2] if len(change) == 3 else {}
        key = row["PartitionKey"], row["RowKey"]
        known = rows.get(key)
        if kind == "create" and known is not None:
            raise _refused(HTTPStatus.CONFLICT, index)
        if kind in ("update", "delete"):
            if known is None:
                raise _refused(HTTPStatus.NOT_FOUND, index)
            if options["etag"] != known.metadata["etag"]:
                raise _refused(HTTPStatus.PRECONDITION_FAILED, index)
        if kind == "delete":
            del rows[key]
        else:
            rows[key] = _Entity(row, self._etag())

    def _etag(self) -> str:
        return f'W/"{next(self._numbers)}"'


def _term(text: str, parameters: Mapping[str, object]) -> Callable[[_Entity], bool]:
    name, compare, value = text.split()
    wanted = parameters[value[1:]] if value.startswith("@") else value.strip("'")
    return lambda row: _COMPARE[compare](row[name], wanted)


def _refused(status: HTTPStatus, index: int) -> TableTransactionError:
    error = TableTransactionError(message=f"{index}:{status.phrase}", index=index)
    error.status_code = status
    return error


@dataclass
class _Properties:
    etag: str
    metadata: dict[str, str]


@dataclass
class MemoryBlob:
    """One blob, of which only the properties matter."""

    turnstile: Turnstile
    properties: _Properties | None = None

    async def get_blob_properties(self) -> _Properties:
        """What is known of it.

        Raises:
            ResourceNotFoundError: it is not there.
        """

        async def found() -> _Properties:
            if self.properties is None:
                raise ResourceNotFoundError
            return self.properties

        return await self.turnstile.call(found)

    async def upload_blob(self, _text: str, **options: Any) -> None:  # noqa: ANN401 - as the SDK has it
        """Write it.

        Raises:
            ResourceExistsError, ResourceModifiedError: it is not as expected.
        """

        async def done() -> None:
            known = self.properties
            if options["match_condition"] is MatchConditions.IfMissing:
                if known is not None:
                    raise ResourceExistsError
            elif known is None or known.etag != options["etag"]:
                raise ResourceModifiedError
            number = int(known.etag) + 1 if known else 1
            self.properties = _Properties(str(number), options["metadata"])

        await self.turnstile.call(done)


@dataclass
class MemoryContainer:
    """One container."""

    turnstile: Turnstile
    blobs: dict[str, MemoryBlob] = field(default_factory=dict)

    def get_blob_client(self, name: str) -> MemoryBlob:
        """One blob."""
        return self.blobs.setdefault(name, MemoryBlob(self.turnstile))


class MemoryStorage(Storage):
    """A storage account with nothing in it."""

    def __init__(self, turnstile: Turnstile) -> None:
        super().__init__(StorageSettings(_UNUSED, "", "", ""), NoToken())
        self._turnstile = turnstile
        self._there: dict[str, object] = {}
        self._clients: dict[str, object] = {}

    async def table(self, name: TableName) -> TableClient:
        """The table; making it is a call."""
        return await self._made(name, lambda: MemoryTable(self._turnstile))

    async def container(self, name: str) -> ContainerClient:
        """The container; making it is a call."""
        return await self._made(name, lambda: MemoryContainer(self._turnstile))

    async def _made(self, name: str, make: Callable[[], object]) -> Any:  # noqa: ANN401 - in a client's place
        async def made() -> object:
            return self._there.setdefault(name, make())

        if name not in self._clients:
            # Whoever dies before the answer does not know that it is there, and makes it again.
            client = await self._turnstile.call(made)
            self._clients[name] = client
        return self._clients[name]
