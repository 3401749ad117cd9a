"""Which resource types are monitored, and with which log categories: one table.

Categories are those of learn.microsoft.com/azure/azure-monitor/reference/logs-index. Storage accounts are
left out on purpose: their read, write and delete logs are of a volume that costs the customer dearly and
tells little (every blob that is read is an entry), and what matters about them, a change of their settings
or keys, is in the activity log.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MonitoredType:
    """One resource type.

    Attributes:
        type: in lower case.
        categories: log categories to be enabled.
        api_version: with which one resource of the type is read.
        default: whether it is monitored without being asked for.
    """

    type: str
    categories: frozenset[str]
    api_version: str
    default: bool = False


MONITORED_TYPES = {
    each.type: each
    for each in (
        MonitoredType("microsoft.keyvault/vaults", frozenset({"AuditEvent"}), "2024-11-01", default=True),
        MonitoredType(
            "microsoft.containerservice/managedclusters",
            frozenset({"kube-audit-admin", "guard"}),
            "2025-05-01",
        ),
        MonitoredType("microsoft.sql/servers/databases", frozenset({"SQLSecurityAuditEvents"}), "2023-08-01"),
        MonitoredType(
            "microsoft.network/azurefirewalls",
            frozenset({"AZFWApplicationRule", "AZFWNetworkRule", "AZFWThreatIntel"}),
            "2024-05-01",
        ),
        MonitoredType(
            "microsoft.network/networksecuritygroups",
            frozenset({"NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"}),
            "2024-05-01",
        ),
        MonitoredType(
            "microsoft.web/sites", frozenset({"AppServiceAuditLogs", "AppServiceHTTPLogs"}), "2024-04-01"
        ),
        MonitoredType(
            "microsoft.network/applicationgateways",
            frozenset({"ApplicationGatewayAccessLog", "ApplicationGatewayFirewallLog"}),
            "2024-05-01",
        ),
    )
}
"""All types that can be monitored, by type."""
