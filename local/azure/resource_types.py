"""What there can be in a subscription, as data: types and their diagnostic log categories.

Names and categories: learn.microsoft.com/azure/azure-monitor/reference/logs-index and the resource log
categories of each service; groups as `diagnosticSettingsCategories` shows them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One type of resource.

    Attributes:
        name: as Azure spells it.
        logs: categories of resource logs; None if the type has no diagnostic settings.
        audit: those of the category group `audit`; empty if the type does not have that group.
        metrics: whether it has the metric category.
        regional: whether a setting's event hub must be in the resource's region.
    """

    name: str
    logs: tuple[str, ...] | None = None
    audit: tuple[str, ...] = ()
    metrics: bool = True
    regional: bool = True


_TYPES = (
    ResourceType(
        "Microsoft.KeyVault/vaults", ("AuditEvent", "AzurePolicyEvaluationDetails"), ("AuditEvent",)
    ),
    ResourceType("Microsoft.KeyVault/managedHSMs", ("AuditEvent",), ("AuditEvent",)),
    ResourceType(
        "Microsoft.ContainerService/managedClusters",
        (
            "kube-apiserver",
            "kube-audit",
            "kube-audit-admin",
            "kube-controller-manager",
            "kube-scheduler",
            "cluster-autoscaler",
            "cloud-controller-manager",
            "guard",
            "csi-azuredisk-controller",
            "csi-azurefile-controller",
            "csi-snapshot-controller",
        ),
        ("kube-audit", "kube-audit-admin", "guard"),
    ),
    ResourceType(
        "Microsoft.Sql/servers/databases",
        (
            "SQLInsights",
            "AutomaticTuning",
            "QueryStoreRuntimeStatistics",
            "QueryStoreWaitStatistics",
            "Errors",
            "DatabaseWaitStatistics",
            "Timeouts",
            "Blocks",
            "Deadlocks",
            "DevOpsOperationsAudit",
            "SQLSecurityAuditEvents",
        ),
        ("DevOpsOperationsAudit", "SQLSecurityAuditEvents"),
    ),
    ResourceType(
        "Microsoft.Network/azureFirewalls",
        (
            "AzureFirewallApplicationRule",
            "AzureFirewallNetworkRule",
            "AzureFirewallDnsProxy",
            "AZFWNetworkRule",
            "AZFWApplicationRule",
            "AZFWNatRule",
            "AZFWThreatIntel",
            "AZFWIdpsSignature",
            "AZFWDnsQuery",
            "AZFWFqdnResolveFailure",
            "AZFWFatFlow",
            "AZFWFlowTrace",
        ),
    ),
    ResourceType(
        "Microsoft.Network/networkSecurityGroups",
        ("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"),
        metrics=False,
    ),
    ResourceType(
        "Microsoft.Network/applicationGateways",
        (
            "ApplicationGatewayAccessLog",
            "ApplicationGatewayPerformanceLog",
            "ApplicationGatewayFirewallLog",
        ),
    ),
    ResourceType(
        "Microsoft.Network/frontDoors",
        ("FrontdoorAccessLog", "FrontdoorWebApplicationFirewallLog"),
        regional=False,
    ),
    ResourceType(
        "Microsoft.Cdn/profiles",
        (
            "AzureCdnAccessLog",
            "FrontDoorAccessLog",
            "FrontDoorHealthProbeLog",
            "FrontDoorWebApplicationFirewallLog",
        ),
        regional=False,
    ),
    ResourceType(
        "Microsoft.Network/publicIPAddresses", ("DDoSProtectionNotifications", "DDoSMitigationReports")
    ),
    ResourceType("Microsoft.Network/virtualNetworks", ("VMProtectionAlerts",)),
    ResourceType("Microsoft.Network/bastionHosts", ("BastionAuditLogs",), ("BastionAuditLogs",)),
    ResourceType(
        "Microsoft.Web/sites",
        (
            "AppServiceHTTPLogs",
            "AppServiceConsoleLogs",
            "AppServiceAppLogs",
            "AppServiceAuditLogs",
            "AppServiceIPSecAuditLogs",
            "AppServicePlatformLogs",
            "AppServiceAuthenticationLogs",
        ),
    ),
    ResourceType("Microsoft.OperationalInsights/workspaces", ("Audit", "SummaryLogs"), ("Audit",)),
    ResourceType(
        "Microsoft.ContainerRegistry/registries",
        ("ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents"),
        ("ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents"),
    ),
    ResourceType("Microsoft.Logic/workflows", ("WorkflowRuntime",)),
    ResourceType(
        "Microsoft.EventHub/namespaces",
        ("ArchiveLogs", "OperationalLogs", "AutoScaleLogs", "RuntimeAuditLogs", "ApplicationMetricsLogs"),
        ("RuntimeAuditLogs",),
    ),
    ResourceType(
        "Microsoft.Storage/storageAccounts/blobServices",
        ("StorageRead", "StorageWrite", "StorageDelete"),
        ("StorageRead", "StorageWrite", "StorageDelete"),
    ),
    ResourceType("Microsoft.Storage/storageAccounts", ()),
    ResourceType("Microsoft.Compute/virtualMachines", ()),
    ResourceType("Microsoft.Compute/disks"),
    ResourceType("Microsoft.Insights/dataCollectionRules"),
    ResourceType("Microsoft.ManagedIdentity/userAssignedIdentities"),
    ResourceType("Microsoft.Network/networkInterfaces", ()),
    ResourceType("Microsoft.Network/trafficManagerProfiles", ("ProbeHealthStatusEvents",), regional=False),
    ResourceType("Microsoft.Sql/servers"),
)

TYPES = {kind.name.lower(): kind for kind in _TYPES}
"""Every type by its name in lower case."""
