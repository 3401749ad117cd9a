"""Talks to the app as its users do: the API over HTTP, the condensed files and their messages in storage."""

import asyncio
import gzip
import json
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue import TextBase64DecodePolicy
from azure.storage.queue.aio import QueueServiceClient

_CONDENSED = "condensed"
_QUEUE = "condensed-ready"
_MOST_AT_ONCE = 32


class ApiError(RuntimeError):
    """The API refused; the message is its answer."""


@dataclass(frozen=True, slots=True)
class CondensedFile:
    """One condensed file and its records.

    Attributes:
        blob: its name.
        records: as parsed JSON.
    """

    blob: str
    records: tuple[dict[str, Any], ...]


class AppClient:
    """The app's API and output; use as an async context.

    Args:
        url: of the Functions host.
        key: function key.
        storage: connection string of the storage account.
    """

    def __init__(self, url: str, key: str, storage: str) -> None:
        self._url = f"{url}/api"
        self._key = key
        self._blobs = BlobServiceClient.from_connection_string(storage)
        self._queues = QueueServiceClient.from_connection_string(storage)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers={"x-functions-key": self._key})
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
        await self._blobs.close()
        await self._queues.close()

    async def register(self, **fields: object) -> dict[str, Any]:
        """`POST /api/integrations`.

        Raises:
            ApiError: it was refused.
        """
        return await self._call("POST", "integrations", json=fields)

    async def integration(self, integration_id: str) -> dict[str, Any]:
        """`GET /api/integrations/{id}`."""
        return await self._call("GET", f"integrations/{integration_id}")

    async def subscriptions(self, integration_id: str) -> list[dict[str, Any]]:
        """`GET /api/integrations/{id}/subscriptions`."""
        answer = await self._call("GET", f"integrations/{integration_id}/subscriptions")
        found: list[dict[str, Any]] = answer["subscriptions"]
        return found

    async def condensed_files(self, customer: str) -> list[CondensedFile]:
        """All condensed files of a customer, in order of their names."""
        container = self._blobs.get_container_client(_CONDENSED)
        try:
            names = sorted(
                [name async for name in container.list_blob_names(name_starts_with=f"{customer}/")]
            )
        except ResourceNotFoundError:
            return []

        async def read(name: str) -> CondensedFile:
            download = await container.download_blob(name)
            lines = gzip.decompress(await download.readall()).splitlines()
            return CondensedFile(name, tuple(json.loads(line) for line in lines))

        return list(await asyncio.gather(*map(read, names)))

    async def take_messages(self) -> list[dict[str, Any]]:
        """Take all messages that announce condensed files."""
        queue = self._queues.get_queue_client(_QUEUE, message_decode_policy=TextBase64DecodePolicy())
        taken = []
        async for message in queue.receive_messages(messages_per_page=_MOST_AT_ONCE):
            taken.append(json.loads(message.content))
            await queue.delete_message(message)
        return taken

    async def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - aiohttp's own
        if self._session is None:
            raise RuntimeError("use AppClient as an async context")
        async with self._session.request(method, f"{self._url}/{path}", **arguments) as answer:
            text = await answer.text()
            if not answer.ok:
                raise ApiError(f"{method} /api/{path}: {answer.status} {text}")
            value: dict[str, Any] = json.loads(text)
            return value
