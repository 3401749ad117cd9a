"""Step 7: keep the export of Defender for Cloud alerts of each subscription.

Azure never shows the connection string that an automation authenticates with, so what cannot be compared
is written again: when our key changes, and at the end of each sweep.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.arm.automations import get_group_region
from shared.arm.errors import ArmError, NotFoundError, ThrottledError, UnavailableError
from shared.arm.event_hubs import get_connection_string
from shared.model.exports import AlertExport
from shared.model.hubs import HubAssignment, HubState
from shared.model.ids import stable_hash
from shared.model.jobs import Cause, Job, Phase
from shared.model.outcome import blocked
from shared.model.reasons import Reason
from shared.model.subscription import Subscription
from shared.model.upkeep import Coverage, Upkeep
from shared.model.workspace import AlertExportState
from shared.settings import Settings
from shared.store.tables import Stored
from shared.sync.context import Context
from shared.sync.keepers import SECURITY_ADMIN, AlertExportKeeper
from shared.sync.upkeep import (
    explained,
    given_up,
    has_news,
    is_stale,
    is_wanted,
    look_after,
    out_of_reach,
    problem_of,
    settled,
)

_log = logging.getLogger(__name__)

_REMEMBERED: Final = timedelta(seconds=30)


class AlertExportsStep:
    """Keeps the alert export of each subscription."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._secrets: dict[str, tuple[datetime, str]] = {}

    async def run(self, job: Job) -> float | None:
        """Plan all integrations or one, or look after one subscription.

        Raises:
            ThrottledError, UnavailableError: it can only be tried again later.
            ConflictError: somebody else is at the same subscription.
        """
        context = self._context
        if not job.integration_id:
            await context.start_each(job)
            return None
        found = await context.integrations.get(job.integration_id)
        if found is None:
            return None
        hub = await context.hubs.read(found.home_region, found.customer)
        ready = hub.fact if hub is not None and hub.fact.state is HubState.READY else None
        if job.phase is Phase.PLAN:
            await self._fan_out(job, ready)
        elif ready is not None:
            await self._look_after(job, ready)
        return None

    async def give_up(self, job: Job, error: ArmError | None) -> None:
        """Take down that one subscription's alert export could not be looked after."""
        if job.phase is Phase.PLAN:
            return
        context = self._context
        row = await context.alert_exports.read(job.integration_id, job.target)
        upkeep = settled(row.fact.upkeep, given_up(error), context.clock(), job.cycle)
        await self._save(row, replace(row.fact, upkeep=upkeep))

    async def _fan_out(self, job: Job, hub: HubAssignment | None) -> None:
        context = self._context
        owners = [row.fact for row in await context.subscriptions.list(job.integration_id)]
        known = await context.alert_exports.list(job.integration_id)
        for owner in owners:
            if owner.subscription_id in known:
                await self._withdraw(known[owner.subscription_id], owner)
        if hub is None:
            return
        version = key_version(await self._connection_string(hub))
        await context.fan_out(job, due(owners, known, version, job=job, context=context))

    async def _withdraw(self, known: AlertExportState, owner: Subscription) -> None:
        if out_of_reach(known.upkeep, owner) == known.upkeep:
            return
        row = await self._context.alert_exports.read(known.integration_id, known.subscription_id)
        await self._save(row, replace(row.fact, upkeep=out_of_reach(row.fact.upkeep, owner)))

    async def _look_after(self, job: Job, hub: HubAssignment) -> None:
        context = self._context
        owner = await context.subscriptions.read(job.integration_id, job.target)
        row = await context.alert_exports.read(job.integration_id, job.target)
        if owner is None or not owner.fact.watched or is_stale(row.fact.upkeep, job):
            return
        secret = await self._connection_string(hub)
        version = key_version(secret)
        upkeep = row.fact.upkeep
        again = job.cause is Cause.CYCLE and upkeep.coverage is Coverage.CONFIGURED
        if again or version != row.fact.key_version:
            upkeep = replace(upkeep, coverage=Coverage.PENDING)
        upkeep = await self._kept(job, hub, upkeep, secret)
        given = version if upkeep.coverage is not Coverage.BLOCKED else row.fact.key_version
        await self._save(row, replace(row.fact, upkeep=upkeep, key_version=given))
        if upkeep.coverage is Coverage.WRITTEN:
            await context.read_back(job)

    async def _kept(self, job: Job, hub: HubAssignment, upkeep: Upkeep, secret: str) -> Upkeep:
        context = self._context
        try:
            region = await get_group_region(context.arm, job.target, context.settings.alert_export_group)
        except NotFoundError as error:
            outcome = blocked(Reason.AUTOMATION_GROUP_MISSING, error.detail)
            return settled(upkeep, outcome, context.clock(), job.cycle)
        except (ThrottledError, UnavailableError):
            raise
        except ArmError as error:
            outcome = blocked(error.reason, explained(error, SECURITY_ADMIN))
            return settled(upkeep, outcome, context.clock(), job.cycle)
        keeper = AlertExportKeeper(
            context.arm,
            automation_id(context.settings, job.target),
            wanted_export(context.settings, hub, job.target),
            region,
            secret,
        )
        after, action = await look_after(keeper, upkeep, context.clock(), job.cycle)
        _log.info(
            "alert export %s (%s) integration=%s subscription=%s",
            after.coverage.value,
            action.why or action.kind.value,
            job.integration_id,
            job.target,
        )
        return after

    async def _connection_string(self, hub: HubAssignment) -> str:
        """Our own namespace's, remembered for a moment: thousands of subscriptions of one cycle share it."""
        context = self._context
        asked, secret = self._secrets.get(hub.namespace, (None, ""))
        if asked is None or context.clock() - asked >= _REMEMBERED:
            secret = await get_connection_string(
                context.arm, context.settings.hub_resource_group, hub.namespace
            )
            self._secrets[hub.namespace] = (context.clock(), secret)
        return secret

    async def _save(self, before: Stored[AlertExportState], after: AlertExportState) -> None:
        where = f"{after.subscription_id} alerts"
        if has_news(before.fact.upkeep, after.upkeep):
            problem = problem_of(after.upkeep)
            await self._context.note(after.integration_id, where, problem, after.upkeep.detail)
        await self._context.alert_exports.save(after, before.etag)


def due(
    subscriptions: Sequence[Subscription],
    known: Mapping[str, AlertExportState],
    version: str,
    *,
    job: Job,
    context: Context,
) -> list[str]:
    """The watched subscriptions whose export a job has to look after, or was given another key; sorted."""
    now = context.clock()

    def is_chosen(subscription_id: str) -> bool:
        state = known.get(subscription_id)
        if state is None:
            return True
        wanted = is_wanted(state.upkeep, job, context.settings, now, subscription_id)
        return wanted or state.key_version != version

    return sorted(
        row.subscription_id for row in subscriptions if row.watched and is_chosen(row.subscription_id)
    )


def key_version(connection_string: str) -> str:
    """Tells whether a key is another one, and nothing else about it."""
    return stable_hash(connection_string)


def automation_id(settings: Settings, subscription_id: str) -> str:
    """ID of a subscription's automation."""
    return (
        f"/subscriptions/{subscription_id}/resourceGroups/{settings.alert_export_group}"
        f"/providers/Microsoft.Security/automations/{settings.alert_export_name}"
    )


def wanted_export(settings: Settings, hub: HubAssignment, subscription_id: str) -> AlertExport:
    """The export that a subscription is to have."""
    hub_id = (
        f"/subscriptions/{settings.provider_subscription_id}/resourceGroups/{settings.hub_resource_group}"
        f"/providers/Microsoft.EventHub/namespaces/{hub.namespace}/eventhubs/{hub.hub}"
    )
    return AlertExport(hub_id=hub_id, scope=f"/subscriptions/{subscription_id}")
