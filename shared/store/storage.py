"""The storage account: clients for its tables, queues and blob containers, shared by the process."""

from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Self

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ResourceExistsError
from azure.data.tables.aio import TableClient, TableServiceClient
from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from shared.settings import StorageSettings
from shared.store.tables import TableName

# No proxy and no `.netrc` stands between a Functions app and its storage account, and looking for them
# takes more than a third of the client's work for a small request.
_DIRECT: Final[dict[str, Any]] = {"use_env_settings": False}

# A broken connection is made anew at once. Any answer goes to whoever asked, also one that asks to come back
# later (429, 503): the SDKs would sleep for as long, with the worker, while a job can return to its queue.
_RETRIES: Final[dict[str, Any]] = {"retry_total": 2, "retry_connect": 2, "retry_read": 1, "retry_status": 0}

_TABLE_OPTIONS: Final[dict[str, Any]] = {**_DIRECT, **_RETRIES, "retry_backoff_factor": 0.1}
_OPTIONS: Final[dict[str, Any]] = {
    **_DIRECT,
    **_RETRIES,
    "initial_backoff": 0.1,
    "increment_base": 0,
    "random_jitter_range": 0.1,
}


class Storage:
    """Everything in the storage account, made at first use.

    Args:
        settings: connection string or endpoints.
        credential: used with the endpoints.
    """

    def __init__(self, settings: StorageSettings, credential: AsyncTokenCredential) -> None:
        if settings.connection_string is not None:
            text = settings.connection_string
            self._tables = TableServiceClient.from_connection_string(text, **_TABLE_OPTIONS)
            self._queues = QueueServiceClient.from_connection_string(text, **_OPTIONS)
            self._blobs = BlobServiceClient.from_connection_string(text, **_OPTIONS)
        else:
            self._tables = TableServiceClient(settings.table_url, credential=credential, **_TABLE_OPTIONS)
            self._queues = QueueServiceClient(settings.queue_url, credential=credential, **_OPTIONS)
            self._blobs = BlobServiceClient(settings.blob_url, credential=credential, **_OPTIONS)
        self._table_clients: dict[str, TableClient] = {}
        self._queue_clients: dict[str, QueueClient] = {}
        self._container_clients: dict[str, ContainerClient] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._tables.close()
        await self._queues.close()
        await self._blobs.close()

    async def table(self, name: TableName) -> TableClient:
        """The table, made if it is missing."""
        client = self._table_clients.get(name)
        if client is None:
            client = await self._tables.create_table_if_not_exists(name)
            self._table_clients[name] = client
        return client

    async def queue(self, name: str) -> QueueClient:
        """The queue, made if it is missing; messages in base64, as the Functions host expects them."""
        client = self._queue_clients.get(name)
        if client is None:
            client = self._queues.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())
            with suppress(ResourceExistsError):
                await client.create_queue()
            self._queue_clients[name] = client
        return client

    def plain_queue(self, name: str) -> QueueClient:
        """The queue, which may be missing; messages as they lie there, neither encoded nor decoded."""
        return self._queues.get_queue_client(name)

    async def signing_key(self, start: datetime, end: datetime) -> dict[str, Any]:
        """What signs links to blobs: a key that the account issues to our identity for a while.

        With a connection string it is that string's key, which is all there is then.

        Args:
            start: from when the key is good (UTC).
            end: until when, seven days later at most.
        """
        key = getattr(self._blobs.credential, "account_key", None)
        if key is not None:
            return {"account_key": key}
        return {"user_delegation_key": await self._blobs.get_user_delegation_key(start, end)}

    async def container(self, name: str) -> ContainerClient:
        """The blob container, made if it is missing."""
        client = self._container_clients.get(name)
        if client is None:
            client = self._blobs.get_container_client(name)
            with suppress(ResourceExistsError):
                await client.create_container()
            self._container_clients[name] = client
        return client
