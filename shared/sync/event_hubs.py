"""Step 6: provision regional namespaces, and in them one event hub with Capture per customer.

Namespaces are long operations: one is begun, and the job comes back later to see whether it is there.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from typing import Final

from shared.arm.errors import ArmConflictError, ArmError, ThrottledError, UnavailableError
from shared.arm.event_hubs import (
    RULE_RIGHTS,
    begin_namespace,
    get_namespace,
    get_rule_rights,
    list_hubs,
    put_hub,
    put_rule,
)
from shared.model.hubs import HubAssignment, HubState, NamespaceShape
from shared.model.jobs import Cause, Job, Phase, Step
from shared.model.outcome import CREATED, REPAIRED, UNCHANGED, Outcome, OutcomeKind, blocked, deferred
from shared.model.reasons import Reason
from shared.store.tables import Stored
from shared.sync.assignments import new_assignments
from shared.sync.context import Context
from shared.sync.draining import plan_and_save, regions_of, remove_hubs
from shared.sync.hub_plans import (
    NamespaceAction,
    begun,
    due_namespaces,
    in_state,
    place,
    plan_hubs,
    plan_namespace,
    settled,
    unseen,
    wanted_hub,
    wanted_namespace,
)
from shared.sync.mapping import publish
from shared.sync.upkeep import given_up

_log = logging.getLogger(__name__)

_TOO_LONG: Final = "it takes too long"


class EventHubsStep:
    """Keeps namespaces and hubs as the integrations need them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, job: Job) -> float | None:
        """Plan the assignments, or look after one namespace (`target` is `region/namespace`).

        Raises:
            ThrottledError, UnavailableError: it can only be tried again later.
        """
        if job.phase is Phase.PLAN:
            await self._assign(job)
            return None
        try:
            return await self._look_after(job)
        except (ThrottledError, UnavailableError):
            raise
        except ArmError as error:
            outcome = blocked(error.reason, error.detail)
            await self._take_down(job, lambda row: settled(row, outcome, self._context.clock()))
            return None

    async def give_up(self, job: Job, error: ArmError | None) -> None:
        """Take down that a namespace could not be looked at, or not be finished."""
        outcome = given_up(error) if error is not None else blocked(Reason.NAMESPACE_FAILED, _TOO_LONG)
        await self._take_down(job, lambda row: unseen(row, outcome))

    async def _assign(self, job: Job) -> None:
        context = self._context
        integrations = await context.integrations.list()
        regions = await regions_of(context, integrations)
        existing = await plan_and_save(context, await context.hubs.list(), integrations, regions)
        added = new_assignments(
            integrations,
            existing,
            regions=regions,
            capacity=context.settings.hubs_per_namespace,
            prefix=context.settings.namespace_prefix,
            now=context.clock(),
        )
        # One transaction per region: of two jobs that assign at once, one loses as a whole and reads again.
        by_region = sorted(added, key=lambda assignment: assignment.region)
        for _, group in groupby(by_region, key=lambda assignment: assignment.region):
            await context.hubs.save(Stored(assignment, "") for assignment in group)
        for assignment in added:
            _log.info(
                "hub assigned integration=%s region=%s namespace=%s",
                assignment.integration_id,
                assignment.region,
                assignment.namespace,
            )
        await publish(context, job.cause)
        targets = due_namespaces([*existing, *added], context.settings, context.clock())
        await context.fan_out(replace(job, integration_id=""), targets)

    async def _look_after(self, job: Job) -> float | None:
        context = self._context
        region, _, name = job.target.partition("/")
        all_rows = [row for row in await context.hubs.list(region) if row.fact.namespace == name]
        leaving = [row for row in all_rows if row.fact.leaving]
        soon = await remove_hubs(context, region, name, leaving)
        rows = [row for row in all_rows if not row.fact.leaving]
        if not rows:
            return soon
        later = await self._keep(job, region, name, rows)
        return min((each for each in (soon, later) if each is not None), default=None)

    async def _keep(
        self, job: Job, region: str, name: str, rows: Sequence[Stored[HubAssignment]]
    ) -> float | None:
        context = self._context
        outcome = await self._namespace(region, name)
        if outcome.kind is OutcomeKind.BLOCKED:
            await self._take_down(job, lambda row: settled(row, outcome, context.clock()))
            return None
        if outcome.kind is OutcomeKind.DEFERRED:
            await self._save(rows, in_state(rows, HubState.CREATING))
            return float(context.settings.poll_seconds)
        group = context.settings.hub_resource_group
        if await get_rule_rights(context.arm, group, name) != RULE_RIGHTS:
            await put_rule(context.arm, group, name)
        outcomes = await self._hubs(group, name, rows)
        await self._settle(job, rows, outcomes)
        changed = any(each.kind in (OutcomeKind.CREATED, OutcomeKind.REPAIRED) for each in outcomes)
        return float(context.settings.read_back_seconds) if changed else None

    async def _namespace(self, region: str, name: str) -> Outcome:
        context = self._context
        group = context.settings.hub_resource_group
        wanted = wanted_namespace(context.settings, region)
        observed = await get_namespace(context.arm, group, name)
        match plan_namespace(wanted, observed):
            case NamespaceAction.NOTHING:
                return UNCHANGED
            case NamespaceAction.GIVE_UP:
                state = observed.state if observed is not None else ""
                return blocked(Reason.NAMESPACE_FAILED, f"namespace {name} is {state}")
            case NamespaceAction.BEGIN:
                await self._begin(name, wanted, observed)
            case NamespaceAction.WAIT:
                pass
        return deferred(context.clock() + timedelta(seconds=context.settings.poll_seconds))

    async def _begin(self, name: str, wanted: NamespaceShape, observed: NamespaceShape | None) -> None:
        context = self._context
        group = context.settings.hub_resource_group
        try:
            await begin_namespace(context.arm, group, name, begun(wanted, observed))
        except ArmConflictError:
            # Azure takes no write while one is under way: that of another run, or ours whose answer was lost.
            if (
                plan_namespace(wanted, await get_namespace(context.arm, group, name))
                is not NamespaceAction.WAIT
            ):
                raise
        _log.info("namespace begun region=%s namespace=%s", wanted.region, name)

    async def _hubs(self, group: str, name: str, rows: Sequence[Stored[HubAssignment]]) -> list[Outcome]:
        observed = await list_hubs(self._context.arm, group, name)
        outcomes: list[Outcome] = []
        for action in plan_hubs(wanted_hub(self._context.settings), rows, observed):
            if not action.write:
                outcomes.append(UNCHANGED)
                continue
            hub = action.assignment.fact.hub
            try:
                await put_hub(self._context.arm, group, name, hub, action.shape)
            except (ThrottledError, UnavailableError):
                raise
            except ArmError as error:
                outcomes.append(blocked(error.reason, error.detail))
                continue
            _log.info("event hub written namespace=%s hub=%s", name, hub)
            outcomes.append(CREATED if action.missing else REPAIRED)
        return outcomes

    async def _settle(
        self, job: Job, rows: Sequence[Stored[HubAssignment]], outcomes: Sequence[Outcome]
    ) -> None:
        context = self._context
        now = context.clock()
        after = [settled(row.fact, outcome, now) for row, outcome in zip(rows, outcomes, strict=True)]
        newly_ready = [
            fact
            for row, fact in zip(rows, after, strict=True)
            if fact.state is HubState.READY and row.fact.state is not HubState.READY
        ]
        for row, fact in zip(rows, after, strict=True):
            recovered = fact.state is HubState.READY and row.fact.reason is not None
            if fact.state is HubState.BLOCKED or fact in newly_ready or recovered:
                await context.note(fact.integration_id, place(fact), fact.reason, fact.detail)
        await self._save(rows, after)
        cause = Cause.ONBOARDING if job.cause is Cause.CYCLE else job.cause
        for fact in newly_ready:
            await context.start(Step.SUBSCRIPTION_SETTINGS, cause, fact.integration_id)
            await context.start(Step.RESOURCE_SETTINGS, cause, fact.integration_id)
            await context.start(Step.WORKSPACE_EXPORTS, cause, fact.integration_id)
            await context.start(Step.ALERT_EXPORTS, cause, fact.integration_id)

    async def _take_down(self, job: Job, after_of: Callable[[HubAssignment], HubAssignment]) -> None:
        context = self._context
        region, _, name = job.target.partition("/")
        rows = [
            row
            for row in await context.hubs.list(region)
            if row.fact.namespace == name and not row.fact.leaving
        ]
        after = [after_of(row.fact) for row in rows]
        for fact in after:
            await context.note(fact.integration_id, place(fact), fact.reason, fact.detail)
        await self._save(rows, after)

    async def _save(self, before: Sequence[Stored[HubAssignment]], after: Sequence[HubAssignment]) -> None:
        await self._context.hubs.save(
            Stored(fact, row.etag) for row, fact in zip(before, after, strict=True) if fact != row.fact
        )
