"""Role definitions, api-version 2022-04-01.

learn.microsoft.com/rest/api/authorization/role-definitions/get
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.arm.connection import Arm
from shared.model.role import Role

_API_VERSION: Final = "2022-04-01"


async def get_role(arm: Arm, scope: str, role_id: str) -> Role:
    """A role as it stands today.

    Args:
        arm: the connection.
        scope: where we may read role definitions; built-in ones are the same everywhere.
        role_id: GUID.

    Raises:
        NotFoundError: there is no such role.
        ArmError: Azure refused or did not answer.
    """
    path = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"
    return role_from_body(role_id, await arm.call("GET", path, _API_VERSION))


def role_from_body(role_id: str, body: Mapping[str, Any]) -> Role:
    """What Azure's description says; permissions may stand in several parts."""
    properties = body.get("properties") or {}
    permissions = properties.get("permissions") or ()

    def of(kind: str) -> tuple[str, ...]:
        return tuple(str(each) for permission in permissions for each in permission.get(kind) or ())

    return Role(
        id=role_id,
        name=str(properties.get("roleName") or role_id),
        built_in=str(properties.get("type") or "").lower() == "builtinrole",
        actions=of("actions"),
        not_actions=of("notActions"),
        data_actions=of("dataActions"),
    )
