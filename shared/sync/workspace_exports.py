"""Step 5: keep a data export rule for the Entra tables of each customer's workspace.

If an older rule of ours exists, the new one is made and read back before the old one is deleted: no gap, and
not everything twice for longer than it takes.

Where the older rule sends to the very hub that the new one is to send to, Azure refuses the new one, for no
two rules of a workspace may have the same destination. Then the older rule is adopted: it is changed where it
stands, and keeps its name. To delete it first would leave a gap, since a rule exports nothing for about half
an hour after it is made (learn.microsoft.com/azure/azure-monitor/logs/logs-data-export); a PUT to the rule
that is there leaves none, and may be repeated after a crash like any other.
"""

import logging
from dataclasses import replace

from shared.arm.data_exports import delete_rule, get_rule, get_workspace_region
from shared.arm.errors import ArmError, NotFoundError, ThrottledError, UnavailableError
from shared.model.exports import ENTRA_TABLES, ExportRule
from shared.model.hubs import HubAssignment, HubState
from shared.model.ids import parse_resource_id
from shared.model.integration import Integration
from shared.model.jobs import Cause, Job, Phase, Step
from shared.model.outcome import blocked
from shared.model.reasons import Reason
from shared.model.upkeep import Coverage
from shared.model.workspace import Workspace
from shared.settings import Settings
from shared.store.tables import Stored
from shared.sync.context import Context
from shared.sync.keepers import LOG_ANALYTICS_CONTRIBUTOR, ExportRuleKeeper
from shared.sync.upkeep import Action, explained, given_up, has_news, is_stale, is_wanted, look_after, settled

_log = logging.getLogger(__name__)


class WorkspaceExportsStep:
    """Keeps the export rule of each workspace."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, job: Job) -> float | None:
        """Plan all integrations or one, or look after one workspace.

        Raises:
            ThrottledError, UnavailableError: it can only be tried again later.
            ConflictError: somebody else is at the same workspace.
        """
        context = self._context
        if not job.integration_id:
            for integration in await context.integrations.list():
                if integration.workspace_resource_id is not None:
                    await context.start(Step.WORKSPACE_EXPORTS, job.cause, integration.id)
            return None
        found = await context.integrations.get(job.integration_id)
        if found is None or found.workspace_resource_id is None:
            return None
        row = await context.workspaces.read(found.id, found.workspace_resource_id)
        if await self._is_withdrawn(found.id, found.workspace_resource_id):
            await self._withdraw(job, row)
            return None
        if job.phase is Phase.PLAN:
            if is_wanted(row.fact.upkeep, job, context.settings, context.clock(), row.fact.id):
                target = replace(job, phase=Phase.TARGET, target=row.fact.id.lower(), attempt=0)
                await context.send_once(target, 0.0)
        elif job.target.lower() == row.fact.id.lower() and not is_stale(row.fact.upkeep, job):
            await self._look_after(job, found, row)
        return None

    async def give_up(self, job: Job, error: ArmError | None) -> None:
        """Take down that the workspace could not be looked after."""
        context = self._context
        row = await context.workspaces.read(job.integration_id, job.target)
        if not row.etag:
            return
        upkeep = settled(row.fact.upkeep, given_up(error), context.clock(), job.cycle)
        await self._save(row, replace(row.fact, upkeep=upkeep))

    async def _is_withdrawn(self, integration_id: str, workspace_id: str) -> bool:
        """Whether the workspace's subscription was delegated once and is not any more."""
        subscription_id = parse_resource_id(workspace_id).subscription_id
        owner = await self._context.subscriptions.read(integration_id, subscription_id)
        return owner is not None and bool(owner.fact.first_seen) and owner.fact.delegated_since is None

    async def _withdraw(self, job: Job, row: Stored[Workspace]) -> None:
        outcome = blocked(Reason.NOT_DELEGATED)
        if row.fact.upkeep.reason is not outcome.reason:
            upkeep = settled(row.fact.upkeep, outcome, self._context.clock(), job.cycle)
            await self._save(row, replace(row.fact, upkeep=replace(upkeep, writes=0)))

    async def _look_after(self, job: Job, integration: Integration, row: Stored[Workspace]) -> None:
        context = self._context
        located = await self._located(job, row.fact)
        if not located.region:
            await self._save(row, located)
            return
        hub = await context.hubs.read(located.region, integration.customer)
        if hub is None or hub.fact.state is not HubState.READY:
            await self._save(row, located)
            await context.start(Step.EVENT_HUBS, Cause.ONBOARDING)
            return
        after, action = await self._kept(job, located, wanted_rule(context.settings, hub.fact))
        upkeep = after.upkeep
        if upkeep.coverage is Coverage.CONFIGURED and not after.adopted:
            after = await self._without_older(after)
        _log.info(
            "export rule %s (%s) integration=%s workspace=%s",
            upkeep.coverage.value,
            action.why or action.kind.value,
            after.integration_id,
            after.id,
        )
        await self._save(row, after)
        if upkeep.coverage is Coverage.WRITTEN:
            await context.read_back(job)

    async def _kept(self, job: Job, workspace: Workspace, wanted: ExportRule) -> tuple[Workspace, Action]:
        context = self._context
        older = self._older_name()
        if not (workspace.adopted and older):
            keeper = ExportRuleKeeper(context.arm, workspace.id, wanted)
            upkeep, action = await look_after(keeper, workspace.upkeep, context.clock(), job.cycle)
            if upkeep.reason is not Reason.SINK_ALREADY_USED or not await self._has_same_hub(
                workspace.id, older, wanted
            ):
                return replace(workspace, upkeep=upkeep, adopted=False), action
            _log.info("older export rule adopted workspace=%s", workspace.id)
            # It is there: read first, then changed.
            workspace = replace(
                workspace, upkeep=replace(workspace.upkeep, coverage=Coverage.WRITTEN, writes=0)
            )
        keeper = ExportRuleKeeper(context.arm, workspace.id, replace(wanted, name=older))
        upkeep, action = await look_after(keeper, workspace.upkeep, context.clock(), job.cycle)
        return replace(workspace, upkeep=upkeep, adopted=True), action

    async def _has_same_hub(self, workspace_id: str, name: str, wanted: ExportRule) -> bool:
        """Whether there is a rule of that name that sends to where the wanted one is to send."""
        if not name:
            return False
        try:
            found = await get_rule(self._context.arm, workspace_id, name)
        except (ThrottledError, UnavailableError):
            raise
        except ArmError:
            return False
        return found is not None and has_destination_of(found, wanted)

    def _older_name(self) -> str:
        """Name of the older rule, if there may be one."""
        settings = self._context.settings
        name = settings.older_export_rule
        return "" if name.lower() == settings.export_rule_name.lower() else name

    async def _located(self, job: Job, workspace: Workspace) -> Workspace:
        if workspace.region:
            return workspace
        context = self._context
        try:
            return replace(workspace, region=await get_workspace_region(context.arm, workspace.id))
        except NotFoundError as error:
            outcome = blocked(Reason.WORKSPACE_MISSING, error.detail)
        except (ThrottledError, UnavailableError):
            raise
        except ArmError as error:
            outcome = blocked(error.reason, explained(error, LOG_ANALYTICS_CONTRIBUTOR))
        return replace(workspace, upkeep=settled(workspace.upkeep, outcome, context.clock(), job.cycle))

    async def _without_older(self, workspace: Workspace) -> Workspace:
        """Only now that the new rule was read back may the old one go."""
        context, name = self._context, self._older_name()
        if not name:
            return workspace
        place = f"{workspace.id} {name}"
        try:
            if await get_rule(context.arm, workspace.id, name) is not None:
                await delete_rule(context.arm, workspace.id, name)
                _log.info(
                    "older export rule deleted integration=%s workspace=%s",
                    workspace.integration_id,
                    workspace.id,
                )
        except (ThrottledError, UnavailableError):
            raise
        except ArmError as error:
            # The new rule stands all the same; what the older one sends besides is a problem of its own.
            detail = explained(error, LOG_ANALYTICS_CONTRIBUTOR)
            await context.note(workspace.integration_id, place, error.reason, detail)
            return replace(workspace, replaced=False)
        if not workspace.replaced:
            await context.note(workspace.integration_id, place, None, "")
        return replace(workspace, replaced=True)

    async def _save(self, before: Stored[Workspace], after: Workspace) -> None:
        if after == before.fact and before.etag:
            return
        if has_news(before.fact.upkeep, after.upkeep):
            await self._context.note(after.integration_id, after.id, after.upkeep.reason, after.upkeep.detail)
        await self._context.workspaces.save(after, before.etag)


def has_destination_of(rule: ExportRule, other: ExportRule) -> bool:
    """Whether two rules send to the same hub, so that Azure takes only one of them."""
    destinations = [(each.namespace_id.lower(), each.hub.lower()) for each in (rule, other)]
    return destinations[0] == destinations[1]


def wanted_rule(settings: Settings, hub: HubAssignment) -> ExportRule:
    """The rule that the workspace is to have: the destination is the namespace, the hub stands beside it."""
    namespace = (
        f"/subscriptions/{settings.provider_subscription_id}/resourceGroups/{settings.hub_resource_group}"
        f"/providers/Microsoft.EventHub/namespaces/{hub.namespace}"
    )
    return ExportRule(settings.export_rule_name, namespace, hub.hub, ENTRA_TABLES)
