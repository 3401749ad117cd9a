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
class Additions:
    """What a customer may have added to a setting of ours: it is theirs, and survives a repair.

    Attributes:
        workspace_id: Log Analytics workspace that takes the logs as well; empty for none.
        tables: kind of tables there (`logAnalyticsDestinationType`).
        storage_account_id: storage account that takes them as well.
        service_bus_rule_id: rule of a Service Bus namespace that takes them as well.
        partner_id: solution of a partner that takes them as well.
        metrics: categories of metrics that are sent along.
    """

    workspace_id: str = ""
    tables: str = ""
    storage_account_id: str = ""
    service_bus_rule_id: str = ""
    partner_id: str = ""
    metrics: frozenset[str] = frozenset()


NOTHING_ADDED = Additions()


@dataclass(frozen=True, slots=True)
class DiagnosticSetting:
    """Where which categories of a subscription's or resource's logs go.

    Attributes:
        name: of the setting, unique on its subscription or resource.
        rule_id: ID of the namespace's authorization rule.
        hub: name of the event hub.
        categories: those that are enabled.
        additions: what the customer added to it.
    """

    name: str
    rule_id: str
    hub: str
    categories: frozenset[str]
    additions: Additions = NOTHING_ADDED
