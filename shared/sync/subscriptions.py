"""Step 1: list every delegated subscription, and sort them into integrations.

One paged `GET /subscriptions` sees the subscriptions of all customers. Rows carry the stamp of the last
complete listing that saw them; only what three complete listings in a row did not see, and what Azure does
not have either when it is asked for it, is gone.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

from shared.arm.errors import ArmError, ThrottledError, UnavailableError
from shared.arm.subscriptions import get_subscription, list_subscriptions
from shared.model.ids import parse_resource_id
from shared.model.integration import Integration, IntegrationStatus
from shared.model.jobs import Cause, Job, Step
from shared.model.problem import PROVIDER
from shared.model.reasons import Reason
from shared.model.subscription import ListedSubscription, Subscription, SubscriptionState
from shared.model.upkeep import Coverage, Upkeep
from shared.store.listings import KEPT
from shared.store.tables import ConflictError, Stored
from shared.sync.absence import look_for
from shared.sync.context import Context

_log = logging.getLogger(__name__)

LISTING = "subscriptions"
"""Kind and place under which complete listings and failures to list are noted."""

_MOST_TRIES = 5
"""How often the rows of one integration are planned anew after a conflict, before the job comes again."""

_EXCLUDED = Upkeep(coverage=Coverage.EXCLUDED)

_OUT_OF_SERVICE = frozenset({SubscriptionState.DISABLED.value, SubscriptionState.DELETED.value})


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
                watched = watched or _newly_watched(before, after.fact)
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


def check_complete(listed: Iterable[ListedSubscription], own: str) -> None:
    """Tell a listing that cannot be whole: the one subscription that we know we have a role in is our own.

    Raises:
        UnavailableError: our own subscription is not in it.
    """
    if all(item.subscription_id != own for item in listed):
        raise UnavailableError(
            f"the listing lacks our own subscription {own}: incomplete, or no role of ours there"
        )


def plan(
    integration: Integration,
    listed: Iterable[ListedSubscription],
    known: Mapping[str, Subscription],
    *,
    provider_tenant_id: str,
    stamp: str,
    stamps: Sequence[str],
    now: datetime,
) -> list[Subscription]:
    """The integration's rows as they are to be after a complete listing.

    Args:
        integration: whose rows.
        listed: the whole listing, of all tenants.
        known: the rows as they are, by subscription id.
        provider_tenant_id: the tenant that subscriptions are delegated to.
        stamp: of this listing.
        stamps: of the last complete listings, this one included, oldest first.
        now: the present (UTC).
    """
    rows = {key: _missed(row, stamps) for key, row in known.items()}
    for item in listed:
        if item.tenant_id == integration.tenant_id:
            rows[item.subscription_id] = _seen(
                integration,
                item,
                known.get(item.subscription_id),
                provider_tenant_id=provider_tenant_id,
                stamp=stamp,
                now=now,
            )
    expected = _workspace_subscription(integration)
    if expected is not None and expected not in rows:
        rows[expected] = _never_seen(integration, expected)
    within = _within_cap(rows.values(), integration.subscription_cap)
    return [_covered(row, within_cap=row.subscription_id in within) for row in rows.values()]


def newly_gone(before: Mapping[str, Subscription], after: Iterable[Subscription]) -> list[str]:
    """What a listing would make gone, and was not yet."""
    return [
        row.subscription_id
        for row in after
        if row.upkeep.coverage is Coverage.GONE
        and before[row.subscription_id].upkeep.coverage is not Coverage.GONE
    ]


def _seen(
    integration: Integration,
    item: ListedSubscription,
    known: Subscription | None,
    *,
    provider_tenant_id: str,
    stamp: str,
    now: datetime,
) -> Subscription:
    row = known or _never_seen(integration, item.subscription_id)
    if row.last_seen > stamp:
        # A listing that began later was faster; what this one saw may be over.
        return row
    since = (row.delegated_since or now) if provider_tenant_id in item.managed_by else None
    is_back = row.upkeep.coverage is Coverage.GONE
    return replace(
        row,
        name=item.name,
        state=item.state,
        quota_id=item.quota_id,
        first_seen=row.first_seen or stamp,
        last_seen=stamp,
        delegated_since=since,
        upkeep=replace(row.upkeep, coverage=Coverage.EXCLUDED) if is_back else row.upkeep,
    )


def _never_seen(integration: Integration, subscription_id: str) -> Subscription:
    return Subscription(
        integration_id=integration.id,
        subscription_id=subscription_id,
        name="",
        state="",
        quota_id="",
        first_seen="",
        last_seen="",
        delegated_since=None,
        upkeep=_EXCLUDED,
    )


def _missed(row: Subscription, stamps: Sequence[str]) -> Subscription:
    """The row if this listing does not see it either."""
    if len(stamps) < KEPT or not row.first_seen or row.last_seen >= stamps[-KEPT]:
        return row
    gone = replace(row.upkeep, coverage=Coverage.GONE, reason=Reason.NOT_DELEGATED, detail="")
    return replace(row, upkeep=gone, delegated_since=None)


def _within_cap(rows: Iterable[Subscription], cap: int) -> set[str]:
    """Those first delegated are kept, so that nothing covered is ever displaced by something new."""
    delegated = sorted(
        (row.delegated_since, row.first_seen, row.subscription_id)
        for row in rows
        if row.delegated_since is not None
    )
    return {subscription_id for _, _, subscription_id in delegated[:cap]}


def _covered(row: Subscription, *, within_cap: bool) -> Subscription:
    if row.upkeep.coverage is Coverage.GONE:
        return row
    reason = _exclusion(row, within_cap=within_cap)
    if reason is not None:
        excluded = replace(row.upkeep, coverage=Coverage.EXCLUDED, reason=reason, detail="")
        return replace(row, upkeep=excluded)
    return row if row.watched else replace(row, upkeep=_begun_again(row.upkeep))


def _begun_again(before: Upkeep) -> Upkeep:
    """The upkeep of a subscription that is to be watched now: what was written before may still be there."""
    coverage = Coverage.PENDING if before.written_at is None else Coverage.WRITTEN
    return Upkeep(coverage=coverage, written_at=before.written_at, handled=before.handled)


def _exclusion(row: Subscription, *, within_cap: bool) -> Reason | None:
    if row.delegated_since is None:
        return Reason.NOT_DELEGATED
    if row.state in _OUT_OF_SERVICE:
        return Reason.SUBSCRIPTION_DISABLED
    return None if within_cap else Reason.OVER_CAP


def _workspace_subscription(integration: Integration) -> str | None:
    """The customer named a workspace, so its subscription is expected to be delegated too."""
    if integration.workspace_resource_id is None:
        return None
    return parse_resource_id(integration.workspace_resource_id).subscription_id


def _newly_watched(before: Subscription | None, after: Subscription) -> bool:
    return after.watched and (before is None or not before.watched)
