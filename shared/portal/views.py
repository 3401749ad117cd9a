"""What the API shows, as plain JSON values: field names as in Azure's own APIs, times in ISO 8601 UTC."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.model.captures import Counts
from shared.model.hubs import HubAssignment
from shared.model.integration import Integration
from shared.model.problem import Problem
from shared.model.reasons import EXPLANATIONS, Reason
from shared.model.resource import Resource
from shared.model.subscription import Subscription
from shared.model.upkeep import Coverage, Upkeep

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
        "createdAt": time_view(integration.created_at),
    }


def coverage_counts(pairs: Counter[tuple[str, str]]) -> Json:
    """How many objects are how far, and how many are not covered for which reason.

    Args:
        pairs: how many objects there are of each coverage and reason (empty for none).
    """
    by_coverage: Counter[str] = Counter()
    by_reason: Counter[str] = Counter()
    for (coverage, reason), count in pairs.items():
        by_coverage[coverage] += count
        by_reason[reason] += count
    return {
        "total": pairs.total(),
        **{coverage.value: by_coverage[coverage] for coverage in Coverage},
        "reasons": {reason: count for reason, count in sorted(by_reason.items()) if reason},
    }


def pairs_of(upkeeps: Iterable[Upkeep]) -> Counter[tuple[str, str]]:
    """How many objects there are of each coverage and reason."""
    return Counter((each.coverage.value, each.reason.value if each.reason else "") for each in upkeeps)


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
        **reason_view(subscription.upkeep.reason, subscription.upkeep.detail),
        "delegatedSince": time_view(subscription.delegated_since),
        "writtenAt": time_view(subscription.upkeep.written_at),
        "verifiedAt": time_view(subscription.upkeep.verified_at),
    }


def resource_view(resource: Resource) -> Json:
    """One resource: how far it is covered, or the one reason why it is not, with its remedy."""
    upkeep = resource.upkeep
    return {
        "id": resource.listed.id,
        "type": resource.listed.type,
        "region": resource.listed.region,
        "subscriptionId": resource.listed.subscription_id,
        "coverage": upkeep.coverage.value,
        **reason_view(upkeep.reason, upkeep.detail),
        "writtenAt": time_view(upkeep.written_at),
        "verifiedAt": time_view(upkeep.verified_at),
    }


def hub_view(hub: HubAssignment) -> Json:
    """One event hub."""
    return {
        "region": hub.region,
        "namespace": hub.namespace,
        "hub": hub.hub,
        "state": hub.state.value,
        **reason_view(hub.reason, hub.detail),
        "assignedAt": time_view(hub.assigned_at),
        "drainsUntil": time_view(hub.drains_until),
        "verifiedAt": time_view(hub.verified_at),
    }


def problem_view(problem: Problem) -> Json:
    """One problem that lasts."""
    return {
        "id": problem.id,
        "where": problem.where,
        **reason_view(problem.reason, problem.detail),
        "since": time_view(problem.since),
    }


def reason_view(reason: Reason | None, detail: str) -> Json:
    """The one reason why something is not covered, what it means, and how to mend it."""
    if reason is None:
        return {"reason": None}
    explanation = EXPLANATIONS[reason]
    return {
        "reason": reason.value,
        "summary": explanation.summary,
        "remedy": explanation.remedy,
        "detail": detail,
    }


def time_view(moment: datetime | None) -> str | None:
    """A moment as text; None for none."""
    return moment.isoformat().replace("+00:00", "Z") if moment is not None else None
