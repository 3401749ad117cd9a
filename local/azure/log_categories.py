"""Which log categories which scopes have, as data.

learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema and the resource log categories
of each service.
"""

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
"""Categories of a subscription's activity log, in the order Azure gives them back."""

BY_TYPE: dict[str, tuple[str, ...]] = {
    "microsoft.keyvault/vaults": ("AuditEvent", "AzurePolicyEvaluationDetails"),
    "microsoft.network/networksecuritygroups": (
        "NetworkSecurityGroupEvent",
        "NetworkSecurityGroupRuleCounter",
    ),
    "microsoft.containerregistry/registries": (
        "ContainerRegistryRepositoryEvents",
        "ContainerRegistryLoginEvents",
    ),
    "microsoft.containerservice/managedclusters": (
        "kube-apiserver",
        "kube-audit",
        "kube-audit-admin",
        "guard",
    ),
    "microsoft.sql/servers/databases": ("SQLSecurityAuditEvents", "SQLInsights", "Errors"),
}
"""Categories by resource type in lower case."""

METRICS = ("AllMetrics",)
"""The metric category of every resource type here; subscriptions have none."""

GROUPS = {"allLogs": None, "audit": frozenset({"AuditEvent", "kube-audit", "SQLSecurityAuditEvents"})}
"""Category groups of resources: the categories in each, None for all."""


def categories_of(resource_type: str) -> tuple[str, ...] | None:
    """Log categories of a resource type, of a subscription for the empty type; None if it has no settings."""
    return ACTIVITY if not resource_type else BY_TYPE.get(resource_type)
