"""Built-in roles as data, and whether they allow an action.

learn.microsoft.com/azure/role-based-access-control/built-in-roles (`general`, `privileged`, `analytics`,
`monitor`, `security` and `management-and-governance`).
"""

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """One built-in role.

    Attributes:
        name: as the portal shows it.
        guid: of the definition.
        description: as the portal shows it.
        actions: what it allows, `*` standing for anything.
        not_actions: what is taken away again.
        data_actions: what it allows with the data inside; Azure Lighthouse delegates no role that has any.
    """

    name: str
    guid: str
    description: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()


READER = RoleDefinition(
    "Reader",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "View all resources, but does not allow you to make any changes.",
    ("*/read",),
)
CONTRIBUTOR = RoleDefinition(
    "Contributor",
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC.",
    ("*",),
    (
        "Microsoft.Authorization/*/Delete",
        "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action",
        "Microsoft.Blueprint/blueprintAssignments/write",
        "Microsoft.Blueprint/blueprintAssignments/delete",
        "Microsoft.Compute/galleries/share/action",
        "Microsoft.Purview/consents/write",
        "Microsoft.Purview/consents/delete",
    ),
)
OWNER = RoleDefinition(
    "Owner",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
    ("*",),
)
USER_ACCESS_ADMINISTRATOR = RoleDefinition(
    "User Access Administrator",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "Lets you manage user access to Azure resources.",
    ("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
)
LOG_ANALYTICS_CONTRIBUTOR = RoleDefinition(
    "Log Analytics Contributor",
    "92aaf0da-9dab-42b6-94a3-d43ce8d16293",
    "Can read all monitoring data and edit monitoring settings.",
    (
        "*/read",
        "Microsoft.ClassicCompute/virtualMachines/extensions/*",
        "Microsoft.ClassicStorage/storageAccounts/listKeys/action",
        "Microsoft.Compute/virtualMachines/extensions/*",
        "Microsoft.HybridCompute/machines/extensions/write",
        "Microsoft.Insights/alertRules/*",
        "Microsoft.Insights/diagnosticSettings/*",
        "Microsoft.OperationalInsights/*",
        "Microsoft.OperationsManagement/*",
        "Microsoft.Resources/deployments/*",
        "Microsoft.Resources/subscriptions/resourcegroups/deployments/*",
        "Microsoft.Storage/storageAccounts/listKeys/action",
        "Microsoft.Support/*",
    ),
)
LOG_ANALYTICS_READER = RoleDefinition(
    "Log Analytics Reader",
    "73c42c96-874c-492b-b04d-ab87d138a893",
    "Can view and search all monitoring data and view monitoring settings.",
    (
        "*/read",
        "Microsoft.OperationalInsights/workspaces/analytics/query/action",
        "Microsoft.OperationalInsights/workspaces/search/action",
        "Microsoft.Support/*",
    ),
    ("Microsoft.OperationalInsights/workspaces/sharedKeys/read",),
)
MONITORING_CONTRIBUTOR = RoleDefinition(
    "Monitoring Contributor",
    "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
    "Can read all monitoring data and update monitoring settings.",
    (
        "*/read",
        "Microsoft.AlertsManagement/actionRules/*",
        "Microsoft.AlertsManagement/alerts/*",
        "Microsoft.AlertsManagement/alertsSummary/*",
        "Microsoft.AlertsManagement/investigations/*",
        "Microsoft.AlertsManagement/migrateFromSmartDetection/*",
        "Microsoft.AlertsManagement/smartDetectorAlertRules/*",
        "Microsoft.AlertsManagement/smartGroups/*",
        "Microsoft.Insights/actiongroups/*",
        "Microsoft.Insights/activityLogAlerts/*",
        "Microsoft.Insights/AlertRules/*",
        "Microsoft.Insights/components/*",
        "Microsoft.Insights/createNotifications/*",
        "Microsoft.Insights/dataCollectionEndpoints/*",
        "Microsoft.Insights/dataCollectionRules/*",
        "Microsoft.Insights/dataCollectionRuleAssociations/*",
        "Microsoft.Insights/DiagnosticSettings/*",
        "Microsoft.Insights/eventtypes/*",
        "Microsoft.Insights/LogDefinitions/*",
        "Microsoft.Insights/metricalerts/*",
        "Microsoft.Insights/MetricDefinitions/*",
        "Microsoft.Insights/Metrics/*",
        "Microsoft.Insights/notificationStatus/*",
        "Microsoft.Insights/Register/Action",
        "Microsoft.Insights/scheduledqueryrules/*",
        "Microsoft.Insights/webtests/*",
        "Microsoft.Insights/workbooks/*",
        "Microsoft.Insights/workbooktemplates/*",
        "Microsoft.Insights/privateLinkScopes/*",
        "Microsoft.Insights/privateLinkScopeOperationStatuses/*",
        "Microsoft.Monitor/investigations/*",
        "Microsoft.OperationalInsights/workspaces/write",
        "Microsoft.OperationalInsights/workspaces/intelligencepacks/*",
        "Microsoft.OperationalInsights/workspaces/savedSearches/*",
        "Microsoft.OperationalInsights/workspaces/search/action",
        "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
        "Microsoft.OperationalInsights/workspaces/storageinsightconfigs/*",
        "Microsoft.Support/*",
    ),
)
MONITORING_READER = RoleDefinition(
    "Monitoring Reader",
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
    "Can read all monitoring data.",
    ("*/read", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*"),
)
SECURITY_ADMIN = RoleDefinition(
    "Security Admin",
    "fb1c8493-542b-48eb-b624-b4c8fea62acd",
    "Security Admin Role",
    (
        "Microsoft.Authorization/*/read",
        "Microsoft.Authorization/policyAssignments/*",
        "Microsoft.Authorization/policyDefinitions/*",
        "Microsoft.Authorization/policyExemptions/*",
        "Microsoft.Authorization/policySetDefinitions/*",
        "Microsoft.Insights/alertRules/*",
        "Microsoft.Management/managementGroups/read",
        "Microsoft.operationalInsights/workspaces/*/read",
        "Microsoft.Resources/deployments/*",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "Microsoft.Security/*",
        "Microsoft.IoTSecurity/*",
        "Microsoft.IoTFirmwareDefense/*",
        "Microsoft.Support/*",
    ),
)
SECURITY_READER = RoleDefinition(
    "Security Reader",
    "39bc4728-0917-49c7-9d2c-d95423bc2eb4",
    "Security Reader Role",
    (
        "Microsoft.Authorization/*/read",
        "Microsoft.Insights/alertRules/read",
        "Microsoft.operationalInsights/workspaces/*/read",
        "Microsoft.Resources/deployments/*/read",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "Microsoft.Security/*/read",
        "Microsoft.IoTSecurity/*/read",
        "Microsoft.Support/*/read",
        "Microsoft.Security/iotDefenderSettings/packageDownloads/action",
        "Microsoft.Security/iotDefenderSettings/downloadManagerActivation/action",
        "Microsoft.Security/iotSensors/downloadResetPassword/action",
        "Microsoft.IoTSecurity/defenderSettings/packageDownloads/action",
        "Microsoft.IoTSecurity/defenderSettings/downloadManagerActivation/action",
        "Microsoft.Management/managementGroups/read",
    ),
)
ASSIGNMENT_DELETE = RoleDefinition(
    "Managed Services Registration assignment Delete Role",
    "91c1777a-f3dc-4fae-b103-61d183457e46",
    "Allows the managing tenant users to delete the registration assignment assigned to their tenant.",
    (
        "Microsoft.ManagedServices/registrationAssignments/read",
        "Microsoft.ManagedServices/registrationAssignments/delete",
        "Microsoft.ManagedServices/operationStatuses/read",
    ),
)
EVENT_HUBS_DATA_OWNER = RoleDefinition(
    "Azure Event Hubs Data Owner",
    "f526a384-b230-433a-b45c-95f59c4a2dec",
    "Allows for full access to Azure Event Hubs resources.",
    ("Microsoft.EventHub/*",),
    data_actions=("Microsoft.EventHub/*",),
)
EVENT_HUBS_DATA_SENDER = RoleDefinition(
    "Azure Event Hubs Data Sender",
    "2b629674-e913-4c01-ae53-ef4638d8f975",
    "Allows send access to Azure Event Hubs resources.",
    ("Microsoft.EventHub/*/eventhubs/read",),
    data_actions=("Microsoft.EventHub/*/send/action",),
)

ROLES = {
    role.name: role
    for role in (
        READER,
        CONTRIBUTOR,
        OWNER,
        USER_ACCESS_ADMINISTRATOR,
        LOG_ANALYTICS_CONTRIBUTOR,
        LOG_ANALYTICS_READER,
        MONITORING_CONTRIBUTOR,
        MONITORING_READER,
        SECURITY_ADMIN,
        SECURITY_READER,
        ASSIGNMENT_DELETE,
        EVENT_HUBS_DATA_OWNER,
        EVENT_HUBS_DATA_SENDER,
    )
}
"""Every role by its name."""

BY_GUID = {role.guid: role for role in ROLES.values()}


@cache
def allows(role: str, action: str) -> bool:
    """Whether the named role allows the action; case does not matter.

    Raises:
        KeyError: there is no such role here.
    """
    definition = ROLES[role]
    return _matches(definition.actions, action) and not _matches(definition.not_actions, action)


def _matches(patterns: tuple[str, ...], action: str) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE) for pattern in patterns
    )
