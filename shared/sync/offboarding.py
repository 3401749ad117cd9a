"""Offboarding: remove what we made in a customer's tenant, then let its event hubs drain and go.

Each object has a row that says what became of it: removed, which means that Azure was asked again and had
no such object, or what stood in the way. What Azure refuses is not tried again before the hubs are gone;
then everything is looked at once more, so that nothing stays that a job under way wrote in the meantime.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.arm.connection import Arm
from shared.arm.errors import ArmError, ThrottledError, UnavailableError
from shared.model.integration import Integration, IntegrationStatus
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.model.reasons import Reason
from shared.model.removal import Removal, RemovalState
from shared.settings import Settings
from shared.store.tables import Stored
from shared.sync.context import SECONDS_PER_JOB, Context
from shared.sync.draining import draining
from shared.sync.removers import is_ours, removals_of, remover_of
from shared.sync.upkeep import explained
from shared.sync.visits import MOST_PER_JOB, save, visit

_log = logging.getLogger(__name__)

MOST_DELETIONS: Final = 3
"""Deletions in a row that no read-back confirmed, after which Azure is said to keep the object."""

_FAILURES: Final = (Reason.UNREACHABLE, Reason.THROTTLED, Reason.IDENTITY_REFUSED)


class OffboardingStep:
    """Takes integrations that are being offboarded to their end."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, job: Job) -> float | None:
        """Plan all integrations or one, or remove what is in one subscription.

        Raises:
            ArmError: Azure can only be asked again later; what was done until then is kept.
            ConflictError: somebody else changed the rows.
        """
        context = self._context
        if not job.integration_id:
            for integration in await context.integrations.list_all():
                if integration.status is IntegrationStatus.OFFBOARDING:
                    await context.start(Step.OFFBOARDING, job.cause, integration.id)
            return None
        found = await context.integrations.read(job.integration_id)
        if found is None or found.fact.status is not IntegrationStatus.OFFBOARDING:
            return None
        if job.phase is Phase.PLAN:
            await self._plan(job, found)
            return None
        return await self._remove(job, found.fact)

    async def give_up(self, job: Job, error: ArmError | None) -> None:
        """Take down that what is left in a subscription could not be removed for now."""
        context = self._context
        found = await context.integrations.get(job.integration_id)
        if job.phase is Phase.PLAN or found is None:
            return
        reason = error.reason if error is not None else Reason.UNREACHABLE
        detail = error.detail if error is not None else ""
        now = context.clock()
        rows = await self._due(found, job.target, now)
        await self._save([(row, hindered(row.fact, reason, detail, now)) for row in rows])

    async def _plan(self, job: Job, integration: Stored[Integration]) -> None:
        context = self._context
        now = context.clock()
        rows = await self._rows(integration.fact)
        due = {row.subscription_id for row in rows if is_due(row, integration.fact, context.settings, now)}
        targets = [replace(job, phase=Phase.TARGET, target=target, attempt=0) for target in sorted(due)]
        interval = min(float(context.settings.cycle_seconds), len(targets) * SECONDS_PER_JOB)
        await context.send_spread(targets, interval)
        if any(row.open for row in rows):
            return
        hubs = [row for row in await context.hubs.list() if row.fact.integration_id == integration.fact.id]
        for hub in hubs:
            if not hub.fact.leaving:
                await context.hubs.save([Stored(draining(hub.fact, context.settings, now), hub.etag)])
        if hubs:
            return
        if integration.fact.drained_at is None:
            await context.integrations.save(replace(integration.fact, drained_at=now), integration.etag)
            await self._plan_again(integration.fact.id, 0.0)
        elif not due:
            await self._finish(integration, now)

    async def _finish(self, integration: Stored[Integration], now: datetime) -> None:
        context = self._context
        await context.problems.settle_all(integration.fact.id, now)
        done = replace(integration.fact, status=IntegrationStatus.OFFBOARDED, offboarded_at=now)
        await context.integrations.release(done, integration.etag)
        _log.info("offboarded integration=%s customer=%s", done.id, done.customer)

    async def _rows(self, integration: Integration) -> list[Removal]:
        """What there is to be removed; what is not in the table yet is added."""
        context = self._context
        known = {row.fact.key: row.fact for row in await context.removals.list(integration.id)}
        wanted = removals_of(
            integration,
            [row.fact for row in await context.subscriptions.list(integration.id)],
            [row.fact for row in await context.resources.list(integration.id)],
            context.settings,
        )
        new = {removal.key: removal for removal in wanted if removal.key not in known}
        await context.removals.save(Stored(removal, "") for removal in new.values())
        return [*known.values(), *new.values()]

    async def _due(self, integration: Integration, target: str, now: datetime) -> list[Stored[Removal]]:
        context = self._context
        rows = await context.removals.list(integration.id, target)
        return [row for row in rows if is_due(row.fact, integration, context.settings, now)]

    async def _remove(self, job: Job, integration: Integration) -> float | None:
        context = self._context
        rows = await self._due(integration, job.target, context.clock())
        made = await visit(
            rows[:MOST_PER_JOB], lambda row: step(context.arm, context.settings, row, context.clock())
        )
        await self._save(made.changed)
        if made.hindrance is not None:
            raise made.hindrance
        if len(rows) > MOST_PER_JOB:
            return 0.0
        if any(after.open for _, after in made.changed):
            read_back = replace(job, cause=Cause.RETRY, attempt=0)
            await context.queue.send(read_back, context.settings.read_back_seconds)
        else:
            await self._plan_again(integration.id, float(context.settings.poll_seconds))
        return None

    async def _save(self, changed: Iterable[tuple[Stored[Removal], Removal]]) -> None:
        context = self._context
        changed = list(changed)
        for before, after in changed:
            _log.info("%s is %s integration=%s", after.where, after.state.value, after.integration_id)
            if after.reason is not before.fact.reason:
                await context.note(after.integration_id, after.where, after.reason, after.detail)
        await save(changed, context.removals.save)

    async def _plan_again(self, integration_id: str, delay: float) -> None:
        cycle = cycle_stamp(self._context.clock())
        job = Job(Step.OFFBOARDING, Phase.PLAN, cycle, Cause.OPERATOR, integration_id)
        await self._context.send_once(job, delay)


async def step(arm: Arm, settings: Settings, removal: Removal, now: datetime) -> Removal:
    """Look at one object, and delete it if it is there and ours; gives what is known then.

    Raises:
        ThrottledError, UnavailableError: it can only be tried again later.
    """
    remover = remover_of(arm, removal)
    try:
        destination = await remover.read()
        if destination is None:
            return replace(
                removal, state=RemovalState.REMOVED, reason=None, detail="", deletions=0, checked_at=now
            )
        if not remover.by_name and not is_ours(settings, destination):
            return hindered(removal, Reason.NOT_OURS, f"it sends to {destination or 'nothing'}", now)
        if removal.deletions >= MOST_DELETIONS:
            detail = f"it is there after {removal.deletions} deletions"
            return replace(hindered(removal, Reason.KEEPS_EVERYTHING, detail, now), deletions=0)
        await remover.delete()
    except (ThrottledError, UnavailableError):
        raise
    except ArmError as error:
        return hindered(removal, error.reason, explained(error, remover.role), now)
    return replace(
        removal,
        state=RemovalState.DELETED,
        reason=None,
        detail="",
        deletions=removal.deletions + 1,
        checked_at=now,
    )


def hindered(removal: Removal, reason: Reason, detail: str, now: datetime) -> Removal:
    """The removal when something stands in the way."""
    return replace(removal, state=RemovalState.BLOCKED, reason=reason, detail=detail, checked_at=now)


def is_due(removal: Removal, integration: Integration, settings: Settings, now: datetime) -> bool:
    """Whether Azure is to be asked about an object now.

    A deletion is read back after a while; what failed is tried in every cycle, what was refused is not; and
    when the hubs are gone, everything is looked at once more.
    """
    if removal.checked_at is None or removal.state is RemovalState.PENDING:
        return True
    if removal.state is RemovalState.DELETED:
        return now - removal.checked_at >= timedelta(seconds=settings.read_back_seconds)
    if integration.drained_at is not None:
        return removal.checked_at < integration.drained_at
    return removal.state is RemovalState.BLOCKED and removal.reason in _FAILURES
