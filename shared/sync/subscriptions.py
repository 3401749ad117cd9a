"""Step 1: list every delegated subscription, and sort them into integrations.

One paged `GET /subscriptions` sees the subscriptions of all customers. Rows carry the stamp of the last
complete listing that saw them; only what three complete listings in a row did not see, and what Azure does
not have either when it is asked for it, is gone.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

from shared.arm.errors import ArmError, ThrottledError
from shared.arm.subscriptions import get_subscription, list_subscriptions
from shared.model.ids import is_guid
from shared.model.integration import Integration, IntegrationStatus
from shared.model.jobs import Cause, Job, Step
from shared.model.problem import PROVIDER
from shared.model.reasons import Reason
from shared.model.subscription import ListedSubscription, Subscription
from shared.store.listings import KEPT
from shared.store.tables import ConflictError, Stored
from shared.sync.absence import look_for
from shared.sync.context import Context
from shared.sync.subscription_plans import EXCLUSIONS, check_complete, newly_gone, newly_watched, plan

_log = logging.getLogger(__name__)

LISTING = "subscriptions"
"""Kind and place under which complete listings and failures to list are noted."""

_ORPHANED = timedelta(hours=1)
"""After so long no job is under way any more that noted a problem and is about to take down its row."""

_MOST_TRIES = 5
"""How often the rows of one integration are planned anew after a conflict, before the job comes again."""


class SubscriptionsStep:
    """Keeps the table of subscriptions like Azure's own list."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, job: Job) -> float | None:
        """List, compare and write.

        Raises:
            ArmError: the listing could not be completed; then nothing was changed.
        """
        context = self._context
        if job.cause is Cause.CYCLE and job.cycle < max((await self._completed()).fact, default=""):
            return None
        listed = await self._list()
        integrations = await context.integrations.list()
        completed = await self._completed()
        if job.cause is Cause.CYCLE and job.cycle < max(completed.fact, default=""):
            # While this one was on its way, a later one was written down.
            return None
        stamps = tuple(sorted({*completed.fact, job.cycle}))[-KEPT:]
        for integration in integrations:
            await self._update(integration, listed, stamps, job)
            await self._settle_orphans(integration.id)
        if stamps != completed.fact:
            await context.listings.save(LISTING, LISTING, replace(completed, fact=stamps))
        await self._note_unknown_tenants(listed, integrations)
        await context.problems.settle(PROVIDER, LISTING, context.clock(), None)
        return None

    async def give_up(self, job: Job, error: ArmError | None) -> None:
        """Take down that subscriptions could not be listed; what is known stays as it is."""
        del job
        reason = error.reason if error is not None else Reason.UNREACHABLE
        await self._context.note(PROVIDER, LISTING, reason, error.detail if error is not None else "")

    async def _completed(self) -> Stored[tuple[str, ...]]:
        return await self._context.listings.read(LISTING, LISTING)

    async def _list(self) -> list[ListedSubscription]:
        context = self._context
        try:
            listed = await list_subscriptions(context.arm)
            check_complete(listed, context.settings.provider_subscription_id)
        except ThrottledError:
            raise
        except ArmError as error:
            await context.note(PROVIDER, LISTING, error.reason, error.detail)
            raise
        return listed

    async def _look_for(self, suspects: Sequence[str]) -> tuple[list[ListedSubscription], list[str]]:
        context = self._context
        try:
            return await look_for(suspects, partial(get_subscription, context.arm))
        except ArmError as error:
            await context.note(PROVIDER, LISTING, error.reason, error.detail)
            raise

    async def _update(
        self,
        integration: Integration,
        listed: Sequence[ListedSubscription],
        stamps: tuple[str, ...],
        job: Job,
    ) -> None:
        """Jobs of another step write the same rows; what meets a conflict is read and planned again."""
        watched = False
        for _ in range(_MOST_TRIES):
            changed = await self._changes(integration, listed, stamps, job)
            # Before the rows: a job that ends in between comes again and still sees the change to be noted.
            for before, after in changed:
                await self._note_change(before, after.fact)
                watched = watched or newly_watched(before, after.fact)
            with suppress(ConflictError):
                await self._context.subscriptions.save(after for _, after in changed)
                break
        else:
            raise ConflictError
        if watched:
            cause = Cause.ONBOARDING if job.cause is Cause.CYCLE else job.cause
            await self._context.start(Step.SUBSCRIPTION_SETTINGS, cause, integration.id)
            await self._context.start(Step.RESOURCES, cause, integration.id)

    async def _changes(
        self,
        integration: Integration,
        listed: Sequence[ListedSubscription],
        stamps: tuple[str, ...],
        job: Job,
    ) -> list[tuple[Subscription | None, Stored[Subscription]]]:
        context = self._context
        known = {row.fact.subscription_id: row for row in await context.subscriptions.list(integration.id)}
        before = {key: row.fact for key, row in known.items()}
        planned = partial(
            plan,
            integration,
            provider_tenant_id=context.settings.provider_tenant_id,
            stamp=job.cycle,
            stamps=stamps,
            now=context.clock(),
        )
        facts = planned(listed, before)
        found, unasked = await self._look_for(newly_gone(before, facts))
        if found or unasked:
            for subscription_id in unasked:
                del before[subscription_id]
            facts = planned([*listed, *found], before)
        changed: list[tuple[Subscription | None, Stored[Subscription]]] = []
        for fact in facts:
            old = known.get(fact.subscription_id)
            if old is None:
                changed.append((None, Stored(fact, "")))
            elif old.fact != fact:
                changed.append((old.fact, Stored(fact, old.etag)))
        return changed

    async def _note_change(self, before: Subscription | None, after: Subscription) -> None:
        if (before.upkeep.reason if before is not None else None) == after.upkeep.reason:
            return
        _log.info(
            "subscription is %s reason=%s integration=%s subscription=%s",
            after.upkeep.coverage.value,
            after.upkeep.reason,
            after.integration_id,
            after.subscription_id,
        )
        await self._context.note(
            after.integration_id, after.subscription_id, after.upkeep.reason, after.upkeep.detail
        )

    async def _settle_orphans(self, integration_id: str) -> None:
        """Resolve what a job noted of a subscription that it ended before taking down, and that left then."""
        context = self._context
        now = context.clock()
        noted = {
            problem.where
            for problem in await context.problems.list(integration_id)
            if is_guid(problem.where) and problem.reason in EXCLUSIONS and now - problem.since >= _ORPHANED
        }
        if noted:
            known = {row.fact.subscription_id for row in await context.subscriptions.list(integration_id)}
            for where in sorted(noted - known):
                await context.problems.settle(integration_id, where, now, None)

    async def _note_unknown_tenants(
        self, listed: Sequence[ListedSubscription], integrations: Sequence[Integration]
    ) -> None:
        context = self._context
        provider = context.settings.provider_tenant_id
        leaving = [
            each
            for each in await context.integrations.list_all()
            if each.status is IntegrationStatus.OFFBOARDING
        ]
        known = {integration.tenant_id for integration in [*integrations, *leaving]}
        delegated = {
            item.tenant_id for item in listed if provider in item.managed_by and item.tenant_id != provider
        }
        unknown = delegated - known
        for tenant in unknown:
            await context.note(PROVIDER, tenant, Reason.UNKNOWN_TENANT, f"tenant {tenant}")
        for problem in await context.problems.list(PROVIDER):
            if problem.reason is Reason.UNKNOWN_TENANT and problem.where not in unknown:
                await context.problems.settle(PROVIDER, problem.where, context.clock(), None)
