"""Export rules of Log Analytics workspaces, and Defender for Cloud automations: the part that we own."""

from dataclasses import dataclass

ENTRA_TABLES = frozenset(
    {
        "AuditLogs",
        "SigninLogs",
        "AADNonInteractiveUserSignInLogs",
        "AADServicePrincipalSignInLogs",
        "AADManagedIdentitySignInLogs",
        "AADServicePrincipalRiskEvents",
        "AADUserRiskEvents",
        "ADFSSignInLogs",
    }
)
"""Tables of Entra ID in Log Analytics.

learn.microsoft.com/azure/azure-monitor/reference/tables-category (Microsoft Entra)
"""


@dataclass(frozen=True, slots=True)
class ExportRule:
    """One data export rule of a workspace.

    Attributes:
        name: of the rule.
        namespace_id: ID of the Event Hubs namespace it exports to; empty if it exports elsewhere.
        hub: name of the event hub; empty if each table has a hub of its own.
        tables: what it exports.
        enabled: whether it is active.
    """

    name: str
    namespace_id: str
    hub: str
    tables: frozenset[str]
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class AlertExport:
    """One continuous export of Defender for Cloud alerts.

    Attributes:
        hub_id: ID of the event hub; empty if it exports elsewhere.
        scope: `/subscriptions/{id}` whose alerts it exports.
        sources: kinds of events it exports.
        enabled: whether it is active.
    """

    hub_id: str
    scope: str
    sources: frozenset[str] = frozenset({"Alerts"})
    enabled: bool = True
