"""The capture step put together over a real Azurite, with a clock that tests move."""

import base64
import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import uuid4

from azure.core.credentials import AccessToken

from shared.capture.flush import Flusher
from shared.capture.handle import CaptureHandler
from shared.capture.handoff import CONDENSED_QUEUE, HandOff
from shared.capture.output import Compression
from shared.capture.parts import PART
from shared.capture.ports import RepairSink, SubscriptionDirectory
from shared.capture.repair import Ours, Repairs
from shared.model.captures import CaptureFile, Counts
from shared.model.hubs import HubAssignment, HubState
from shared.model.integration import Integration, IntegrationStatus
from shared.model.jobs import Job
from shared.model.problem import Problem
from shared.model.reasons import Reason
from shared.store.blobs import BlobStore, ContainerName
from shared.store.captures import CaptureStore
from shared.store.operations import OperationStore
from shared.store.storage import Storage
from shared.store.tables import Stored
from tests.helpers.facts import settings

START = datetime(2024, 5, 1, 10, tzinfo=UTC)
WAIT = timedelta(minutes=15)
RETENTION = timedelta(days=1)


class NoCredential:
    """Stands where a credential is asked for and a connection string is used."""

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        raise AssertionError(scopes)

    async def close(self) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@dataclass(frozen=True)
class Hubs:
    assignment: HubAssignment

    async def find(self, namespace: str, hub: str) -> HubAssignment | None:
        known = self.assignment
        return known if (namespace, hub) == (known.namespace, known.hub) else None


@dataclass(frozen=True)
class HubListing:
    assignment: HubAssignment

    async def list(self) -> list[Stored[HubAssignment]]:
        return [Stored(self.assignment, "")]


class Files:
    """Remembers the capture files that are to be handled."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, path: str) -> None:
        self.sent.append(path)


@dataclass(frozen=True)
class Integrations:
    integration: Integration

    async def list_all(self) -> list[Integration]:
        return [self.integration]


class Problems:
    def __init__(self) -> None:
        self.reported: list[Problem] = []

    async def report(self, problem: Problem) -> None:
        self.reported.append(problem)

    async def settle(self, integration_id: str, where: str, now: datetime, lasting: Reason | None) -> None:
        del now
        self.reported = [
            one
            for one in self.reported
            if (one.integration_id, one.where) != (integration_id, where) or one.reason is lasting
        ]


class Subscriptions:
    """Which subscriptions are whose."""

    def __init__(self) -> None:
        self.known: set[tuple[str, str]] = set()

    async def read(self, integration_id: str, subscription_id: str) -> object | None:
        return (integration_id, subscription_id) if (integration_id, subscription_id) in self.known else None


class Sink:
    """Remembers the jobs it was given."""

    def __init__(self) -> None:
        self.sent: list[Job] = []

    async def send_once(self, job: Job) -> None:
        self.sent.append(job)


OURS = Ours.named_by(
    settings(
        LIGHTKEEPER_OLDER_EXPORT_RULE="Older-Entra",
        LIGHTKEEPER_PRINCIPAL_ID="55555555-5555-4555-8555-555555555555",
        AZURE_CLIENT_ID="66666666-6666-4666-8666-666666666666",
    )
)
"""What the app in these tests is told of its names and its identity."""


class App:
    """One customer's capture step."""

    def __init__(self, storage: Storage, wait: timedelta = WAIT) -> None:
        self.storage = storage
        self.wait = wait
        self.now = START
        self.customer = f"c{uuid4().hex[:12]}"
        self.integration = str(uuid4())
        self.blobs = BlobStore(storage)
        self.captures = CaptureStore(storage)
        self.operations = OperationStore(storage, self.blobs, wait, RETENTION)
        self.problems = Problems()
        self.subscriptions: SubscriptionDirectory = Subscriptions()
        self.sink = Sink()
        self.repairs = self.new_repairs(self.sink)
        self.flusher = self.new_flusher()
        self._files = 0

    @property
    def integrations(self) -> Integrations:
        return Integrations(
            Integration(
                self.integration,
                self.customer,
                str(uuid4()),
                "",
                "eastus",
                None,
                None,
                9,
                IntegrationStatus.ACTIVE,
                START,
            )
        )

    @property
    def assignment(self) -> HubAssignment:
        return HubAssignment(
            "eastus", self.customer, self.integration, 1, "lightkeeper-eastus-1", HubState.READY, START
        )

    def new_flusher(
        self, operations: OperationStore | None = None, compression: Compression = Compression.GZIP
    ) -> Flusher:
        return Flusher(
            captures=self.captures,
            operations=operations or self.operations,
            handoff=HandOff(self.storage, self.blobs, compression),
            integrations=self.integrations,
            wait=self.wait,
            clock=lambda: self.now,
        )

    def new_repairs(self, sink: RepairSink) -> Repairs:
        return Repairs(sink=sink, subscriptions=self.subscriptions, ours=OURS, clock=lambda: self.now)

    def new_handler(
        self,
        operations: OperationStore | None = None,
        part_bytes: int = PART,
        compression: Compression = Compression.GZIP,
    ) -> CaptureHandler:
        """A worker of its own; workers share nothing but the storage."""
        return CaptureHandler(
            blobs=self.blobs,
            captures=self.captures,
            operations=operations or self.operations,
            handoff=HandOff(self.storage, self.blobs, compression),
            repairs=self.repairs,
            hubs=Hubs(self.assignment),
            problems=self.problems,
            wait=self.wait,
            clock=lambda: self.now,
            part_bytes=part_bytes,
        )

    async def upload(
        self, data: bytes, *, hub: str | None = None, partition: int = 0, moment: datetime | None = None
    ) -> CaptureFile:
        """Write a capture file, each a second after the one before unless a moment is given."""
        self._files += 1
        moment = moment or START + timedelta(seconds=self._files)
        hub = self.customer if hub is None else hub
        path = f"lightkeeper-eastus-1/{hub}/{partition}/{moment:%Y/%m/%d/%H/%M/%S}.avro"
        await self.blobs.write(ContainerName.CAPTURE, path, data, "application/octet-stream")
        return CaptureFile("capture", path, "lightkeeper-eastus-1", hub, str(partition), moment)

    async def handle(self, file: CaptureFile) -> Counts:
        """Deliver the event of a capture file."""
        subject = f"/blobServices/default/containers/capture/blobs/{file.path}"
        return await self.new_handler().handle(subject, {"api": "PutBlob", "url": f"https://x/{file.path}"})

    async def condensed(self) -> dict[str, list[dict[str, Any]]]:
        """All condensed files of the customer."""
        container = await self.storage.container(ContainerName.CONDENSED)
        names = [blob.name async for blob in container.list_blobs(name_starts_with=f"{self.customer}/")]
        files = {}
        for name in sorted(names):
            lines = gzip.decompress(await self.blobs.read(ContainerName.CONDENSED, name)).splitlines()
            files[name] = [json.loads(line) for line in lines]
        return files

    async def messages(self) -> list[dict[str, Any]]:
        """The messages about the customer's files."""
        queue = await self.storage.queue(CONDENSED_QUEUE)
        found = []
        async for message in queue.receive_messages(
            messages_per_page=32, visibility_timeout=1, max_messages=1000
        ):
            body = json.loads(base64.b64decode(message.content))
            if body["customer"] == self.customer:
                found.append(body)
                await queue.delete_message(message)
        return found
