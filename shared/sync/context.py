"""What every step works with."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
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
from shared.store.ledger_age import LedgerAge
from shared.store.listings import ListingStore
from shared.store.mappings import MappingStore
from shared.store.problems import ProblemStore
from shared.store.removals import RemovalStore
from shared.store.resources import ResourceStore
from shared.store.subscriptions import SubscriptionStore
from shared.store.workspaces import WorkspaceStore

CLAIM_SECONDS: Final = 60.0
"""How long after its due moment a job may still wait on its queue before another one is sent."""

SECONDS_PER_JOB: Final = 0.1
"""Jobs that are wanted at once still come at this pace, so that a large tenant makes no burst."""


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
    ledger: LedgerAge
    queue: JobQueue
    settings: Settings
    clock: Callable[[], datetime]

    async def start(self, step: Step, cause: Cause, integration_id: str = "") -> None:
        """Put a planning job on a step's queue, unless one waits there already."""
        await self.send_once(Job(step, Phase.PLAN, cycle_stamp(self.clock()), cause, integration_id), 0.0)

    async def start_each(self, job: Job) -> None:
        """Put a planning job for each integration on the queue of one that spans all of them."""
        for integration in await self.integrations.list():
            await self.start(job.step, job.cause, integration.id)

    async def fan_out(self, job: Job, targets: Iterable[str]) -> None:
        """Send the target jobs of a planning job: a cycle's over the cycle, others as soon as is decent."""
        jobs = [replace(job, phase=Phase.TARGET, target=target, attempt=0) for target in targets]
        interval = float(self.settings.cycle_seconds)
        if job.cause is not Cause.CYCLE:
            interval = min(interval, len(jobs) * SECONDS_PER_JOB)
        await self.send_spread(jobs, interval)

    async def read_back(self, job: Job, written_at: datetime | None = None) -> None:
        """Have the targets of a job looked at again when Azure has had time to keep what was written.

        Args:
            job: names them.
            written_at: when the last of them was written (UTC); now, if nothing is said.
        """
        now = self.clock()
        passed = max((now - (written_at or now)).total_seconds(), 0.0)
        delay = max(self.settings.read_back_seconds - passed, 0.0)
        await self.send_once(replace(job, cause=Cause.RETRY, attempt=0), delay)

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
