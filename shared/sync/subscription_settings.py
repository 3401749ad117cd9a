"""Step 2: keep one diagnostic setting with the activity log's categories on every delegated subscription."""

import logging
from contextlib import suppress
from dataclasses import replace

from shared.arm.errors import ArmError
from shared.arm.event_hubs import rule_id
from shared.model.diagnostics import ACTIVITY_LOG_CATEGORIES, DiagnosticSetting
from shared.model.hubs import HubAssignment, HubState
from shared.model.integration import Integration, IntegrationStatus
from shared.model.jobs import Job, Phase
from shared.model.subscription import Subscription
from shared.model.upkeep import Coverage
from shared.settings import Settings
from shared.store.tables import ConflictError, Stored
from shared.sync.context import Context
from shared.sync.keepers import SettingKeeper
from shared.sync.upkeep import ActionKind, given_up, has_news, is_stale, is_wanted, look_after, settled

_log = logging.getLogger(__name__)


class SubscriptionSettingsStep:
    """Keeps the setting on each subscription."""

    def __init__(self, context: Context) -> None:
        self._context = context

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
        found = await context.integrations.read(job.integration_id)
        if found is None:
            return None
        hub = await context.hubs.read(found.fact.home_region, found.fact.customer)
        if hub is None or hub.fact.state is not HubState.READY:
            _log.info("the hub of the home region is not ready yet integration=%s", job.integration_id)
            return None
        if job.phase is Phase.PLAN:
            await self._fan_out(job)
        else:
            await self._look_after(job, found, hub.fact)
        return None

    async def give_up(self, job: Job, error: ArmError | None) -> None:
        """Take down that one subscription could not be looked after."""
        context = self._context
        row = await context.subscriptions.read(job.integration_id, job.target)
        if row is None:
            return
        upkeep = settled(row.fact.upkeep, given_up(error), context.clock(), job.cycle)
        await self._save(row, replace(row.fact, upkeep=upkeep))

    async def _fan_out(self, job: Job) -> None:
        context = self._context
        now, settings = context.clock(), context.settings
        await context.fan_out(
            job,
            [
                row.fact.subscription_id
                for row in await context.subscriptions.list(job.integration_id)
                if is_wanted(row.fact.upkeep, job, settings, now, row.fact.subscription_id)
            ],
        )

    async def _look_after(self, job: Job, integration: Stored[Integration], hub: HubAssignment) -> None:
        context = self._context
        row = await context.subscriptions.read(job.integration_id, job.target)
        if row is None or not row.fact.watched or is_stale(row.fact.upkeep, job):
            return
        scope = f"/subscriptions/{row.fact.subscription_id}"
        keeper = SettingKeeper(context.arm, scope, wanted_setting(context.settings, hub))
        upkeep, action = await look_after(keeper, row.fact.upkeep, context.clock(), job.cycle)
        if action.kind in (ActionKind.CREATE, ActionKind.REPAIR):
            _log.info(
                "setting written (%s) integration=%s subscription=%s",
                action.why or action.kind.value,
                row.fact.integration_id,
                row.fact.subscription_id,
            )
        await self._save(row, replace(row.fact, upkeep=upkeep))
        if upkeep.coverage is Coverage.WRITTEN:
            await context.read_back(job)
        if upkeep.coverage is Coverage.CONFIGURED:
            await self._activate(integration)

    async def _activate(self, integration: Stored[Integration]) -> None:
        if integration.fact.status is not IntegrationStatus.PROVISIONING:
            return
        active = replace(integration.fact, status=IntegrationStatus.ACTIVE)
        # Many jobs see the first configured subscription at once, and one of them is enough.
        with suppress(ConflictError):
            await self._context.integrations.save(active, integration.etag)

    async def _save(self, before: Stored[Subscription], after: Subscription) -> None:
        if has_news(before.fact.upkeep, after.upkeep):
            # Before the row: a job that ends in between comes again and still sees the change to be noted.
            await self._context.note(
                after.integration_id, after.subscription_id, after.upkeep.reason, after.upkeep.detail
            )
        await self._context.subscriptions.save([Stored(after, before.etag)])


def wanted_setting(settings: Settings, hub: HubAssignment) -> DiagnosticSetting:
    """The setting that every subscription of the hub's customer is to have."""
    return DiagnosticSetting(
        name=settings.setting_name,
        rule_id=rule_id(settings.provider_subscription_id, settings.hub_resource_group, hub.namespace),
        hub=hub.hub,
        categories=ACTIVITY_LOG_CATEGORIES,
    )
