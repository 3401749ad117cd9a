"""Role definitions as data, and whether they allow an action.

Actions from learn.microsoft.com/azure/role-based-access-control/built-in-roles.
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
        actions: what it allows, `*` standing for anything.
        not_actions: what is taken away again.
    """

    name: str
    guid: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()


READER = RoleDefinition("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7", ("*/read",))
LOG_ANALYTICS_CONTRIBUTOR = RoleDefinition(
    "Log Analytics Contributor",
    "92aaf0da-9dab-42b6-94a3-d43ce8d16293",
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
CONTRIBUTOR = RoleDefinition(
    "Contributor",
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    ("*",),
    (
        "Microsoft.Authorization/*/Delete",
        "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action",
    ),
)
OWNER = RoleDefinition("Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", ("*",))

ROLES = {role.name: role for role in (READER, LOG_ANALYTICS_CONTRIBUTOR, CONTRIBUTOR, OWNER)}


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
