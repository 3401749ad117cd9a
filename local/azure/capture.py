"""Event Hubs Capture: closes windows per partition and writes them as Avro files to blob storage.

Schema and path: learn.microsoft.com/azure/event-hubs/explore-captured-avro-files
"""

import asyncio
import io
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import fastavro
from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.blob.aio import BlobServiceClient

from local.azure.event_grid import EventGrid, blob_created
from local.azure.stream import Event, EventStream
from local.azure.world import Hub, Namespace, World

_log = logging.getLogger(__name__)

_PROPERTY = {"type": "map", "values": ["long", "double", "string", "bytes"]}
SCHEMA = fastavro.parse_schema(
    {
        "type": "record",
        "name": "EventData",
        "namespace": "Microsoft.ServiceBus.Messaging",
        "fields": [
            {"name": "SequenceNumber", "type": "long"},
            {"name": "Offset", "type": "string"},
            {"name": "EnqueuedTimeUtc", "type": "string"},
            {"name": "SystemProperties", "type": _PROPERTY},
            {"name": "Properties", "type": _PROPERTY},
            {"name": "Body", "type": ["null", "bytes"]},
        ],
    }
)
_CODECS = {"Avro": "null", "AvroDeflate": "deflate"}
_TICK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class CapturedFile:
    """One blob that Capture wrote.

    Attributes:
        container: blob container.
        path: blob name.
        url: of the blob.
        events: events in it.
        size: bytes.
    """

    container: str
    path: str
    url: str
    events: int
    size: int


class Capture:
    """Writes what waits in partitions.

    Args:
        world: hubs and their capture settings; its storage accounts hold connection strings.
        stream: the partitions.
        event_grid: is told of every file.
    """

    def __init__(self, world: World, stream: EventStream, event_grid: EventGrid) -> None:
        self._world = world
        self._stream = stream
        self._event_grid = event_grid
        self._services: dict[str, BlobServiceClient] = {}
        self._lock = asyncio.Lock()
        self._paths: set[tuple[str, str]] = set()
        self.seconds: float | None = None
        """The window's length in place of the hub's own; None takes the hub's."""
        self.files: list[CapturedFile] = []
        """Everything written so far."""

    async def run(self) -> None:
        """Close windows as they end, until cancelled."""
        while True:
            await self._world.clock.sleep(_TICK_SECONDS)
            await self.close_windows()

    async def close_windows(self, *, force: bool = False) -> list[CapturedFile]:
        """Write the windows that have ended, or all; windows without events only where the hub wants them."""
        written: list[CapturedFile] = []
        async with self._lock:
            for namespace, hub in self._capturing():
                for number in range(hub.partitions):
                    file = await self._close(namespace, hub, number, force=force)
                    written += [file] if file else []
        return written

    async def write_empty(self, namespace: str, hub: str) -> CapturedFile | None:
        """Write a file with a header and no events for partition 0; None if the hub does not capture."""
        async with self._lock:
            for owner, found in self._capturing():
                if (owner.name.lower(), found.name.lower()) == (namespace.lower(), hub.lower()):
                    return await self._write(owner, found, 0, [])
        return None

    async def close(self) -> None:
        """Let go of connections."""
        for service in self._services.values():
            await service.close()
        self._services.clear()

    def _capturing(self) -> list[tuple[Namespace, Hub]]:
        found = []
        for (owner, _), hub in list(self._world.hubs.items()):
            namespace = self._world.namespace(owner)
            if hub.captures and namespace and self._world.ready(namespace) and self._has_storage(hub):
                found.append((namespace, hub))
        return found

    def _has_storage(self, hub: Hub) -> bool:
        """Whether a storage service stands behind the account; without one, events only wait."""
        account = (hub.capture or {})["destination"]["properties"]["storageAccountResourceId"]
        return bool(self._world.storage_accounts.get(account.lower()))

    async def _close(
        self, namespace: Namespace, hub: Hub, number: int, *, force: bool
    ) -> CapturedFile | None:
        settings = hub.capture or {}
        now = self._world.clock.now()
        partition = self._stream.partition(namespace.name, hub, number)
        seconds = settings.get("intervalInSeconds", 300) if self.seconds is None else self.seconds
        full = partition.size >= settings.get("sizeLimitInBytes", 314_572_800)
        if not (force or full or now - partition.opened_at >= timedelta(seconds=seconds)):
            return None
        events, size = partition.events, partition.size
        partition.events, partition.size, partition.opened_at = [], 0, now
        if not events and (force or settings.get("skipEmptyArchives", False)):
            return None
        try:
            return await self._write(namespace, hub, number, events)
        except AzureError as error:
            # Capture fills in what a storage outage held up.
            _log.warning("capture could not write and tries again: %s", type(error).__name__)
            partition.events, partition.size = events + partition.events, size + partition.size
            return None

    async def _write(self, namespace: Namespace, hub: Hub, number: int, events: list[Event]) -> CapturedFile:
        destination = (hub.capture or {})["destination"]["properties"]
        account, container = destination["storageAccountResourceId"], destination["blobContainer"]
        path = self._path(namespace, hub, number, destination["archiveNameFormat"], container)
        codec = _CODECS[(hub.capture or {})["encoding"]]
        content = encode(events, codec)
        blobs = self._service(account).get_container_client(container)
        try:
            blob = await blobs.upload_blob(path, content)
        except AzureError as error:
            if getattr(error, "error_code", "") != "ContainerNotFound":
                raise
            try:
                await blobs.create_container()
            except ResourceExistsError:
                _log.debug("somebody else made the container")
            blob = await blobs.upload_blob(path, content)
        self._paths.add((container, path))
        file = CapturedFile(container, path, blob.url, len(events), len(content))
        self.files.append(file)
        event = blob_created(
            self._world, account=account, container=container, path=path, url=blob.url, size=len(content)
        )
        self._event_grid.publish(event)
        return file

    def _path(self, namespace: Namespace, hub: Hub, number: int, pattern: str, container: str) -> str:
        at = self._world.clock.now()
        while (container, path := archive_path(pattern, namespace.name, hub.name, number, at)) in self._paths:
            # Windows can be shorter than the second in which names are given; no file is written over.
            at += timedelta(seconds=1)
        return path

    def _service(self, account: str) -> BlobServiceClient:
        connection_string = self._world.storage_accounts[account.lower()]
        if connection_string not in self._services:
            self._services[connection_string] = BlobServiceClient.from_connection_string(connection_string)
        return self._services[connection_string]


def archive_path(pattern: str, namespace: str, hub: str, partition: int, at: datetime) -> str:
    """The blob's name by an archiveNameFormat."""
    parts = {
        "Namespace": namespace,
        "EventHub": hub,
        "PartitionId": str(partition),
        "Year": f"{at:%Y}",
        "Month": f"{at:%m}",
        "Day": f"{at:%d}",
        "Hour": f"{at:%H}",
        "Minute": f"{at:%M}",
        "Second": f"{at:%S}",
    }
    for token, text in parts.items():
        pattern = pattern.replace(f"{{{token}}}", text)
    return f"{pattern}.avro"


def encode(events: list[Event], codec: str) -> bytes:
    """An Avro file with these events; codec `null` or `deflate`."""
    buffer = io.BytesIO()
    fastavro.writer(buffer, SCHEMA, [_record(event) for event in events], codec=codec)
    return buffer.getvalue()


def _record(event: Event) -> dict[str, Any]:
    at = event.enqueued_at
    clock = f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M:%S %p}"
    return {
        "SequenceNumber": event.sequence,
        "Offset": str(event.offset),
        "EnqueuedTimeUtc": clock,
        "SystemProperties": {"x-opt-enqueued-time": int(at.timestamp() * 1000)},
        "Properties": {},
        "Body": event.body,
    }
