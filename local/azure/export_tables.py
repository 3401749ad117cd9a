"""Tables of Log Analytics workspaces, as data: which there are, and which a data export really exports.

learn.microsoft.com/azure/azure-monitor/logs/logs-data-export (unsupported tables) and
learn.microsoft.com/azure/azure-monitor/reference/tables-index.
"""

ENTRA = frozenset(
    {
        "AADManagedIdentitySignInLogs",
        "AADNonInteractiveUserSignInLogs",
        "AADProvisioningLogs",
        "AADRiskyServicePrincipals",
        "AADRiskyUsers",
        "AADServicePrincipalRiskEvents",
        "AADServicePrincipalSignInLogs",
        "AADUserRiskEvents",
        "ADFSSignInLogs",
        "AuditLogs",
        "EnrichedOffice365AuditLogs",
        "MicrosoftGraphActivityLogs",
        "NetworkAccessTraffic",
        "SigninLogs",
    }
)
"""Tables that Microsoft Entra ID fills."""

EXPORTED = ENTRA | {
    "AKSAudit",
    "AKSAuditAdmin",
    "AZKVAuditLogs",
    "AppDependencies",
    "AppExceptions",
    "AppPerformanceCounters",
    "AppRequests",
    "AppTraces",
    "AzureActivity",
    "ContainerLogV2",
    "Event",
    "Heartbeat",
    "OfficeActivity",
    "Perf",
    "SecurityAlert",
    "SecurityEvent",
    "SecurityIncident",
    "StorageBlobLogs",
    "Syslog",
    "W3CIISLog",
    "WindowsEvent",
}
"""Tables whose rows leave the workspace."""

SILENT = frozenset({"AzureDiagnostics", "AzureMetrics", "Operation", "UpdateRunProgress", "Usage"})
"""Tables that a rule takes without complaint, and of which nothing ever comes."""

_KNOWN = frozenset(name.lower() for name in EXPORTED | SILENT)


def exists(table: str) -> bool:
    """Whether a workspace has the table; custom ones end in `_CL`."""
    return table.lower() in _KNOWN or table.endswith("_CL")
