"""A whole storage account in memory: tables, blobs and queues, as the capture step uses them."""

import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobBlock
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue.aio import QueueClient

from tests.helpers.chaos_tables import MemoryStorage
from tests.helpers.chaos_worker import Turnstile


@dataclass(frozen=True)
class _Listed:
    name: str
    last_modified: datetime = datetime(2024, 5, 1, tzinfo=UTC)


@dataclass
class _Download:
    data: bytes

    async def readall(self) -> bytes:
        return self.data


@dataclass
class MemoryBlob:
    """One blob."""

    container: "MemoryBlobs"
    name: str
    staged: dict[str, bytes] = field(default_factory=dict)

    async def upload_blob(self, data: bytes, **_: object) -> None:
        """Write it, whatever was there."""

        async def done() -> None:
            self.container.blobs[self.name] = data

        await self.container.turnstile.call(done)

    async def stage_block(self, block_id: str, data: bytes) -> None:
        """Send a part of it."""

        async def done() -> None:
            self.staged[block_id] = data

        await self.container.turnstile.call(done)

    async def commit_block_list(self, blocks: list[BlobBlock], **_: object) -> None:
        """Make it of the parts."""

        async def done() -> None:
            self.container.blobs[self.name] = b"".join(self.staged[block.id] for block in blocks)

        await self.container.turnstile.call(done)


@dataclass
class MemoryBlobs:
    """One container."""

    turnstile: Turnstile
    blobs: dict[str, bytes] = field(default_factory=dict)

    def get_blob_client(self, name: str) -> MemoryBlob:
        """One blob."""
        return MemoryBlob(self, name)

    async def download_blob(
        self, name: str, offset: int = 0, length: int | None = None, **_: object
    ) -> _Download:
        """Its bytes, or some of them.

        Raises:
            ResourceNotFoundError: it is not there.
        """

        async def found() -> _Download:
            if name not in self.blobs:
                raise ResourceNotFoundError
            return _Download(self.blobs[name][offset : None if length is None else offset + length])

        return await self.turnstile.call(found)

    async def delete_blob(self, name: str) -> None:
        """Delete it.

        Raises:
            ResourceNotFoundError: it is not there.
        """

        async def done() -> None:
            if self.blobs.pop(name, None) is None:
                raise ResourceNotFoundError

        await self.turnstile.call(done)

    async def list_blobs(self, name_starts_with: str = "") -> AsyncIterator[_Listed]:
        """The blobs whose names begin so."""

        async def found() -> list[_Listed]:
            return [_Listed(name) for name in sorted(self.blobs) if name.startswith(name_starts_with)]

        for each in await self.turnstile.call(found):
            yield each

    async def walk_blobs(self, name_starts_with: str, delimiter: str = "/") -> AsyncIterator[_Listed]:
        """The folders and blobs right below a folder."""

        async def found() -> list[_Listed]:
            below = {
                name[: name.find(delimiter, len(name_starts_with)) + 1] or name
                for name in self.blobs
                if name.startswith(name_starts_with)
            }
            return [_Listed(name) for name in sorted(below)]

        for each in await self.turnstile.call(found):
            yield each


@dataclass
class MemoryQueue:
    """One queue that nobody reads."""

    turnstile: Turnstile
    messages: list[str] = field(default_factory=list)

    async def send_message(self, text: str, **_: object) -> None:
        """Put a message on it."""

        async def done() -> None:
            self.messages.append(base64.b64encode(text.encode()).decode())

        await self.turnstile.call(done)


class MemoryAccount(MemoryStorage):
    """A storage account with nothing in it."""

    async def container(self, name: str) -> ContainerClient:
        """The container; making it is a call."""
        return await self._made(f"container {name}", self._maker(MemoryBlobs))

    async def queue(self, name: str) -> QueueClient:
        """The queue; making it is a call."""
        return await self._made(f"queue {name}", self._maker(MemoryQueue))

    def _maker(self, kind: Callable[[Turnstile], Any]) -> Callable[[], object]:
        return lambda: kind(self._turnstile)
