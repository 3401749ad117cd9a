"""The host's own paths under `admin/`: what runs here, and running a function by hand."""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from local.host import timers
from local.host.functions import FunctionDescription
from local.host.invoker import Invoker
from local.host.keys import Keys
from local.host.protos import TypedData

_VERSION = "4.local"


class Admin:
    """Serves `admin/`. All but the ping needs the master key, as in the cloud."""

    def __init__(
        self, functions: Sequence[FunctionDescription], prefix: str, keys: Keys, invoker: Invoker
    ) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._prefix = prefix
        self._keys = keys
        self._invoker = invoker
        self._started = time.monotonic()
        self._by_hand: set[asyncio.Task[Any]] = set()

    def register(self, router: web.UrlDispatcher) -> None:
        """Add the paths to a router."""
        router.add_route("GET", "/admin/host/ping", self._ping)
        router.add_route("POST", "/admin/host/ping", self._ping)
        router.add_route("GET", "/admin/host/status", self._status)
        router.add_route("GET", "/admin/functions", self._list)
        router.add_route("GET", "/admin/functions/{name}", self._show)
        router.add_route("POST", "/admin/functions/{name}", self._start)
        router.add_route("GET", "/admin/functions/{name}/status", self._function_status)

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response(status=200)

    async def _status(self, request: web.Request) -> web.Response:
        self._authorize(request)
        return web.json_response(
            {
                "id": "local",
                "state": "Running",
                "version": _VERSION,
                "instanceId": str(os.getpid()),
                "processUptime": int((time.monotonic() - self._started) * 1000),
            }
        )

    async def _list(self, request: web.Request) -> web.Response:
        self._authorize(request)
        return web.json_response([self._as_json(request, item) for item in self._functions.values()])

    async def _show(self, request: web.Request) -> web.Response:
        self._authorize(request)
        return web.json_response(self._as_json(request, self._find(request)))

    async def _function_status(self, request: web.Request) -> web.Response:
        self._authorize(request)
        self._find(request)
        return web.json_response({"errors": None})

    async def _start(self, request: web.Request) -> web.Response:
        """Start the function and answer before it ends."""
        self._authorize(request)
        function = self._find(request)
        try:
            body = json.loads(await request.read())
            data, metadata = _by_hand(function, body.get("input"))
        except (ValueError, AttributeError) as error:
            raise web.HTTPBadRequest from error
        task = asyncio.create_task(self._invoker.run(function, data, metadata))
        self._by_hand.add(task)
        task.add_done_callback(self._by_hand.discard)
        return web.Response(status=202)

    def _authorize(self, request: web.Request) -> None:
        if not self._keys.allow("admin", request):
            raise web.HTTPUnauthorized

    def _find(self, request: web.Request) -> FunctionDescription:
        function = self._functions.get(request.match_info["name"].lower())
        if function is None:
            raise web.HTTPNotFound
        return function

    def _as_json(self, request: web.Request, function: FunctionDescription) -> dict[str, Any]:
        origin = f"{request.scheme}://{request.host}"
        path = "/".join(part for part in (self._prefix, function.route) if part)
        return {
            "name": function.name,
            "language": "python",
            "isDisabled": False,
            "href": f"{origin}/admin/functions/{function.name}",
            "invoke_url_template": f"{origin}/{path}" if function.route is not None else None,
            "config": {"name": function.name, "bindings": [dict(binding) for binding in function.bindings]},
        }


def _by_hand(function: FunctionDescription, given: object) -> tuple[TypedData, dict[str, TypedData]]:
    text = given if isinstance(given, str) else json.dumps(given)
    match function.trigger_type:
        case "timerTrigger":
            return timers.timer_info(past_due=False, status=None), {}
        case "queueTrigger":
            return TypedData(string=text), {"DequeueCount": TypedData(json="1")}
        case "eventGridTrigger":
            return TypedData(json=json.dumps(json.loads(text))), {}
        case _:
            raise ValueError("an HTTP function is called at its own address")
