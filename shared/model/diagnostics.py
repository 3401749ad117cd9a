"""Diagnostic settings: the part of them that we own."""

from dataclasses import dataclass

ACTIVITY_LOG_CATEGORIES = frozenset(
    {
        "Administrative",
        "Security",
        "ServiceHealth",
        "Alert",
        "Recommendation",
        "Policy",
        "Autoscale",
        "ResourceHealth",
    }
)
"""The categories of a subscription's activity log.

learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
"""


@dataclass(frozen=True, slots=True)
class DiagnosticSetting:
    """Where which categories of a subscription's or resource's logs go.

    Attributes:
        name: of the setting, unique on its subscription or resource.
        rule_id: ID of the namespace's authorization rule.
        hub: name of the event hub.
        categories: those that are enabled.
        other_sinks: whether logs go anywhere else as well (workspace, storage account, partner).
    """

    name: str
    rule_id: str
    hub: str
    categories: frozenset[str]
    other_sinks: bool = False
