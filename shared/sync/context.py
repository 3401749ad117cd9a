"""What every step works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.arm.connection import Arm
from shared.jobs.queue import JobQueue
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.model.problem import Problem
from shared.model.reasons import Reason
from shared.settings import Settings
from shared.store.hubs import HubStore
from shared.store.integrations import IntegrationStore
from shared.store.listings import ListingStore
from shared.store.problems import ProblemStore
from shared.store.subscriptions import SubscriptionStore


@dataclass(frozen=True, slots=True)
class Context:
    """Azure, the tables, the queues, the settings and the clock."""

    arm: Arm
    integrations: IntegrationStore
    subscriptions: SubscriptionStore
    hubs: HubStore
    listings: ListingStore
    problems: ProblemStore
    queue: JobQueue
    settings: Settings
    clock: Callable[[], datetime]

    async def start(self, step: Step, cause: Cause, integration_id: str = "") -> None:
        """Put a planning job on a step's queue."""
        cycle = cycle_stamp(self.clock())
        await self.queue.send(Job(step, Phase.PLAN, cycle, cause, integration_id))

    async def note(self, integration_id: str, where: str, reason: Reason | None, detail: str) -> None:
        """Make the problems at a place say what holds there now: one reason, or none."""
        now = self.clock()
        await self.problems.settle(integration_id, where, now, reason)
        if reason is not None:
            await self.problems.report(Problem(integration_id, reason, where, detail, now))
