"""Resources of one subscription, without the lag of Resource Graph; api-version 2025-04-01.

learn.microsoft.com/rest/api/resources/resources/list
"""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode

from shared.arm.connection import Arm
from shared.arm.errors import NotFoundError, UnavailableError
from shared.model.ids import normal_region
from shared.model.resource import ListedResource

_API_VERSION: Final = "2025-04-01"


async def list_resources(arm: Arm, subscription_id: str, types: Iterable[str]) -> list[ListedResource]:
    """Every resource of the given types in one subscription; complete, or it raises.

    Raises:
        ArmError: a page could not be had.
    """
    condition = " or ".join(f"resourceType eq '{name}'" for name in sorted(types))
    query = urlencode({"$filter": condition, "api-version": _API_VERSION})
    page = await arm.next_page(f"{arm.url}/subscriptions/{subscription_id}/resources?{query}")
    found = list(page.get("value") or [])
    while link := page.get("nextLink"):
        page = await arm.next_page(str(link))
        found += page.get("value") or []
    return [_to_model(item, subscription_id) for item in found]


async def get_resource(
    arm: Arm, resource_id: str, api_version: str, subscription_id: str
) -> ListedResource | None:
    """One resource, or None if there is none.

    Args:
        arm: the connection.
        resource_id: its ID.
        api_version: of its type.
        subscription_id: where it is.

    Raises:
        ArmError: Azure refused or did not answer.
    """
    try:
        item = await arm.call("GET", resource_id, api_version)
    except NotFoundError:
        return None
    return _to_model(item, subscription_id)


def _to_model(item: dict[str, Any], subscription_id: str) -> ListedResource:
    try:
        return ListedResource(
            id=str(item["id"]),
            type=str(item["type"]).lower(),
            region=normal_region(str(item.get("location") or "")),
            subscription_id=subscription_id,
        )
    except KeyError as error:
        raise UnavailableError(f"a listing that cannot be read: {error}") from error
