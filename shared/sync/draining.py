"""Event hubs that nothing needs any more: they drain, and are then deleted.

A hub is unwanted when no kept resource, no workspace and no home region needs it. Only when that has lasted
for a whole sweep, and every listing of the customer's resources was complete since, does it drain: it is
sent nothing new, but keeps and captures what it has. Wanted again before the end, it is taken up again.

Its assignment says whose its capture files are, also when one is handled once more after a failure. So
neither goes before those that were begun are done, or set aside, which they are after two days at the latest.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.arm.errors import ArmError, NotFoundError, ThrottledError, UnavailableError
from shared.arm.event_hubs import delete_hub, list_hubs
from shared.arm.resource_graph import MOST_SUBSCRIPTIONS
from shared.model.hubs import HubAssignment, HubState
from shared.model.integration import Integration
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.settings import Settings
from shared.store.tables import Stored
from shared.sync.assignments import wanted_regions
from shared.sync.context import Context
from shared.sync.mapping import publish
from shared.sync.resources import LISTING, ranges

_log = logging.getLogger(__name__)

_SECONDS_BEFORE_LOOKING: Final = 1.0

type Regions = Mapping[str, frozenset[str]]
"""By integration id, where its resources and its workspace are."""


async def regions_of(context: Context, integrations: Iterable[Integration]) -> Regions:
    """Where the integrations' resources and workspaces are, as the last complete listings said."""
    integrations = list(integrations)
    workspaces = [each for each in await context.workspaces.list() if each.region]
    return {
        integration.id: await context.resources.regions(integration.id)
        | {each.region for each in workspaces if _is_named(each.id, each.integration_id, integration)}
        for integration in integrations
    }


async def plan_and_save(
    context: Context,
    rows: Sequence[Stored[HubAssignment]],
    integrations: Sequence[Integration],
    regions: Regions,
) -> list[HubAssignment]:
    """Let hubs drain, or take them up again; gives all assignments as they are then.

    Raises:
        ConflictError: somebody else changed one of them.
    """
    now = context.clock()
    candidates = {
        row.fact.integration_id: row.fact.unwanted_since
        for row in rows
        if row.fact.unwanted_since is not None and not row.fact.leaving
    }
    listed = {
        integration_id
        for integration_id, since in candidates.items()
        if await _listed_since(context, integration_id, since)
    }
    after = plan_drains(
        [row.fact for row in rows],
        {each.id: wanted_regions(each, regions[each.id]) for each in integrations},
        listed=listed,
        settings=context.settings,
        now=now,
    )
    for row, fact in zip(rows, after, strict=True):
        if fact != row.fact:
            await context.hubs.save([Stored(fact, row.etag)])
        if fact.state is not row.fact.state:
            _log.info(
                "event hub is %s namespace=%s hub=%s integration=%s",
                fact.state.value,
                fact.namespace,
                fact.hub,
                fact.integration_id,
            )
    return after


def plan_drains(
    assignments: Sequence[HubAssignment],
    wanted: Regions,
    *,
    listed: Iterable[str],
    settings: Settings,
    now: datetime,
) -> list[HubAssignment]:
    """The assignments as they are to be, in the same order.

    Args:
        assignments: all of them.
        wanted: the regions that each integration needs; what belongs to others is left as it is.
        listed: integrations whose resources were listed completely since a hub of theirs became unwanted.
        settings: say how long a sweep and draining take.
        now: the present (UTC).
    """
    complete = frozenset(listed)
    sweep = timedelta(seconds=settings.sweep_seconds)

    def planned(row: HubAssignment) -> HubAssignment:
        if row.integration_id not in wanted or row.state is HubState.REMOVING:
            return row
        if row.region in wanted[row.integration_id]:
            return wanted_again(row)
        if row.leaving:
            return row
        if row.unwanted_since is None:
            return replace(row, unwanted_since=now)
        over = now - row.unwanted_since >= sweep
        return draining(row, settings, now) if over and row.integration_id in complete else row

    return [planned(row) for row in assignments]


def draining(row: HubAssignment, settings: Settings, now: datetime) -> HubAssignment:
    """The assignment when its draining begins."""
    until = now + timedelta(seconds=settings.drain_seconds)
    return replace(row, state=HubState.DRAINING, reason=None, detail="", drains_until=until)


def wanted_again(row: HubAssignment) -> HubAssignment:
    """The assignment when something needs it; a hub that was draining has to be looked at first."""
    if row.state is HubState.DRAINING:
        return replace(row, state=HubState.ASSIGNED, verified_at=None, unwanted_since=None, drains_until=None)
    return replace(row, unwanted_since=None)


def is_over(row: HubAssignment, now: datetime) -> bool:
    """Whether a hub that is on its way out is to be deleted now."""
    if row.state is HubState.DRAINING:
        return row.drains_until is None or now >= row.drains_until
    return row.state is HubState.REMOVING


async def remove_hubs(
    context: Context, region: str, namespace: str, rows: Sequence[Stored[HubAssignment]]
) -> float | None:
    """Take hubs whose draining is over one step further; gives the seconds until the next one, if any.

    First they are marked, so that nobody takes them up again; then deleted; then, when Azure no longer
    lists them, their rows go. Where a capture file is under way neither the first step nor the last is taken
    before the next cycle. The namespace stays, also when it is empty.

    Raises:
        ThrottledError, UnavailableError: it can only be tried again later.
        ConflictError: somebody else changed a row.
    """
    now = context.clock()
    over = [row for row in rows if is_over(row.fact, now)]
    if not over:
        return None
    marked = [row for row in over if row.fact.state is HubState.REMOVING]
    drained = await _at_rest(context, [row for row in over if row not in marked])
    if drained:
        await context.hubs.save(
            Stored(replace(row.fact, state=HubState.REMOVING), row.etag) for row in drained
        )
        await publish(context, Cause.CYCLE)
        return 0.0
    if not marked:
        return None
    try:
        present = await _present(context, namespace)
        gone = [row for row in marked if row.fact.hub.lower() not in present]
        # Also what the listing lacks, for a page of it may have been lost: a second deletion does no harm.
        for row in marked:
            await delete_hub(context.arm, context.settings.hub_resource_group, namespace, row.fact.hub)
    except (ThrottledError, UnavailableError):
        raise
    except ArmError as error:
        await _note(context, marked, error)
        return None
    for row in await _at_rest(context, gone):
        await _forget(context, row)
    deleted = len(marked) - len(gone)
    _log.info("hubs leave region=%s namespace=%s deleted=%d gone=%d", region, namespace, deleted, len(gone))
    return _SECONDS_BEFORE_LOOKING if deleted else None


async def _at_rest(context: Context, rows: Iterable[Stored[HubAssignment]]) -> list[Stored[HubAssignment]]:
    """Those of the hubs of which no capture file was begun that is not done."""
    rows = list(rows)
    busy = {
        (run.integration_id, *run.source.lower().split("/")[:2])
        for integration_id in {row.fact.integration_id for row in rows}
        for run in await context.ledger.under_way(integration_id)
    }
    found = []
    for row in rows:
        fact = row.fact
        if (fact.integration_id, fact.namespace.lower(), fact.hub.lower()) in busy:
            _log.info("capture files are under way namespace=%s hub=%s", fact.namespace, fact.hub)
        else:
            found.append(row)
    return found


async def _present(context: Context, namespace: str) -> frozenset[str]:
    try:
        return frozenset(await list_hubs(context.arm, context.settings.hub_resource_group, namespace))
    except NotFoundError:
        return frozenset()


async def _note(context: Context, rows: Sequence[Stored[HubAssignment]], error: ArmError) -> None:
    for row in rows:
        fact = replace(row.fact, reason=error.reason, detail=error.detail)
        await context.note(fact.integration_id, f"{fact.namespace}/{fact.hub}", fact.reason, fact.detail)
        await context.hubs.save([Stored(fact, row.etag)])


async def _forget(context: Context, row: Stored[HubAssignment]) -> None:
    fact = row.fact
    await context.problems.settle(fact.integration_id, f"{fact.namespace}/{fact.hub}", context.clock(), None)
    await context.hubs.remove(row)
    integration = await context.integrations.get(fact.integration_id)
    if integration is not None and not integration.kept:
        cycle = cycle_stamp(context.clock())
        job = Job(Step.OFFBOARDING, Phase.PLAN, cycle, Cause.OPERATOR, integration.id)
        await context.send_once(job)


async def _listed_since(context: Context, integration_id: str, since: datetime | None) -> bool:
    """Whether every range of an integration's subscriptions was listed completely after a moment."""
    if since is None:
        return False
    subscriptions = [row.fact for row in await context.subscriptions.list(integration_id)]
    targets = ranges(subscriptions, MOST_SUBSCRIPTIONS)
    stamps = [
        max((await context.listings.read(LISTING, f"{integration_id}~{target}")).fact, default="")
        for target in targets
    ]
    return bool(stamps) and min(stamps) >= cycle_stamp(since)


def _is_named(workspace_id: str, owner: str, integration: Integration) -> bool:
    named = integration.workspace_resource_id or ""
    return owner == integration.id and workspace_id.lower() == named.lower()
