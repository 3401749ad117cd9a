"""Which roles Azure Lighthouse delegates."""

import pytest

from shared.model.role import Role, why_not_delegable
from tests.helpers.facts import a_guid, a_role

_OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


@pytest.mark.parametrize(
    ("role", "why"),
    [
        (a_role("Owner", id=_OWNER, actions=("*",)), "can give roles"),
        (
            a_role("User Access Administrator", actions=("*/read", "microsoft.authorization/*")),
            "can give roles",
        ),
        (a_role("Data Owner", data_actions=("Microsoft.EventHub/*",)), "data actions (Microsoft.EventHub/*)"),
        (a_role("Ours", built_in=False), "custom"),
    ],
    ids=lambda value: value.name if isinstance(value, Role) else None,
)
def test_a_role_that_may_not_be_delegated_is_told_why(role: Role, why: str) -> None:
    assert why in (why_not_delegable(role) or "")


@pytest.mark.parametrize(
    "role",
    [
        a_role("Reader"),
        a_role("Contributor", actions=("*",), not_actions=("Microsoft.Authorization/*/Write",)),
        a_role(
            "Security Admin", actions=("Microsoft.Authorization/policyAssignments/*", "Microsoft.Security/*")
        ),
    ],
    ids=lambda role: role.name,
)
def test_a_role_that_changes_nobodys_rights_may_be_delegated(role: Role) -> None:
    assert why_not_delegable(role) is None


def test_what_is_taken_away_is_not_allowed_and_case_does_not_matter() -> None:
    role = a_role("Some", id=a_guid(1), actions=("Microsoft.KeyVault/*",), not_actions=("*/delete",))
    assert role.allows("microsoft.keyvault/VAULTS/read")
    assert not role.allows("Microsoft.KeyVault/vaults/Delete")
    assert not role.allows("Microsoft.Storage/read")
