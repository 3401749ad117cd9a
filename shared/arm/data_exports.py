"""Data export rules of Log Analytics workspaces, api-version 2025-07-01.

learn.microsoft.com/azure/azure-monitor/logs/logs-data-export
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.arm.connection import Arm
from shared.arm.errors import ExportLimitError, NotFoundError, RefusedError
from shared.model.exports import ExportRule
from shared.model.ids import normal_region

MOST_ACTIVE: Final = 10
"""Active rules in a workspace."""

_API_VERSION: Final = "2025-07-01"


async def get_workspace_region(arm: Arm, workspace_id: str) -> str:
    """The workspace's region.

    Raises:
        NotFoundError: there is no such workspace, as far as we may see.
        ArmError: Azure refused or did not answer.
    """
    found = await arm.call("GET", workspace_id, _API_VERSION)
    return normal_region(str(found.get("location") or ""))


async def get_rule(arm: Arm, workspace_id: str, name: str) -> ExportRule | None:
    """The rule of that name, or None if there is none.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    try:
        return rule_from_body(await arm.call("GET", _path(workspace_id, name), _API_VERSION))
    except NotFoundError:
        return None


async def put_rule(arm: Arm, workspace_id: str, rule: ExportRule) -> None:
    """Create the rule or replace it whole; tables that cannot be exported are accepted in silence.

    Raises:
        ExportLimitError: as many other rules are active as Azure allows.
        ArmError: Azure refused or did not answer.
    """
    try:
        await arm.call("PUT", _path(workspace_id, rule.name), _API_VERSION, rule_body(rule))
    except RefusedError as error:
        # How Azure words this limit is not documented, so the rules are counted.
        if await _count_others(arm, workspace_id, rule.name) >= MOST_ACTIVE:
            raise ExportLimitError(str(error.args[0]), error.status, error.code) from error
        raise


async def _count_others(arm: Arm, workspace_id: str, name: str) -> int:
    """How many rules of other names are active."""
    page = await arm.call("GET", f"{workspace_id}/dataExports", _API_VERSION)
    found = list(page.get("value") or [])
    while link := page.get("nextLink"):
        page = await arm.next_page(str(link))
        found += page.get("value") or []
    rules = [rule_from_body(body) for body in found]
    return sum(rule.enabled and rule.name.lower() != name.lower() for rule in rules)


async def delete_rule(arm: Arm, workspace_id: str, name: str) -> None:
    """Delete the rule; one that is not there is deleted already.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    try:
        await arm.call("DELETE", _path(workspace_id, name), _API_VERSION)
    except NotFoundError:
        return


def rule_body(rule: ExportRule) -> dict[str, Any]:
    """REST body of a rule: the destination is the namespace, and the hub stands beside it."""
    return {
        "properties": {
            "destination": {
                "resourceId": rule.namespace_id,
                "metaData": {"eventHubName": rule.hub},
            },
            "tableNames": sorted(rule.tables),
            "enable": rule.enabled,
        }
    }


def rule_from_body(body: Mapping[str, Any]) -> ExportRule:
    """What we own of a rule as Azure describes it."""
    properties = body.get("properties") or {}
    destination = properties.get("destination") or {}
    return ExportRule(
        name=str(body.get("name") or ""),
        namespace_id=str(destination.get("resourceId") or ""),
        hub=str((destination.get("metaData") or {}).get("eventHubName") or ""),
        tables=frozenset(str(name) for name in properties.get("tableNames") or ()),
        enabled=properties.get("enable") is True,
    )


def _path(workspace_id: str, name: str) -> str:
    return f"{workspace_id}/dataExports/{name}"
