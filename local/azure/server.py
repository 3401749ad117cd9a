"""The simulated Azure behind a socket on loopback."""

import asyncio
import contextlib
from typing import Self

from aiohttp import web

from local.azure import control_routes
from local.azure.app import SimulatedAzure
from local.azure.http import Request, Response


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
        answer = self.azure.handle(asked)
        if answer.lost and request.transport:
            request.transport.close()
        return _send(answer)


def _send(response: Response) -> web.Response:
    return web.Response(status=response.status, body=response.body or None, headers=response.headers)
