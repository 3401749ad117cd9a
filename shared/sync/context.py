"""What every step works with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.arm.connection import Arm
from shared.jobs.queue import JobQueue
from shared.jobs.spread import spread
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.model.problem import Problem
from shared.model.reasons import Reason
from shared.settings import Settings
from shared.store.alert_exports import AlertExportStore
from shared.store.claims import ClaimStore, is_claimed
from shared.store.hubs import HubStore
from shared.store.integrations import IntegrationStore
from shared.store.listings import ListingStore
from shared.store.mappings import MappingStore
from shared.store.problems import ProblemStore
from shared.store.removals import RemovalStore
from shared.store.resources import ResourceStore
from shared.store.subscriptions import SubscriptionStore
from shared.store.workspaces import WorkspaceStore

CLAIM_SECONDS: Final = 60.0
"""How long after its due moment a job may still wait on its queue before another one is sent."""


@dataclass(frozen=True, slots=True)
class Context:
    """Azure, the tables, the queues, the settings and the clock."""

    arm: Arm
    integrations: IntegrationStore
    subscriptions: SubscriptionStore
    hubs: HubStore
    listings: ListingStore
    problems: ProblemStore
    claims: ClaimStore
    resources: ResourceStore
    workspaces: WorkspaceStore
    alert_exports: AlertExportStore
    removals: RemovalStore
    mappings: MappingStore
    queue: JobQueue
    settings: Settings
    clock: Callable[[], datetime]

    async def start(self, step: Step, cause: Cause, integration_id: str = "") -> None:
        """Put a planning job on a step's queue."""
        cycle = cycle_stamp(self.clock())
        await self.queue.send(Job(step, Phase.PLAN, cycle, cause, integration_id))

    async def send_once(self, job: Job, delay: float = 1.0) -> None:
        """Send a job after `delay` seconds, unless one for the same target comes no later anyway."""
        now = self.clock()
        if await self.claims.claim(job, now, now + timedelta(seconds=delay + CLAIM_SECONDS)):
            await self.queue.send(job, delay)

    async def send_spread(self, jobs: Sequence[Job], interval: float) -> None:
        """Send the jobs of one step and integration, spread over an interval, but none that waits already."""
        if not jobs:
            return
        now = self.clock()
        claimed = await self.claims.claimed(jobs[0], now)
        chosen = sorted((job for job in jobs if not is_claimed(job, claimed)), key=lambda job: job.target)
        salt = self.settings.provider_subscription_id
        delayed = [
            (job, spread(index, len(chosen), interval, salt, job.target)) for index, job in enumerate(chosen)
        ]
        await self.claims.claim_all(
            [(job, now + timedelta(seconds=delay + CLAIM_SECONDS)) for job, delay in delayed]
        )
        await self.queue.send_all(delayed)

    async def note(self, integration_id: str, where: str, reason: Reason | None, detail: str) -> None:
        """Make the problems at a place say what holds there now: one reason, or none."""
        now = self.clock()
        await self.problems.settle(integration_id, where, now, reason)
        if reason is not None:
            await self.problems.report(Problem(integration_id, reason, where, detail, now))
