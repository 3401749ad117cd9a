"""The capture step of one customer over a real storage service, with a clock that stands still."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import uuid4

from azure.core.credentials import AccessToken

from shared.capture.handle import CaptureHandler
from shared.capture.handoff import HandOff
from shared.capture.repair import Ours, Repairs
from shared.model.captures import Counts
from shared.model.hubs import HubAssignment, HubState
from shared.model.jobs import Job
from shared.model.problem import Problem
from shared.model.reasons import Reason
from shared.store.blobs import BlobStore, ContainerName
from shared.store.captures import CaptureStore
from shared.store.operations import OperationStore
from shared.store.storage import Storage

_NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
_WAIT = timedelta(minutes=15)
_RETENTION = timedelta(days=2)
_NAMESPACE = "lightkeeper-eastus-1"


class NoCredential:
    """Stands where a credential is asked for and a connection string is used."""

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        """Nobody should ask."""
        raise AssertionError(scopes)

    async def close(self) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@dataclass(frozen=True, slots=True)
class _Hubs:
    assignment: HubAssignment

    async def find(self, namespace: str, hub: str) -> HubAssignment | None:
        known = self.assignment
        return known if (namespace, hub) == (known.namespace, known.hub) else None


class _Problems:
    async def report(self, problem: Problem) -> None:
        raise AssertionError(problem)

    async def settle(self, integration_id: str, where: str, now: datetime, lasting: Reason | None) -> None:
        raise AssertionError((integration_id, where, now, lasting))


class _Subscriptions:
    """Knows none, so that no repair adds requests to those of the correlation."""

    async def read(self, integration_id: str, subscription_id: str) -> object | None:
        del integration_id, subscription_id
        return None


class _Jobs:
    async def send_once(self, job: Job) -> None:
        raise AssertionError(job)


_OURS = Ours(
    setting="lightkeeper-logs",
    export_rules=frozenset(),
    alert_export="",
    alert_export_group="",
    types=frozenset(),
    identities=frozenset(),
)


class CaptureApp:
    """One customer's capture step; every file is handled by a worker of its own."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._blobs = BlobStore(storage)
        self._captures = CaptureStore(storage)
        customer = f"c{uuid4().hex[:12]}"
        self._assignment = HubAssignment(
            "eastus", customer, str(uuid4()), 1, _NAMESPACE, HubState.READY, _NOW
        )

    async def upload(self, data: bytes, window: int, partition: int) -> str:
        """Write a capture file as Capture does; gives its path."""
        moment = _NOW + timedelta(minutes=5 * window)
        path = f"{_NAMESPACE}/{self._assignment.hub}/{partition}/{moment:%Y/%m/%d/%H/%M/%S}.avro"
        await self._blobs.write(ContainerName.CAPTURE, path, data, "application/octet-stream")
        return path

    async def handle(self, path: str) -> Counts:
        """Deliver Event Grid's news of a capture file."""
        subject = f"/blobServices/default/containers/capture/blobs/{path}"
        return await self._handler().handle(subject, {"api": "PutBlob"})

    def _handler(self) -> CaptureHandler:
        handoff = HandOff(self._storage, self._blobs)
        return CaptureHandler(
            blobs=self._blobs,
            captures=self._captures,
            operations=OperationStore(self._storage, self._blobs, _WAIT, _RETENTION),
            handoff=handoff,
            repairs=Repairs(sink=_Jobs(), subscriptions=_Subscriptions(), ours=_OURS, clock=lambda: _NOW),
            hubs=_Hubs(self._assignment),
            problems=_Problems(),
            wait=_WAIT,
            clock=lambda: _NOW,
        )
