"""Azure roles: what they allow, and whether Azure Lighthouse delegates them."""

import re
from dataclasses import dataclass
from typing import Final

_OWNER: Final = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_ASSIGN_ROLES: Final = "Microsoft.Authorization/roleAssignments/write"


@dataclass(frozen=True, slots=True)
class Role:
    """A role definition as it stands today: Azure changes built-in ones from time to time.

    Attributes:
        id: GUID.
        name: as the portal shows it.
        built_in: whether it is Azure's own.
        actions: what it allows, `*` standing for anything.
        not_actions: what is taken away again.
        data_actions: what it allows with the data inside resources.
    """

    id: str
    name: str
    built_in: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    data_actions: tuple[str, ...]

    def allows(self, action: str) -> bool:
        """Whether it allows an action on the management plane; case does not matter."""
        return _matches(self.actions, action) and not _matches(self.not_actions, action)


def why_not_delegable(role: Role) -> str | None:
    """Why Azure Lighthouse would refuse to delegate the role, or we would; None if nobody would.

    learn.microsoft.com/azure/lighthouse/concepts/tenants-users-roles (role support)
    """
    if not role.built_in:
        return "it is a custom role"
    if role.data_actions:
        return f"it has data actions ({', '.join(role.data_actions)})"
    if role.id == _OWNER or role.allows(_ASSIGN_ROLES):
        return "it can give roles to others"
    return None


def _matches(patterns: tuple[str, ...], action: str) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE) for pattern in patterns
    )
