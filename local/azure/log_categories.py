"""Which log categories which scopes have."""

from local.azure.resource_types import TYPES

ACTIVITY = (
    "Administrative",
    "Security",
    "ServiceHealth",
    "Alert",
    "Recommendation",
    "Policy",
    "Autoscale",
    "ResourceHealth",
)
"""Categories of a subscription's activity log, in the order Azure gives them back.

learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
"""

METRICS = ("AllMetrics",)
"""The metric category of most resource types; subscriptions have none."""

GROUPS = ("allLogs", "audit")
"""All category groups that Azure Monitor knows; not every type has both."""


def categories_of(resource_type: str) -> tuple[str, ...] | None:
    """Log categories of a resource type, of a subscription for the empty type; None if it has no settings."""
    if not resource_type:
        return ACTIVITY
    known = TYPES.get(resource_type)
    return known.logs if known else None


def metrics_of(resource_type: str) -> tuple[str, ...]:
    """Metric categories of a resource type, as they are listed."""
    known = TYPES.get(resource_type)
    return METRICS if known and known.metrics else ()


def groups_of(resource_type: str) -> dict[str, tuple[str, ...]]:
    """The category groups of a resource type, or of a subscription, and their members."""
    logs = categories_of(resource_type)
    if not logs:
        return {}
    known = TYPES.get(resource_type)
    audit = known.audit if known else ()
    return {"allLogs": logs, **({"audit": audit} if audit else {})}
