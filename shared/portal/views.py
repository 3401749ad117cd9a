"""What the API shows, as plain JSON values: field names as in Azure's own APIs, times in ISO 8601 UTC."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.model.captures import Counts
from shared.model.hubs import HubAssignment
from shared.model.integration import Integration
from shared.model.problem import Problem
from shared.model.reasons import EXPLANATIONS, Reason
from shared.model.subscription import Subscription
from shared.model.upkeep import Coverage

type Json = dict[str, Any]


def integration_view(integration: Integration) -> Json:
    """An integration's own facts."""
    return {
        "id": integration.id,
        "customer": integration.customer,
        "tenantId": integration.tenant_id,
        "displayName": integration.display_name,
        "homeRegion": integration.home_region,
        "managementGroupId": integration.management_group_id,
        "workspaceResourceId": integration.workspace_resource_id,
        "subscriptionCap": integration.subscription_cap,
        "status": integration.status.value,
        "createdAt": _time(integration.created_at),
    }


def subscription_counts(subscriptions: Sequence[Subscription]) -> Json:
    """How many subscriptions are how far, and how many are not covered for which reason."""
    by_coverage = Counter(subscription.upkeep.coverage for subscription in subscriptions)
    by_reason = Counter(
        subscription.upkeep.reason for subscription in subscriptions if subscription.upkeep.reason is not None
    )
    return {
        "total": len(subscriptions),
        **{coverage.value: by_coverage[coverage] for coverage in Coverage},
        "reasons": {reason.value: count for reason, count in sorted(by_reason.items())},
    }


def entry_counts(counts: Counts) -> Json:
    """What became of the entries that arrived; all but `in` and `operations` add up to `in`."""
    return {
        "in": counts.entries,
        "condensed": counts.condensed,
        "passedThrough": counts.passed_through,
        "duplicates": counts.duplicates,
        "setAside": counts.set_aside,
        "parked": counts.still_parked,
        "operations": counts.operations,
    }


def subscription_view(subscription: Subscription) -> Json:
    """One subscription: how far it is covered, or the one reason why it is not, with its remedy."""
    return {
        "subscriptionId": subscription.subscription_id,
        "displayName": subscription.name,
        "state": subscription.state,
        "quotaId": subscription.quota_id,
        "coverage": subscription.upkeep.coverage.value,
        **_reason(subscription.upkeep.reason, subscription.upkeep.detail),
        "delegatedSince": _time(subscription.delegated_since),
        "writtenAt": _time(subscription.upkeep.written_at),
        "verifiedAt": _time(subscription.upkeep.verified_at),
    }


def hub_view(hub: HubAssignment) -> Json:
    """One event hub."""
    return {
        "region": hub.region,
        "namespace": hub.namespace,
        "hub": hub.hub,
        "state": hub.state.value,
        **_reason(hub.reason, hub.detail),
        "assignedAt": _time(hub.assigned_at),
        "verifiedAt": _time(hub.verified_at),
    }


def problem_view(problem: Problem) -> Json:
    """One problem that lasts."""
    return {
        "id": problem.id,
        "where": problem.where,
        **_reason(problem.reason, problem.detail),
        "since": _time(problem.since),
    }


def _reason(reason: Reason | None, detail: str) -> Json:
    if reason is None:
        return {"reason": None}
    explanation = EXPLANATIONS[reason]
    return {
        "reason": reason.value,
        "summary": explanation.summary,
        "remedy": explanation.remedy,
        "detail": detail,
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment is not None else None
