"""The control surface over HTTP: what a demo or test says to the simulated Azure from outside.

Every operation is `POST /_control/{name}` with a JSON object, or `GET /_control/{counts,state}`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any

from local.azure.app import SimulatedAzure
from local.azure.control_state import state
from local.azure.estate import REGIONS, add_customer
from local.azure.event_grid import HandshakeError
from local.azure.faults import Fault, FaultKind
from local.azure.hands import Hands
from local.azure.http import Json, Request, Response
from local.azure.plays import play
from local.azure.roles import ROLES
from local.azure.story import Written

PREFIX = "/_control/"

type _Operation = Callable[[SimulatedAzure, Json], Awaitable[Json]]


async def handle(azure: SimulatedAzure, request: Request) -> Response:
    """Answer a control request: 404 unknown operation, 400 what it cannot do and why."""
    operation = _OPERATIONS.get(request.path.removeprefix(PREFIX))
    if operation is None:
        return Response.of({"error": f"unknown control operation {request.path}"}, 404)
    try:
        return Response.of(await operation(azure, request.json()))
    except (KeyError, TypeError, ValueError, HandshakeError) as error:
        return Response.of({"error": f"{type(error).__name__}: {error}"}, 400)


async def _counts(azure: SimulatedAzure, _: Json) -> Json:
    counts = azure.counts
    return {
        "byKind": dict(counts.by_kind),
        "byStatus": {f"{status} {kind}": n for (kind, status), n in counts.by_status.items()},
        "bySubscription": dict(counts.by_subscription),
    }


async def _state(azure: SimulatedAzure, _: Json) -> Json:
    return state(azure)


async def _add_customer(azure: SimulatedAzure, body: Json) -> Json:
    names = {"tenantId": "tenant_id", "notDelegated": "not_delegated"}
    arguments: dict[str, Any] = {names.get(name, name): value for name, value in body.items()}
    arguments.setdefault("regions", REGIONS)
    return asdict(add_customer(azure.world, **arguments))


async def _subscribe(azure: SimulatedAzure, body: Json) -> Json:
    await azure.event_grid.subscribe(body["url"])
    return {"webhooks": azure.event_grid.webhooks}


async def _play(azure: SimulatedAzure, body: Json) -> Json:
    written = await play(
        azure, body["scenario"], body["subscriptionId"], count=body.get("count", 1), seed=body.get("seed")
    )
    return {"written": [_describe(one, whole=body.get("withEntries", False)) for one in written]}


def _describe(written: Written, *, whole: bool) -> Json:
    return {
        "scenario": written.scenario,
        "subscriptionId": written.subscription_id,
        "entries": len(written.entries),
        "operations": [asdict(operation) for operation in written.operations],
        "passedThrough": written.passed_through,
        "delivered": written.delivered,
        "rawBodies": written.raw_bodies,
        "emptyFiles": written.empty_files,
        "duplicates": written.duplicates,
        **({"entryList": list(written.entries)} if whole else {}),
    }


async def _fault_on(azure: SimulatedAzure, body: Json) -> Json:
    name = str(body.pop("name", body["kind"]))
    azure.faults.switch_on(name, Fault(FaultKind(body.pop("kind")), **body))
    return azure.faults.state()


async def _fault_off(azure: SimulatedAzure, body: Json) -> Json:
    azure.faults.switch_off(body.get("name", ""))
    return azure.faults.state()


async def _flush(azure: SimulatedAzure, _: Json) -> Json:
    return {"files": [asdict(file) for file in await azure.capture.close_windows(force=True)]}


async def _delegate(azure: SimulatedAzure, body: Json) -> Json:
    """Delegate a subscription, or one of its resource groups, to the provider; or withdraw it."""
    hands = Hands(azure)
    hands.withdraw(body["subscriptionId"])
    if body.get("delegated", True):
        hands.delegate(body["subscriptionId"], group=body.get("group"), roles=body.get("roles"))
    return {}


async def _do(azure: SimulatedAzure, body: Json) -> Json:
    """A change by people: the name of a method of `Hands` and its arguments."""
    change = str(body["change"])
    if change.startswith("_") or change == "act" or not hasattr(Hands, change):
        raise KeyError(change)
    return {"result": getattr(Hands(azure), change)(**body["arguments"])}


async def _set_roles(azure: SimulatedAzure, body: Json) -> Json:
    """Replace the roles that the app's identity has by delegation; no roles leave it delegated but blind."""
    grants = frozenset((azure.world.app.object_id, ROLES[role].name) for role in body["roles"])
    subscription = azure.world.subscriptions[body["subscriptionId"].lower()]
    changed = tuple(
        replace(delegation, grants=grants)
        if delegation.tenant_id == azure.world.provider_tenant
        else delegation
        for delegation in subscription.delegations
    )
    azure.world.change_subscription(body["subscriptionId"], delegations=changed)
    return {}


async def _take_name(azure: SimulatedAzure, body: Json) -> Json:
    """Let a stranger hold a namespace name."""
    azure.world.taken_names.add(body["name"].lower())
    return {}


async def _set_state(azure: SimulatedAzure, body: Json) -> Json:
    azure.world.change_subscription(body["subscriptionId"], state=body["state"])
    return {}


async def _set_graph_lag(azure: SimulatedAzure, body: Json) -> Json:
    azure.world.graph_lag_seconds = float(body["seconds"])
    return {}


async def _move_clock(azure: SimulatedAzure, body: Json) -> Json:
    azure.world.clock.move(float(body["seconds"]))
    return {"now": azure.world.clock.now().isoformat()}


_OPERATIONS: dict[str, _Operation] = {
    "counts": _counts,
    "state": _state,
    "add-customer": _add_customer,
    "subscribe": _subscribe,
    "play": _play,
    "fault-on": _fault_on,
    "fault-off": _fault_off,
    "flush": _flush,
    "delegate": _delegate,
    "set-roles": _set_roles,
    "take-name": _take_name,
    "set-state": _set_state,
    "set-graph-lag": _set_graph_lag,
    "do": _do,
    "move-clock": _move_clock,
}
