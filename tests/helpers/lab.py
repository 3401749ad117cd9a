"""The synchronisation end to end in one process: real stores and queues, the simulated Azure over HTTP.

Its clock stands still until a test moves it, and no message has to wait, so that a test decides what
happens when.
"""

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from local.azure.app import SimulatedAzure
from local.azure.clock import Clock
from local.azure.estate import Provider, build_world
from local.azure.server import Server
from local.azure.world import World
from shared.jobs.message import encode
from shared.jobs.runner import JobRunner
from shared.model.integration import Integration
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.model.problem import PROVIDER, Problem
from shared.model.subscription import Subscription
from shared.model.upkeep import Coverage
from shared.portal.api import PortalApi
from shared.services import Services
from shared.settings import Settings
from shared.store.storage import Storage
from shared.sync.context import Context
from tests.helpers.facts import GROUP, PROVIDER_SUBSCRIPTION, PROVIDER_TENANT, an_integration

IDENTITY_HEADER = "made-up"
_SETTINGS = {
    "LIGHTKEEPER_PROVIDER_TENANT_ID": PROVIDER_TENANT,
    "LIGHTKEEPER_PROVIDER_SUBSCRIPTION_ID": PROVIDER_SUBSCRIPTION,
    "LIGHTKEEPER_HUB_RESOURCE_GROUP": GROUP,
    "LIGHTKEEPER_CYCLE_SECONDS": "0",
    "LIGHTKEEPER_READ_BACK_SECONDS": "0",
    "LIGHTKEEPER_POLL_SECONDS": "0",
    "LIGHTKEEPER_SWEEP_SECONDS": "3600",
}
_MOST_ROUNDS = 200


@asynccontextmanager
async def simulated_azure(storage: str = "") -> AsyncIterator[tuple[SimulatedAzure, Server, Provider]]:
    """A simulated Azure on a port, with nothing but the provider in it."""
    provider = Provider(PROVIDER_TENANT, PROVIDER_SUBSCRIPTION, GROUP, storage)
    world = build_world(provider, clock=Clock(datetime.now(UTC)))
    world.identity_header = IDENTITY_HEADER
    azure = SimulatedAzure(world)
    async with Server(azure) as server:
        yield azure, server, provider


@contextmanager
def identity_endpoint(server: Server) -> Iterator[None]:
    """What App Service tells an app about its identity, for credentials that are made inside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
        patch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
        yield


@dataclass
class Lab:
    """The parts, and the little that a test needs to drive them.

    Only the queues of `steps` are worked off.
    """

    azure: SimulatedAzure
    context: Context
    runner: JobRunner
    storage: Storage
    api: PortalApi
    steps: tuple[Step, ...] = (Step.EVENT_HUBS, Step.SUBSCRIPTIONS, Step.SUBSCRIPTION_SETTINGS)
    handled: list[str] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.azure.world

    async def integrate(
        self, customer: str, tenant_id: str, *, home_region: str = "westeurope", subscription_cap: int = 2000
    ) -> Integration:
        """Register a customer, as the API would."""
        integration = an_integration(
            id=self.world.guid(),
            customer=customer,
            tenant_id=tenant_id,
            home_region=home_region,
            subscription_cap=subscription_cap,
            created_at=self.world.clock.now(),
        )
        await self.context.integrations.register(integration)
        self.world.clock.move(1)
        return integration

    async def cycle(self, *steps: Step, seconds: float = 60) -> None:
        """Let time pass, let the timers of some steps fire, or of all, and work everything off."""
        self.world.clock.move(seconds)
        for step in steps or self.steps:
            await self.context.start(step, Cause.CYCLE)
        await self.drain()

    async def list_subscriptions(self) -> None:
        """One cycle of the first step."""
        await self.cycle(Step.SUBSCRIPTIONS)

    async def send(self, *jobs: Job) -> None:
        """Put jobs on their queues."""
        await self.context.queue.send_all((job, 0.0) for job in jobs)

    async def run(self, job: Job) -> None:
        """Run one job once; what it sends stays on the queues."""
        await self.runner.run(job.step.queue, encode(job).encode())

    async def drain(self) -> None:
        """Run what is on the queues until nothing is left; time passes while jobs wait for Azure.

        Raises:
            AssertionError: the jobs do not come to an end.
        """
        for _ in range(_MOST_ROUNDS):
            if not any([await self._round(step) for step in self.steps]):
                return
            self.world.clock.move(5)
        raise AssertionError(f"jobs go on and on: {self.handled[-10:]}")

    async def _round(self, step: Step) -> int:
        queue = await self.storage.queue(step.queue)
        messages = [message async for message in queue.receive_messages(max_messages=32)]
        for message in messages:
            text = base64.b64decode(message.content)
            self.handled.append(text.decode())
            await self.runner.run(step.queue, text)
            await queue.delete_message(message)
        return len(messages)

    def job(self, step: Step, target: str = "", integration_id: str = "", cause: Cause = Cause.CYCLE) -> Job:
        """A job of this moment."""
        phase = Phase.TARGET if target else Phase.PLAN
        return Job(step, phase, cycle_stamp(self.world.clock.now()), cause, integration_id, target)

    async def rows(self, integration: Integration) -> dict[str, Subscription]:
        """What we know of an integration's subscriptions."""
        found = await self.context.subscriptions.list(integration.id)
        return {row.fact.subscription_id: row.fact for row in found}

    async def row(self, integration: Integration, subscription_id: str) -> Subscription:
        """What we know of one subscription."""
        return (await self.rows(integration))[subscription_id]

    async def coverages(self, integration: Integration) -> dict[str, Coverage]:
        """How far an integration's subscriptions are covered."""
        return {key: row.upkeep.coverage for key, row in (await self.rows(integration)).items()}

    async def problems(self, integration: Integration | None = None) -> list[Problem]:
        """What is broken for a customer, or for the provider."""
        return await self.context.problems.list(PROVIDER if integration is None else integration.id)

    def writes(self) -> int:
        """Calls so far that change something in Azure."""
        return sum(count for kind, count in self.azure.counts.by_kind.items() if not kind.startswith("GET "))

    def calls(self, *words: str) -> int:
        """Calls so far of the kinds that hold all the words."""
        kinds = self.azure.counts.by_kind.items()
        return sum(count for kind, count in kinds if all(word.lower() in kind.lower() for word in words))


@asynccontextmanager
async def open_lab(account: str, **variables: str) -> AsyncIterator[Lab]:
    """A lab on a storage account of its own, with settings of its own."""
    async with AsyncExitStack() as stack:
        azure, server, provider = await stack.enter_async_context(simulated_azure(account))
        settings = Settings.from_environment(
            {
                **_SETTINGS,
                "LightkeeperStorage": account,
                "AZURE_RESOURCE_MANAGER_URL": server.url,
                "LIGHTKEEPER_PRINCIPAL_ID": azure.world.app.object_id,
                "LIGHTKEEPER_CAPTURE_STORAGE_ID": provider.storage_id,
                "LIGHTKEEPER_CAPTURE_IDENTITY_ID": provider.identity_id,
                **variables,
            }
        )
        with identity_endpoint(server):
            services = Services(settings)
        context = replace(services.sync, clock=azure.world.clock.now)
        await stack.enter_async_context(context.arm._credential)
        await stack.enter_async_context(context.arm)
        storage = await stack.enter_async_context(context.queue._storage)
        yield Lab(azure, context, services._runner(context), storage, services.api)
