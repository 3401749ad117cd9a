"""Continuous export of Defender for Cloud alerts, api-version 2023-12-01-preview.

learn.microsoft.com/rest/api/defenderforcloud/automations
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.arm.connection import Arm
from shared.arm.errors import NotFoundError
from shared.model.exports import AlertExport

_API_VERSION: Final = "2023-12-01-preview"
_GROUPS_API_VERSION: Final = "2021-04-01"


async def get_group_region(arm: Arm, subscription_id: str, group: str) -> str:
    """Region of the resource group that holds the automation.

    Raises:
        NotFoundError: there is no such group.
        ArmError: Azure refused or did not answer.
    """
    path = f"/subscriptions/{subscription_id}/resourceGroups/{group}"
    found = await arm.call("GET", path, _GROUPS_API_VERSION)
    return str(found.get("location") or "")


async def get_automation(arm: Arm, automation_id: str) -> AlertExport | None:
    """The automation, or None if there is none. What it authenticates with is never shown.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    try:
        return automation_from_body(await arm.call("GET", automation_id, _API_VERSION))
    except NotFoundError:
        return None


async def put_automation(
    arm: Arm, automation_id: str, export: AlertExport, *, region: str, connection_string: str
) -> None:
    """Create the automation or replace it whole.

    Args:
        arm: the connection.
        automation_id: its ID.
        export: what it is to do.
        region: of its resource group.
        connection_string: with which Defender sends to the hub; write-only, so never read back.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    body = automation_body(export, region=region, connection_string=connection_string)
    await arm.call("PUT", automation_id, _API_VERSION, body)


async def delete_automation(arm: Arm, automation_id: str) -> None:
    """Delete the automation; one that is not there is deleted already.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    try:
        await arm.call("DELETE", automation_id, _API_VERSION)
    except NotFoundError:
        return


def automation_body(export: AlertExport, *, region: str, connection_string: str) -> dict[str, Any]:
    """REST body of an automation."""
    return {
        "location": region,
        "properties": {
            "description": "Sends Defender for Cloud alerts to the detection and response provider.",
            "isEnabled": export.enabled,
            "scopes": [{"description": "the subscription", "scopePath": export.scope}],
            "sources": [{"eventSource": source, "ruleSets": []} for source in sorted(export.sources)],
            "actions": [
                {
                    "actionType": "EventHub",
                    "eventHubResourceId": export.hub_id,
                    "connectionString": connection_string,
                }
            ],
        },
    }


def automation_from_body(body: Mapping[str, Any]) -> AlertExport:
    """What we own of an automation as Azure describes it.

    Rules that narrow a source to some alerts make it a source we did not ask for.
    """
    properties = body.get("properties") or {}
    hubs = [
        str(action.get("eventHubResourceId") or "")
        for action in properties.get("actions") or ()
        if str(action.get("actionType")).lower() == "eventhub"
    ]
    scopes = [str(scope.get("scopePath") or "") for scope in properties.get("scopes") or ()]
    return AlertExport(
        hub_id=hubs[0] if len(hubs) == 1 else "",
        scope=scopes[0] if len(scopes) == 1 else "",
        sources=frozenset(
            str(source.get("eventSource") or "") + ("*" if source.get("ruleSets") else "")
            for source in properties.get("sources") or ()
        ),
        enabled=properties.get("isEnabled") is True,
    )
