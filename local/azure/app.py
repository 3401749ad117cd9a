"""The simulated Azure as a callable: one request in, one answer out, no sockets.

    azure = SimulatedAzure(world)
    response = azure.handle(Request("GET", "http://azure/subscriptions?api-version=2022-12-01", headers))

A further API is one more module with a `ROUTES` tuple in `_ROUTES`. What no route knows is refused
with 501 and never answered with an empty success.
"""

import json
import uuid
from collections import Counter
from dataclasses import dataclass, replace
from urllib.parse import quote

from local.azure import (
    authorization_rules,
    automations,
    consumer_groups,
    data_exports,
    diagnostic_settings,
    event_hubs,
    managed_services,
    namespaces,
    network_rules,
    providers,
    resource_graph,
    resource_groups,
    resources,
    role_definitions,
    subscriptions,
    tenants,
    workspaces,
)
from local.azure.access import authorize, check_writable
from local.azure.activity import ActivityLog
from local.azure.capture import Capture
from local.azure.event_grid import EventGrid
from local.azure.faults import CALL_FAULTS, Fault, FaultKind, Faults
from local.azure.http import Json, Refusal, Request, Response
from local.azure.identity import PATH as TOKEN_PATH
from local.azure.identity import Identity
from local.azure.routes import Call, Route, Router, check_version
from local.azure.scopes import subscription_of
from local.azure.stream import EventStream
from local.azure.throttle import Throttle
from local.azure.world import Principal, World

_ROUTES = (
    *subscriptions.ROUTES,
    *tenants.ROUTES,
    *diagnostic_settings.ROUTES,
    *namespaces.ROUTES,
    *event_hubs.ROUTES,
    *authorization_rules.ROUTES,
    *consumer_groups.ROUTES,
    *network_rules.ROUTES,
    *data_exports.ROUTES,
    *workspaces.ROUTES,
    *automations.ROUTES,
    *managed_services.ROUTES,
    *role_definitions.ROUTES,
    *resource_graph.ROUTES,
    *providers.ROUTES,
    *resource_groups.ROUTES,
    *resources.ROUTES,
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Calls so far: by kind, by kind and status, and by subscription."""

    by_kind: Counter[str]
    by_status: Counter[tuple[str, int]]
    by_subscription: Counter[str]


class SimulatedAzure:
    """Resource Manager and the identity endpoint over one world.

    Args:
        world: all state; tests may look at it and change it.
        throttle: token buckets; None takes the documented ones.
    """

    def __init__(self, world: World, throttle: Throttle | None = None) -> None:
        self.world = world
        self.throttle = throttle or Throttle(world.clock)
        self.faults = Faults()
        self.identity = Identity(world)
        self.stream = EventStream(world)
        self.activity = ActivityLog(world, self.stream)
        self.event_grid = EventGrid(world, self.faults)
        self.capture = Capture(world, self.stream, self.event_grid)
        self.counts = Counts(Counter(), Counter(), Counter())
        self._router = Router(_ROUTES)
        self._past: dict[str, Response] = {}

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.path.lower() == TOKEN_PATH:
            self.counts.by_kind[f"GET {TOKEN_PATH}"] += 1
            return self.identity.token(request)
        found = self._router.find(request.method, request.path)
        if found is None:
            self.counts.by_kind["unknown"] += 1
            return _unknown(request)
        route, path = found
        subscription = subscription_of(request.path)
        self.counts.by_kind[route.kind] += 1
        self.counts.by_subscription[subscription] += 1
        response = self._answer(request, route, path, subscription)
        self.counts.by_status[route.kind, response.status] += 1
        request_id = str(uuid.uuid4())
        return response.with_headers(
            {"x-ms-request-id": request_id, "x-ms-correlation-request-id": request_id}
        )

    def _answer(self, request: Request, route: Route, path: dict[str, str], subscription: str) -> Response:
        faults = self.faults.take(request.method, request.path, subscription, CALL_FAULTS)
        if broken := _broken(faults):
            return broken
        headers: dict[str, str] = {}
        before = self.activity.destinations(subscription) if route.is_write and subscription else frozenset()
        principal: Principal | None = None
        try:
            principal = self.identity.principal(request)
            if not route.own_quota:
                headers = self.throttle.take(subscription, principal.object_id, request.method)
            check_version(route, request)
            _check_subscription(request.path)
            response = self._perform(
                Call(self.world, request, path, principal, FaultKind.STALE_READ in faults), route, faults
            )
        except Refusal as refusal:
            response = refusal.response
        if principal and route.is_write and response.status != _TOO_MANY:
            self.activity.record_call(principal, route.action_on(request.path), request, response, before)
        return replace(response.with_headers(headers), lost=FaultKind.DROP_AFTER in faults)

    def act(self, principal: Principal, method: str, path: str, body: Json | None = None) -> Response:
        """A call by somebody else: the same rules and traces, but no faults, no throttling, not counted.

        Raises:
            LookupError: there is no such call.
        """
        content = json.dumps(body).encode() if body is not None else b""
        headers = {"content-type": "application/json"}
        request = Request(method, f"https://management.azure.com{quote(path)}", headers, content)
        found = self._router.find(method, request.path)
        if found is None:
            raise LookupError(f"{method} {path}")
        route, named = found
        if route.versions:
            request = replace(request, url=f"{request.url}?api-version={route.versions[-1]}")
        before = self.activity.destinations(subscription_of(path)) if route.is_write else frozenset()
        try:
            response = self._perform(Call(self.world, request, named, principal), route, {})
        except Refusal as refusal:
            response = refusal.response
        if route.is_write:
            self.activity.record_call(principal, route.action_on(request.path), request, response, before)
        return response

    def _perform(self, call: Call, route: Route, faults: dict[FaultKind, Fault]) -> Response:
        where = call.request.path
        subscription = subscription_of(where)
        if route.action:
            authorize(self.world, call.principal, route.action_on(where), route.scope(where))
        if route.is_write and not call.principal.unlimited:
            check_writable(self.world, subscription)
        group = call.path.get("group", "").lower()
        if group and (subscription, group) not in self.world.groups:
            raise Refusal(
                404, "ResourceGroupNotFound", f"Resource group '{call.path['group']}' could not be found."
            )
        where = where.lower()
        if not route.is_write:
            if FaultKind.STALE_READ in faults and where in self._past:
                return self._past[where]
            return _torn(route.handler(call), faults)
        self._remember(call, where)
        kept = self.world.snapshot() if FaultKind.KEEP_NOTHING in faults else None
        response = route.handler(call)
        if kept:
            self.world.restore(kept)
        return response

    def _remember(self, call: Call, where: str) -> None:
        """Keep what a read of the object and of its listing would show before this write."""
        for path in (where, where.rpartition("/")[0]):
            self._past.pop(path, None)
            found = self._router.find("GET", path)
            if found is None:
                continue
            host = call.request.host_url
            version = call.request.query.get("api-version", "")
            read = Request("GET", f"{host}{path}?api-version={version}", call.request.headers)
            try:
                self._past[path] = found[0].handler(Call(self.world, read, found[1], call.principal))
            except Refusal as refusal:
                self._past[path] = refusal.response
        while len(self._past) > _REMEMBERED:
            del self._past[next(iter(self._past))]


_TOO_MANY = 429
_REMEMBERED = 4096


def _unknown(request: Request) -> Response:
    message = f"The simulated Azure does not know {request.method} {request.path}."
    return Response.of({"error": {"code": "NotImplemented", "message": message}}, 501)


def _check_subscription(path: str) -> None:
    """Hold a path below `/subscriptions` to name one by a GUID."""
    segments = path.split("/")
    if segments[1].lower() == "subscriptions" and len(segments) > 2 and not subscription_of(path):  # noqa: PLR2004
        message = f"The provided subscription identifier '{segments[2]}' is malformed or invalid."
        raise Refusal(400, "InvalidSubscriptionId", message)


def _broken(faults: dict[FaultKind, Fault]) -> Response | None:
    """The answer of a call that never gets to its handler."""
    if FaultKind.DROP in faults:
        return Response(502, lost=True)
    if FaultKind.ERROR_500 in faults:
        return Refusal(500, "InternalServerError", "The server encountered an internal error.").response
    if FaultKind.ERROR_503 in faults:
        return Refusal(503, "ServerTimeout", "The request timed out; please try again.").response
    if FaultKind.THROTTLED in faults:
        wait = str(faults[FaultKind.THROTTLED].seconds)
        message = f"Too many requests. Please try again after '{wait}' seconds."
        return Refusal(429, "TooManyRequests", message, headers={"Retry-After": wait}).response
    return None


def _torn(response: Response, faults: dict[FaultKind, Fault]) -> Response:
    """A listing's page without its link, or without anything."""
    if not faults.keys() & {FaultKind.LOST_NEXT_LINK, FaultKind.EMPTY_PAGE} or not response.body:
        return response
    body: Json = response.json()
    items = "data" if "totalRecords" in body else "value"
    if not isinstance(body.get(items), list):
        return response
    body.pop("nextLink", None)
    body.pop("$skipToken", None)
    if FaultKind.EMPTY_PAGE in faults:
        body[items] = []
    if "count" in body and items == "data":
        body["count"] = len(body[items])
    return replace(response, body=Response.of(body).body)
