"""The simulated Azure behind a socket on loopback."""

import asyncio
import contextlib
from typing import Self

from aiohttp import web

from local.azure import control_routes
from local.azure.app import SimulatedAzure
from local.azure.http import Request, Response

_CALL = "x-ms-client-request-id"
IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods that aiohttp's client repeats on a fresh connection when the first one breaks."""


class Server:
    """Serves one simulated Azure, and runs its Capture, while the context is open.

    Args:
        azure: what is served.
        port: 0 takes a free one.
        latency_seconds: how long every call takes at least.
    """

    def __init__(self, azure: SimulatedAzure, *, port: int = 0, latency_seconds: float = 0.0) -> None:
        self.azure = azure
        self._port = port
        self._latency = latency_seconds
        self._capture: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self._lost: set[str] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=16 * 2**20)
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._capture = asyncio.create_task(self.azure.capture.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._capture:
            self._capture.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._capture
        await self.azure.event_grid.close()
        await self.azure.capture.close()
        if self._runner:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        url = f"http://{request.host}{request.rel_url}"
        asked = Request(request.method, url, headers, await request.read())
        if asked.path.startswith(control_routes.PREFIX):
            return _send(await control_routes.handle(self.azure, asked))
        if self._latency:
            await asyncio.sleep(self._latency)
        if self._repeats_a_lost_call(asked):
            return _break(request)
        answer = self.azure.handle(asked)
        if answer.lost:
            self._lost.add(asked.headers.get(_CALL, ""))
            return _break(request)
        return _send(answer)

    def _repeats_a_lost_call(self, asked: Request) -> bool:
        """Whether aiohttp's client repeats by itself, once and unseen, a call whose answer was lost.

        The repeat is lost too: otherwise one broken connection would never be noticed by anybody.
        """
        call = asked.headers.get(_CALL, "")
        if not call or call not in self._lost or asked.method not in IDEMPOTENT_METHODS:
            return False
        self._lost.discard(call)
        return True


def _break(request: web.Request) -> web.Response:
    """Close the connection in place of an answer."""
    if request.transport:
        request.transport.close()
    return web.Response(status=502)


def _send(response: Response) -> web.Response:
    return web.Response(status=response.status, body=response.body or None, headers=response.headers)
