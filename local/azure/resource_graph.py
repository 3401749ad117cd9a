"""Azure Resource Graph: one query over many subscriptions.

learn.microsoft.com/azure/governance/resource-graph (`concepts/work-with-data`, `guidance-for-throttled-
requests`, `query-language`); error bodies from public bug reports. It shows changes late, pages only where
`id` is projected, and counts queries by principal.
"""

import base64
import itertools
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from local.azure.access import reader, visible
from local.azure.conditions import NotUnderstoodError
from local.azure.http import Json, Refusal, Response
from local.azure.kql import COLUMNS, Query, read_query
from local.azure.routes import Call, Route
from local.azure.world import Resource, Subscription, World

_VERSIONS = ("2019-04-01", "2021-03-01", "2022-10-01", "2024-04-01")
MOST_SUBSCRIPTIONS = 1000
"""Subscriptions that one query may name."""
MOST_ACCESSIBLE = 10_000
"""Subscriptions that a query without names looks at."""
MOST_ROWS = 1000
_ROWS = 100
QUERIES = 15
"""Queries that a principal has in each window."""
WINDOW_SECONDS = 5.0


def _use_up(world: World, principal: str) -> tuple[bool, dict[str, str]]:
    """Use up one query: whether there was one left, and the headers that say what is."""
    now = world.clock.seconds()
    begun, used = world.graph_windows.get(principal, (now, 0))
    if now - begun >= WINDOW_SECONDS:
        begun, used = now, 0
    allowed = used < QUERIES
    world.graph_windows[principal] = (begun, used + allowed)
    left = math.ceil(max(0.0, begun + WINDOW_SECONDS - now))
    return allowed, {
        "x-ms-user-quota-remaining": str(QUERIES - used - allowed),
        "x-ms-user-quota-resets-after": f"00:00:{left:02d}",
    }


def _query(call: Call) -> Response:
    allowed, headers = _use_up(call.world, call.principal.object_id)
    if not allowed:
        raise _refusal(
            call,
            429,
            "RateLimiting",
            "RateLimiting",
            "Client application has been throttled and should not attempt to repeat the request until an "
            "amount of time has elapsed. Please see https://aka.ms/resourcegraph-throttling for help.",
            headers=headers,
        )
    kind = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(500, "InternalServerError", "An unexpected error occurred.", headers=headers)
    body = call.request.json()
    options = body.get("options") or {}
    query = _understood(call, str(body.get("query") or ""))
    subscriptions, cut = _subscriptions(call, body)
    if cut:
        headers["x-ms-tenant-subscription-limit-hit"] = "true"
    rows = query.run(_rows(call, subscriptions))
    return _page(call, query, rows, options).with_headers(headers)


def _understood(call: Call, text: str) -> Query:
    try:
        return read_query(text)
    except NotUnderstoodError as error:
        at = text.find(error.token) if error.token else len(text)
        more = {
            "code": "ParserFailure",
            "message": "ParserFailure",
            "line": text.count("\n", 0, max(at, 0)) + 1,
            "characterPositionInLine": at,
            "token": error.token or "<EOF>",
        }
        raise _refusal(
            call,
            400,
            "BadRequest",
            "InvalidQuery",
            "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and "
            "fix the error before retrying.",
            more,
        ) from error


def _subscriptions(call: Call, body: Json) -> tuple[list[Subscription], bool]:
    """Those that the query looks at, and whether there would have been more.

    Raises:
        Refusal: too many are named, or none of them can be seen.
    """
    named = body.get("subscriptions")
    world = call.world
    if named is None:
        seen = (s for s in world.subscriptions.values() if _seen(call, s))
        found = list(itertools.islice(seen, MOST_ACCESSIBLE + 1))
        return found[:MOST_ACCESSIBLE], len(found) > MOST_ACCESSIBLE
    if len(named) > MOST_SUBSCRIPTIONS:
        # That there is such a limit is documented, its words are not.
        raise _refusal(
            call,
            400,
            "BadRequest",
            "TooManySubscriptions",
            f"A query may name at most {MOST_SUBSCRIPTIONS} subscriptions.",
        )
    known = (world.subscriptions.get(str(each).lower()) for each in named)
    found = [subscription for subscription in known if subscription and _seen(call, subscription)]
    if not found:
        raise _refusal(
            call,
            400,
            "BadRequest",
            "NoValidSubscriptionsInQueryRequest",
            "There must be at least one subscription that is eligible to contain resources. Given: "
            f"'{','.join(str(each) for each in named)}'.",
        )
    return found, False


def _seen(call: Call, subscription: Subscription) -> bool:
    """Whether the caller sees the subscription; a new delegation shows as late as anything else."""
    since = call.world.delegated_since.get(subscription.subscription_id.lower())
    lag = call.world.graph_lag_seconds
    if since is not None and since + lag > call.world.clock.seconds():
        return False
    return visible(call.world, call.principal, subscription)


def _rows(call: Call, subscriptions: Iterable[Subscription]) -> Iterator[dict[str, Any]]:
    past = call.world.unseen(call.world.graph_lag_seconds, stale=call.stale)
    for subscription in subscriptions:
        may_read = reader(call.world, call.principal, subscription)
        for resource in call.world.listed(subscription.subscription_id, past):
            if may_read(resource.resource_type, resource.group):
                yield _row(subscription, resource)


def _row(subscription: Subscription, resource: Resource) -> dict[str, Any]:
    body = resource.body
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {
        "id": resource.resource_id,
        "name": resource.name,
        "type": resource.resource_type.lower(),
        "tenantId": subscription.tenant_id,
        "kind": body.get("kind", ""),
        "location": resource.location,
        "resourceGroup": resource.group.lower(),
        "subscriptionId": subscription.subscription_id,
        "managedBy": body.get("managedBy", ""),
        "sku": body.get("sku"),
        "properties": body.get("properties") or {},
        "tags": body.get("tags"),
    }
    return row


def _page(call: Call, query: Query, rows: list[dict[str, Any]], options: Json) -> Response:
    top = options.get("$top", _ROWS)
    if not isinstance(top, int) or not 1 <= top <= MOST_ROWS:
        raise _refusal(
            call,
            400,
            "BadRequest",
            "InvalidTop",
            f"The value '{top}' of $top is not between 1 and {MOST_ROWS}.",
        )
    first = _offset(call, options)
    shown = rows[first : first + min(top, call.world.page_size)]
    more = first + len(shown) < len(rows)
    pages = "id" in query.columns
    answer: Json = {
        "totalRecords": len(rows),
        "count": len(shown),
        "data": _shaped(query, shown, str(options.get("resultFormat", "objectArray"))),
        "facets": [],
        "resultTruncated": "true" if more and not pages else "false",
    }
    if more and pages:
        token = json.dumps({"$id": "1", "skip": first + len(shown)})
        answer["$skipToken"] = base64.b64encode(token.encode()).decode()
    return Response.of(answer)


def _offset(call: Call, options: Json) -> int:
    token = options.get("$skipToken")
    if not token:
        return int(options.get("$skip", 0))
    try:
        return int(json.loads(base64.b64decode(str(token)))["skip"])
    except (ValueError, KeyError, TypeError) as error:
        raise _refusal(
            call, 400, "BadRequest", "InvalidSkipToken", "The provided skip token is not valid."
        ) from error


def _shaped(query: Query, rows: list[dict[str, Any]], form: str) -> list[dict[str, Any]] | Json:
    if form.lower() != "table":
        return rows
    kinds = {
        "tags": "object",
        "properties": "object",
        "sku": "object",
        "plan": "object",
        "identity": "object",
    }
    return {
        "columns": [{"name": name, "type": kinds.get(name, "string")} for name in query.columns],
        "rows": [[row[name] for name in query.columns] for row in rows],
    }


def _refusal(
    call: Call,
    status: int,
    code: str,
    detail: str,
    message: str,
    *more: Json,
    headers: dict[str, str] | None = None,
) -> Refusal:
    """A refusal in the shape of Resource Graph: the reason stands in `details`."""
    now = call.world.clock.now()
    about = (
        f"Please provide below info when asking for support: timestamp = {now:%Y-%m-%dT%H:%M:%S.%f}0Z, "
        f"correlationId = {call.world.guid()}."
    )
    details = [{"code": detail, "message": message}, *more]
    return Refusal(status, code, about, headers=headers, details=details)


ROUTES = (
    Route(
        "POST",
        "/providers/Microsoft.ResourceGraph/resources",
        _VERSIONS,
        "",
        _query,
        own_quota=True,
    ),
)
