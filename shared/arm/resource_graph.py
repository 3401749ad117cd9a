"""Azure Resource Graph: many subscriptions in one query, api-version 2024-04-01.

learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data and
.../guidance-for-throttled-requests
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from shared.arm.connection import Arm
from shared.arm.errors import UnavailableError
from shared.model.ids import normal_guid, normal_region
from shared.model.resource import ListedResource

MOST_SUBSCRIPTIONS: Final = 300
"""Subscriptions in one query: the service takes 1,000 and advises fewer than 300."""

_API_VERSION: Final = "2024-04-01"
_PATH: Final = "/providers/Microsoft.ResourceGraph/resources"
_ROWS: Final = 1000


async def query_resources(
    arm: Arm, subscriptions: Sequence[str], types: Iterable[str]
) -> list[ListedResource]:
    """Every resource of the given types in the given subscriptions; complete, or it raises.

    Resource Graph lags behind, so a resource that is minutes old may be missing.

    Args:
        arm: the connection.
        subscriptions: at most `MOST_SUBSCRIPTIONS` subscription IDs.
        types: resource types.

    Raises:
        ArmError: a page could not be had, or rows are missing.
    """
    body: dict[str, Any] = {"subscriptions": list(subscriptions), "query": _query(types)}
    token: str | None = None
    rows: list[dict[str, Any]] = []
    while True:
        options: dict[str, Any] = {"$top": _ROWS, "resultFormat": "objectArray"}
        if token is not None:
            options["$skipToken"] = token
        page = await arm.call("POST", _PATH, _API_VERSION, {**body, "options": options})
        rows += page.get("data") or []
        token = page.get("$skipToken")
        if token is None:
            break
    _check_complete(page, rows)
    return [_to_model(row) for row in rows]


def _query(types: Iterable[str]) -> str:
    # Without `id` among the columns the service gives no token for the next page.
    names = ", ".join(f"'{name.lower()}'" for name in sorted(types))
    return (
        f"resources | where type in~ ({names}) | project id, type, location, subscriptionId | order by id asc"
    )


def _check_complete(last_page: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    total = last_page.get("totalRecords")
    if str(last_page.get("resultTruncated")).lower() == "true" or total != len(rows):
        raise UnavailableError(f"Resource Graph gave {len(rows)} of {total} rows")


def _to_model(row: dict[str, Any]) -> ListedResource:
    try:
        return ListedResource(
            id=str(row["id"]),
            type=str(row["type"]).lower(),
            region=normal_region(str(row.get("location") or "")),
            subscription_id=normal_guid(str(row["subscriptionId"])),
        )
    except (KeyError, ValueError) as error:
        raise UnavailableError(f"a listing that cannot be read: {error}") from error
