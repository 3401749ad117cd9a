"""A lab without sockets, for tests that take many cycles: tables, blobs and queues are in memory.

The tables answer as the Table service does, which the histories of chaos show that are played on both.
"""

import math
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

from local.azure.app import SimulatedAzure
from local.azure.clock import Clock
from local.azure.credential import AppCredential
from local.azure.estate import Provider, build_world
from local.azure.transport import InProcess
from shared.arm.connection import Arm
from shared.jobs.message import encode
from shared.jobs.queue import JobQueue
from shared.model.jobs import Job, Step
from shared.services import Services
from shared.settings import Settings
from shared.store.storage import Storage
from tests.helpers.chaos_tables import _UNUSED, MemoryStorage
from tests.helpers.chaos_worker import Turnstile
from tests.helpers.facts import GROUP, PROVIDER_SUBSCRIPTION, PROVIDER_TENANT
from tests.helpers.lab import _SETTINGS, Lab

_ARM = "https://management.azure.com"
_STORES = (
    "integrations",
    "subscriptions",
    "hubs",
    "listings",
    "problems",
    "claims",
    "resources",
    "workspaces",
    "alert_exports",
    "removals",
    "mappings",
    "ledger",
)


class MemoryQueue(JobQueue):
    """Keeps messages until their moment; a delay passes only when the lab's clock moves."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        super().__init__(storage)
        self._clock = clock
        self._waiting: list[tuple[float, Job]] = []

    async def send(self, job: Job, delay: float = 0.0) -> None:
        """Keep a job for so many seconds."""
        self._waiting.append((self._clock.seconds() + math.ceil(delay), job))

    async def send_all(self, jobs: Iterable[tuple[Job, float]]) -> None:
        """Keep many."""
        for job, delay in jobs:
            await self.send(job, delay)

    def take(self, step: Step) -> list[Job]:
        """The jobs of a step that are due."""
        now = self._clock.seconds()
        due = [(at, job) for at, job in self._waiting if at <= now and job.step is step]
        for entry in due:
            self._waiting.remove(entry)
        return [job for _, job in due]


@dataclass
class SwiftLab(Lab):
    """A lab whose queue is in memory."""

    async def _round(self, step: Step) -> int:
        queue = self.context.queue
        assert isinstance(queue, MemoryQueue)
        jobs = queue.take(step)
        for job in jobs:
            text = encode(job)
            self.handled.append(text)
            await self.runner.run(step.queue, text.encode())
        return len(jobs)


@asynccontextmanager
async def open_swift_lab(**variables: str) -> AsyncIterator[Lab]:
    """A lab with nothing but the provider in it, with settings of its own."""
    async with AsyncExitStack() as stack:
        clock = Clock(datetime.now(UTC))
        provider = Provider(PROVIDER_TENANT, PROVIDER_SUBSCRIPTION, GROUP)
        azure = SimulatedAzure(build_world(provider, clock=clock))
        storage = await stack.enter_async_context(MemoryStorage(Turnstile(Random(1))))  # noqa: S311
        settings = Settings.from_environment(
            {
                **_SETTINGS,
                "LightkeeperStorage": _UNUSED,
                "AZURE_RESOURCE_MANAGER_URL": _ARM,
                "LIGHTKEEPER_CAPTURE_STORAGE_ID": provider.storage_id,
                "LIGHTKEEPER_CAPTURE_IDENTITY_ID": provider.identity_id,
                **variables,
            }
        )
        services = Services(settings)
        stores = {name: type(getattr(services.sync, name))(storage) for name in _STORES}
        arm = Arm(
            _ARM, AppCredential(azure), PROVIDER_SUBSCRIPTION, transport=InProcess(azure), clock=clock.seconds
        )
        context = replace(
            services.sync, arm=arm, queue=MemoryQueue(storage, clock), clock=clock.now, **stores
        )
        await stack.enter_async_context(arm)
        yield SwiftLab(azure, context, Services._runner(context), storage, services.api)
