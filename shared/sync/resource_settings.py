"""Step 4: keep one diagnostic setting on every monitored resource, to the hub in the resource's region.

One job looks after all due resources of a subscription, a bounded number at once, so that a thousand of
them cost a few storage round trips besides their calls to Azure.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from shared.arm.errors import ArmError, ThrottledError
from shared.arm.event_hubs import rule_id
from shared.model.diagnostics import DiagnosticSetting
from shared.model.hubs import HubAssignment, HubState
from shared.model.ids import parse_resource_id
from shared.model.jobs import Cause, Job, Phase
from shared.model.monitored import MONITORED_TYPES
from shared.model.reasons import Reason
from shared.model.resource import Resource
from shared.model.subscription import Subscription
from shared.model.upkeep import Coverage, Upkeep
from shared.settings import Settings
from shared.store.tables import Stored
from shared.sync.context import Context
from shared.sync.keepers import SettingKeeper
from shared.sync.upkeep import (
    ActionKind,
    given_up,
    has_news,
    is_wanted,
    look_after,
    out_of_reach,
    problem_of,
    settled,
)
from shared.sync.visits import MOST_PER_JOB, Visit, save, visit

_log = logging.getLogger(__name__)

type Hubs = Mapping[str, HubAssignment]
"""The integration's ready hubs by region."""


class ResourceSettingsStep:
    """Keeps the setting on each resource."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, job: Job) -> float | None:
        """Plan an integration, or look after the resources of a subscription or one of them.

        Raises:
            ArmError: Azure can only be asked again later; what was done until then is kept.
        """
        context = self._context
        if not job.integration_id:
            await context.start_each(job)
            return None
        hubs = await self._hubs(job.integration_id)
        if job.phase is Phase.PLAN:
            await self._fan_out(job, hubs)
            return None
        rows = await self._rows(job)
        reachable = [row for row in rows if row.fact.listed.region in hubs]
        due = [row for row in reachable if self._is_due(job, row.fact)]
        made = await visit(due[:MOST_PER_JOB], lambda resource: self._look_after(job, resource, hubs))
        await self._save(made.changed)
        written = last_written([row.fact for row in reachable], made)
        # A read-back that was hindered comes again by itself: a second one each time would double them.
        if written is not None and not (job.cause is Cause.RETRY and made.hindrance is not None):
            await context.read_back(job, written)
        if isinstance(made.hindrance, ThrottledError) and made.changed:
            # What was done counts: the rest is begun afresh, not tried once more.
            await context.queue.send(replace(job, attempt=0), made.hindrance.retry_after)
        elif made.hindrance is not None:
            raise made.hindrance
        elif len(due) > MOST_PER_JOB:
            await context.queue.send(replace(job, attempt=0))
        return None

    async def give_up(self, job: Job, error: ArmError | None) -> None:
        """Take down that the resources that are still due could not be looked after."""
        outcome, now = given_up(error), self._context.clock()
        await self._save(
            (row, replace(row.fact, upkeep=settled(row.fact.upkeep, outcome, now, job.cycle)))
            for row in await self._rows(job)
            if self._is_due(job, row.fact)
        )

    async def _hubs(self, integration_id: str) -> Hubs:
        return {
            row.fact.region: row.fact
            for row in await self._context.hubs.list()
            if row.fact.integration_id == integration_id and row.fact.state is HubState.READY
        }

    async def _fan_out(self, job: Job, hubs: Hubs) -> None:
        context = self._context
        owners = {
            row.fact.subscription_id: row.fact for row in await context.subscriptions.list(job.integration_id)
        }
        rows = await context.resources.list(job.integration_id)
        await self._save(withdrawn(rows, owners))
        watched = {key for key, owner in owners.items() if owner.watched}
        due = due_subscriptions((row.fact for row in rows), hubs, job, context)
        await context.fan_out(job, due & watched)

    async def _rows(self, job: Job) -> list[Stored[Resource]]:
        """The resources that are kept in the job's subscription, or the one that it names."""
        context = self._context
        single = job.target.startswith("/")
        try:
            subscription = parse_resource_id(job.target).subscription_id if single else job.target
        except ValueError:
            return []
        owner = await context.subscriptions.read(job.integration_id, subscription)
        if owner is None or not owner.fact.watched:
            return []
        rows = await context.resources.list(job.integration_id, subscription, subscription)
        named = job.target.lower()
        return [
            row
            for row in rows
            if row.fact.upkeep.kept and (not single or row.fact.listed.id.lower() == named)
        ]

    def _is_due(self, job: Job, resource: Resource) -> bool:
        """A resource that is named is always due; a read-back looks at nothing but what was written."""
        if job.target.startswith("/") and job.cause is not Cause.RETRY:
            return True
        if job.cause is Cause.RETRY and resource.upkeep.coverage is not Coverage.WRITTEN:
            return False
        now = self._context.clock()
        return is_wanted(resource.upkeep, job, self._context.settings, now, resource.listed.key)

    async def _look_after(self, job: Job, resource: Resource, hubs: Hubs) -> Resource:
        context = self._context
        hub = hubs[resource.listed.region]
        keeper = SettingKeeper(
            context.arm, resource.listed.id, wanted_setting(context.settings, resource, hub)
        )
        upkeep, action = await look_after(keeper, resource.upkeep, context.clock(), job.cycle)
        if action.kind in (ActionKind.CREATE, ActionKind.REPAIR):
            _log.info(
                "setting written (%s) integration=%s resource=%s",
                action.why or action.kind.value,
                resource.integration_id,
                resource.listed.id,
            )
        return replace(resource, upkeep=learnt(upkeep))

    async def _save(self, changed: Iterable[tuple[Stored[Resource], Resource]]) -> None:
        context = self._context
        changed = list(changed)
        for before, after in changed:
            if has_news(before.fact.upkeep, after.upkeep):
                problem = problem_of(after.upkeep)
                await context.note(after.integration_id, after.listed.id, problem, after.upkeep.detail)
        await save(changed, context.resources.save)


def wanted_setting(settings: Settings, resource: Resource, hub: HubAssignment) -> DiagnosticSetting:
    """The setting that a resource is to have."""
    return DiagnosticSetting(
        name=settings.setting_name,
        rule_id=rule_id(settings.provider_subscription_id, settings.hub_resource_group, hub.namespace),
        hub=hub.hub,
        categories=MONITORED_TYPES[resource.listed.type].categories,
    )


def due_subscriptions(resources: Iterable[Resource], hubs: Hubs, job: Job, context: Context) -> set[str]:
    """The subscriptions with a resource that a job has to look after, in a region with a ready hub."""
    now = context.clock()
    return {
        resource.listed.subscription_id
        for resource in resources
        if resource.listed.region in hubs
        and is_wanted(resource.upkeep, job, context.settings, now, resource.listed.key)
    }


def last_written(before: Iterable[Resource], made: Visit[Resource]) -> datetime | None:
    """When the last of what is still to be read back was written, after a visit; None if nothing is."""
    now = {each.listed.key: each for each in (*before, *(after for _, after in made.changed))}
    unread = [each.upkeep for each in now.values() if each.upkeep.coverage is Coverage.WRITTEN]
    return max((each.written_at for each in unread if each.written_at is not None), default=None)


def withdrawn(
    rows: Iterable[Stored[Resource]], owners: Mapping[str, Subscription]
) -> list[tuple[Stored[Resource], Resource]]:
    """The resources that have to say why their subscription is watched no more, as they are and are to be."""
    changed: list[tuple[Stored[Resource], Resource]] = []
    for row in rows:
        owner = owners.get(row.fact.listed.subscription_id)
        after = row.fact if owner is None else replace(row.fact, upkeep=out_of_reach(row.fact.upkeep, owner))
        if after != row.fact:
            changed.append((row, after))
    return changed


def learnt(upkeep: Upkeep) -> Upkeep:
    """What Azure will never do is not asked for again."""
    if upkeep.reason is Reason.TYPE_NOT_SUPPORTED:
        return replace(upkeep, coverage=Coverage.EXCLUDED)
    return upkeep
