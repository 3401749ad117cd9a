"""The synchronisation in virtual time: real SDK clients, stores on Azurite, a simulated Azure in process.

Jobs wait on a queue that follows a clock which jumps from one due moment to the next, so that an hour of
cycles takes seconds and throttling is met as it would be.
"""

import asyncio
import heapq
import itertools
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from local.azure.app import SimulatedAzure
from local.azure.clock import Clock
from local.azure.credential import AppCredential
from local.azure.estate import Provider, build_world
from local.azure.transport import InProcess
from local.azurite import Azurite
from shared.arm.connection import Arm
from shared.jobs.message import encode
from shared.jobs.queue import JobQueue
from shared.jobs.runner import JobRunner
from shared.model.integration import Integration, IntegrationStatus
from shared.model.jobs import Cause, Job, Step
from shared.model.upkeep import Coverage
from shared.services import Services
from shared.settings import Settings
from shared.sync.context import Context

ARM = "https://management.azure.com"
CYCLE_SECONDS = 300
_TICK = 0.001
AT_ONCE = 16
"""Jobs under way at once, as in one instance of the Functions host."""

_PROVIDER = Provider("10000000-0000-4000-8000-000000000001", "20000000-0000-4000-8000-000000000002")
_STEPS = (
    Step.EVENT_HUBS,
    Step.SUBSCRIPTIONS,
    Step.SUBSCRIPTION_SETTINGS,
    Step.RESOURCES,
    Step.RESOURCE_SETTINGS,
)


class VirtualQueue(JobQueue):
    """Keeps jobs until their moment on a clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()

    async def send(self, job: Job, delay: float = 0.0) -> None:
        """Keep a job for `delay` seconds."""
        heapq.heappush(self._waiting, (self._clock.seconds() + delay, next(self._numbers), job))

    async def send_all(self, jobs: Iterable[tuple[Job, float]]) -> None:
        """Keep many."""
        for job, delay in jobs:
            await self.send(job, delay)

    async def set_aside(self, queue_name: str, text: bytes, reason: str) -> None:
        """Nothing malformed is ever sent here."""
        raise AssertionError(f"{queue_name}: {reason}: {text!r}")

    def due_at(self) -> float | None:
        """When the next job is due."""
        return self._waiting[0][0] if self._waiting else None

    def take(self, most: int) -> list[Job]:
        """The jobs that are due now, so many at the most."""
        taken: list[Job] = []
        while self._waiting and len(taken) < most and self._waiting[0][0] <= self._clock.seconds() + _TICK:
            taken.append(heapq.heappop(self._waiting)[2])
        return taken


@dataclass
class SyncLab:
    """Everything in one process, and a clock that the lab moves."""

    azure: SimulatedAzure
    context: Context
    runner: JobRunner
    queue: VirtualQueue
    jobs: Counter[str] = field(default_factory=Counter)

    @property
    def clock(self) -> Clock:
        """The clock of all parts."""
        return self.azure.world.clock

    async def integrate(self, customer: str, tenant_id: str, region: str) -> Integration:
        """Register a customer."""
        integration = Integration(
            id=self.azure.world.guid(),
            customer=customer,
            tenant_id=tenant_id,
            display_name=customer,
            home_region=region,
            management_group_id=None,
            workspace_resource_id=None,
            subscription_cap=10_000,
            status=IntegrationStatus.PROVISIONING,
            created_at=self.clock.now(),
        )
        await self.context.integrations.register(integration)
        return integration

    async def cycle(self, cause: Cause = Cause.CYCLE) -> None:
        """One cycle of every step, and the time until the next one."""
        until = self.clock.seconds() + CYCLE_SECONDS
        for step in _STEPS:
            await self.context.start(step, cause)
        await self.drive(until)

    async def drive(self, until: float) -> None:
        """Run jobs at their moments until a moment comes."""
        while True:
            due = self.queue.due_at()
            if due is None or due > until:
                self.clock.move(max(until - self.clock.seconds(), 0.0))
                return
            self.clock.move(max(due - self.clock.seconds(), 0.0))
            jobs = self.queue.take(AT_ONCE)
            self.jobs.update(f"{job.step.value}:{job.phase.value}" for job in jobs)
            await asyncio.gather(*(self.runner.run(job.step.queue, encode(job).encode()) for job in jobs))

    async def coverages(self, integration: Integration) -> Counter[Coverage]:
        """How many resources are how far."""
        rows = await self.context.resources.list(integration.id)
        return Counter(row.fact.upkeep.coverage for row in rows)

    def calls(self) -> Counter[str]:
        """Calls to Resource Manager so far, by kind."""
        return Counter({kind: n for kind, n in self.azure.counts.by_kind.items() if "/msi/" not in kind})

    def refused(self) -> int:
        """Calls that were answered 429."""
        return sum(
            n
            for (_, status), n in self.azure.counts.by_status.items()
            if status == HTTPStatus.TOO_MANY_REQUESTS
        )


@asynccontextmanager
async def open_sync_lab(seed: int = 1, **variables: str) -> AsyncIterator[SyncLab]:
    """A lab with nothing but the provider in it, on a storage emulator of its own."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        azurite = stack.enter_context(Azurite(Path(folder)))
        world = build_world(_PROVIDER, seed=seed, clock=Clock(datetime.now(UTC)))
        azure = SimulatedAzure(world)
        settings = Settings.from_environment(
            {
                "LightkeeperStorage": azurite.connection_string,
                "AZURE_RESOURCE_MANAGER_URL": ARM,
                "LIGHTKEEPER_PROVIDER_TENANT_ID": _PROVIDER.tenant_id,
                "LIGHTKEEPER_PROVIDER_SUBSCRIPTION_ID": _PROVIDER.subscription_id,
                "LIGHTKEEPER_HUB_RESOURCE_GROUP": _PROVIDER.group,
                "LIGHTKEEPER_CAPTURE_STORAGE_ID": _PROVIDER.storage_id,
                "LIGHTKEEPER_CAPTURE_IDENTITY_ID": _PROVIDER.identity_id,
                **variables,
            }
        )
        os.environ.setdefault("IDENTITY_ENDPOINT", ARM)
        os.environ.setdefault("IDENTITY_HEADER", "unused")
        services = Services(settings)
        arm = Arm(
            ARM,
            AppCredential(azure),
            _PROVIDER.subscription_id,
            transport=InProcess(azure),
            clock=world.clock.seconds,
        )
        storage = await stack.enter_async_context(services.sync.queue._storage)  # noqa: SLF001 - to close it
        del storage
        queue = VirtualQueue(world.clock)
        context = replace(services.sync, arm=arm, queue=queue, clock=world.clock.now)
        yield SyncLab(azure, context, Services._runner(context), queue)  # noqa: SLF001 - the app's own parts
