"""Step 2: keep one diagnostic setting on every delegated subscription.

The setting's name is a function of the brand, so a new one costs one PUT and, because Azure has been
seen to answer OK and keep nothing, one read-back later. After that each is verified in a slow sweep.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.arm.diagnostic_settings import get_setting, put_setting
from shared.arm.errors import ArmError, ThrottledError, UnavailableError
from shared.arm.event_hubs import rule_id
from shared.jobs.spread import spread
from shared.model.diagnostics import ACTIVITY_LOG_CATEGORIES, DiagnosticSetting
from shared.model.hubs import HubAssignment, HubState
from shared.model.integration import Integration, IntegrationStatus
from shared.model.jobs import Cause, Job, Phase, Step
from shared.model.outcome import CREATED, REPAIRED, UNCHANGED, Outcome, OutcomeKind, blocked
from shared.model.reasons import Reason
from shared.model.subscription import Coverage, Subscription
from shared.settings import Settings
from shared.store.tables import ConflictError, Stored
from shared.sync.context import Context
from shared.sync.drift import setting_drift

_log = logging.getLogger(__name__)

MOST_WRITES = 3
"""Writes in a row that no read-back confirmed, after which Azure is said to keep nothing."""

_SECONDS_PER_JOB = 0.1
"""Jobs that are wanted at once still come at this pace, so that a large tenant makes no burst."""


class ActionKind(StrEnum):
    """What can be done to one setting."""

    CREATE = "create"
    REPAIR = "repair"
    CONFIRM = "confirm"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do to one setting.

    Attributes:
        kind: what.
        why: which fields drifted, for the log.
    """

    kind: ActionKind
    why: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What Azure and the table say.

    Attributes:
        row: the subscription as we know it.
        read: whether Azure was asked.
        setting: what Azure has, if it was asked and has one.
    """

    row: Subscription
    read: bool
    setting: DiagnosticSetting | None = None


class SubscriptionSettingsStep:
    """Keeps the setting on each subscription."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, job: Job) -> float | None:
        """Plan an integration's subscriptions, or look after one of them.

        Raises:
            ThrottledError, UnavailableError: it can only be tried again later.
        """
        context = self._context
        if not job.integration_id:
            for integration in await context.integrations.list():
                await context.start(Step.SUBSCRIPTION_SETTINGS, job.cause, integration.id)
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
            return None
        return await self._look_after(job, found, hub.fact)

    async def give_up(self, job: Job, error: ArmError | None) -> None:
        """Take down that one subscription could not be looked after."""
        context = self._context
        row = await context.subscriptions.read(job.integration_id, job.target)
        if row is None:
            return
        reason = error.reason if error is not None else Reason.UNREACHABLE
        outcome = blocked(reason, error.detail if error is not None else "")
        await self._save(row, settled(row.fact, outcome, context.clock(), job.cycle))

    async def _fan_out(self, job: Job) -> None:
        context = self._context
        rows = sorted(
            (row.fact for row in await context.subscriptions.list(job.integration_id)),
            key=lambda row: row.subscription_id,
        )
        chosen = due(rows, context.settings, context.clock())
        interval = float(context.settings.cycle_seconds)
        if job.cause is not Cause.CYCLE:
            interval = min(interval, len(chosen) * _SECONDS_PER_JOB)
        salt = context.settings.provider_subscription_id
        await context.queue.send_all(
            (
                replace(job, phase=Phase.TARGET, target=row.subscription_id, attempt=0),
                spread(index, len(chosen), interval, salt, row.subscription_id),
            )
            for index, row in enumerate(chosen)
        )

    async def _look_after(
        self, job: Job, integration: Stored[Integration], hub: HubAssignment
    ) -> float | None:
        context = self._context
        row = await context.subscriptions.read(job.integration_id, job.target)
        if row is None or not row.fact.watched or is_stale(row.fact, job):
            return None
        wanted = wanted_setting(context.settings, hub)
        try:
            observed = await self._observe(row.fact, wanted)
            outcome = UNCHANGED
            for action in plan(wanted, observed):
                outcome = await self._apply(action, wanted, row.fact)
        except (ThrottledError, UnavailableError):
            raise
        except ArmError as error:
            outcome = blocked(error.reason, error.detail)
        after = settled(row.fact, outcome, context.clock(), job.cycle)
        await self._save(row, after)
        if after.coverage is Coverage.WRITTEN:
            await context.queue.send(
                replace(job, cause=Cause.RETRY, attempt=0), context.settings.read_back_seconds
            )
        if (
            after.coverage is Coverage.CONFIGURED
            and integration.fact.status is IntegrationStatus.PROVISIONING
        ):
            active = replace(integration.fact, status=IntegrationStatus.ACTIVE)
            # Many jobs see the first configured subscription at once, and one of them is enough.
            with suppress(ConflictError):
                await context.integrations.save(active, integration.etag)
        return None

    async def _observe(self, row: Subscription, wanted: DiagnosticSetting) -> Observed:
        if row.coverage not in (Coverage.WRITTEN, Coverage.CONFIGURED):
            return Observed(row, read=False)
        setting = await get_setting(self._context.arm, _scope(row), wanted.name)
        return Observed(row, read=True, setting=setting)

    async def _apply(self, action: Action, wanted: DiagnosticSetting, row: Subscription) -> Outcome:
        match action.kind:
            case ActionKind.CONFIRM:
                return UNCHANGED
            case ActionKind.GIVE_UP:
                return blocked(Reason.KEEPS_NOTHING, action.why)
            case ActionKind.CREATE | ActionKind.REPAIR:
                await put_setting(self._context.arm, _scope(row), wanted)
        _log.info(
            "setting written (%s) integration=%s subscription=%s",
            action.why or action.kind.value,
            row.integration_id,
            row.subscription_id,
        )
        return CREATED if action.kind is ActionKind.CREATE else REPAIRED

    async def _save(self, before: Stored[Subscription], after: Subscription) -> None:
        confirmed = after.coverage is Coverage.CONFIGURED and before.fact.coverage is not Coverage.CONFIGURED
        if confirmed or after.coverage is Coverage.BLOCKED:
            # Before the row: a job that ends in between comes again and still sees the change to be noted.
            await self._context.note(after.integration_id, after.subscription_id, after.reason, after.detail)
        await self._context.subscriptions.save([Stored(after, before.etag)])


def wanted_setting(settings: Settings, hub: HubAssignment) -> DiagnosticSetting:
    """The setting that every subscription of the hub's customer is to have."""
    return DiagnosticSetting(
        name=settings.setting_name,
        rule_id=rule_id(settings.provider_subscription_id, settings.hub_resource_group, hub.namespace),
        hub=hub.hub,
        categories=ACTIVITY_LOG_CATEGORIES,
    )


def due(rows: Sequence[Subscription], settings: Settings, now: datetime) -> list[Subscription]:
    """The subscriptions that a cycle has to look after, in the same order.

    What is pending or blocked is tried in every cycle; what was written is read back after a while; what
    is configured is verified in a slow sweep.
    """
    read_back = timedelta(seconds=settings.read_back_seconds)
    sweep = timedelta(seconds=settings.sweep_seconds)

    def is_due(row: Subscription) -> bool:
        match row.coverage:
            case Coverage.PENDING | Coverage.BLOCKED:
                return True
            case Coverage.WRITTEN:
                return row.written_at is None or now - row.written_at >= read_back
            case Coverage.CONFIGURED:
                return row.verified_at is None or now - row.verified_at >= sweep
            case _:
                return False

    return [row for row in rows if is_due(row)]


def plan(wanted: DiagnosticSetting, observed: Observed) -> list[Action]:
    """What to do, from what is wanted and what was observed."""
    if not observed.read:
        return [Action(ActionKind.CREATE)]
    if observed.setting is None:
        drift = "missing"
    else:
        drift = ", ".join(difference.field for difference in setting_drift(wanted, observed.setting))
    if not drift:
        return [Action(ActionKind.CONFIRM)]
    if observed.row.writes >= MOST_WRITES:
        return [Action(ActionKind.GIVE_UP, f"{drift} after {observed.row.writes} writes")]
    return [Action(ActionKind.REPAIR, drift)]


def settled(row: Subscription, outcome: Outcome, now: datetime, cycle: str) -> Subscription:
    """The row after an outcome."""
    handled = max(row.handled, cycle)
    match outcome.kind:
        case OutcomeKind.UNCHANGED:
            return replace(
                row,
                coverage=Coverage.CONFIGURED,
                reason=None,
                detail="",
                verified_at=now,
                writes=0,
                handled=handled,
            )
        case OutcomeKind.CREATED | OutcomeKind.REPAIRED:
            return replace(
                row,
                coverage=Coverage.WRITTEN,
                reason=None,
                detail="",
                written_at=now,
                writes=row.writes + 1,
                handled=handled,
            )
        case _:
            return replace(
                row,
                coverage=Coverage.BLOCKED,
                reason=outcome.reason,
                detail=outcome.detail,
                handled=handled,
            )


def is_stale(row: Subscription, job: Job) -> bool:
    """Whether a newer cycle has looked after the subscription already."""
    return job.cause is Cause.CYCLE and row.handled > job.cycle


def _scope(row: Subscription) -> str:
    return f"/subscriptions/{row.subscription_id}"
