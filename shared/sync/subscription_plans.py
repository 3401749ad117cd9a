"""What a complete listing makes of the subscriptions that an integration has; no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from shared.arm.errors import UnavailableError
from shared.model.ids import parse_resource_id
from shared.model.integration import Integration
from shared.model.reasons import Reason
from shared.model.subscription import ListedSubscription, Subscription, SubscriptionState
from shared.model.upkeep import Coverage, Upkeep
from shared.store.listings import KEPT
from shared.sync.upkeep import begun_again

EXCLUSIONS: Final = (Reason.NOT_DELEGATED, Reason.SUBSCRIPTION_DISABLED, Reason.OVER_CAP)
"""Why a subscription is not watched."""

_EXCLUDED: Final = Upkeep(coverage=Coverage.EXCLUDED)
_OUT_OF_SERVICE: Final = frozenset({SubscriptionState.DISABLED.value, SubscriptionState.DELETED.value})


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
    return row if row.watched else replace(row, upkeep=begun_again(row.upkeep))


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


def newly_watched(before: Subscription | None, after: Subscription) -> bool:
    """Whether a subscription is to be watched that was not until now."""
    return after.watched and (before is None or not before.watched)
