"""A storage account that has no time, or to which connections break: a small server answers as one does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from shared.settings import StorageSettings
from shared.store.storage import Storage
from tests.helpers.accounts import NoToken


@dataclass
class StandIn:
    """Blobs, queues and tables at which everything is there already and nothing else is done.

    Attributes:
        status: of each answer.
        retry_after: header of each answer; none if empty.
        broken: connections that break before there is an answer.
        asked: what was asked for, in its order.
    """

    status: int = 200
    retry_after: str = ""
    broken: int = 0
    asked: list[str] = field(default_factory=list)

    async def _answer(self, request: web.Request) -> web.Response:
        await request.read()
        making = "restype" in request.query or request.path.endswith(("/queue", "/Tables"))
        if making and request.method in ("PUT", "POST"):
            return web.Response(status=409, headers={"x-ms-error-code": "TableAlreadyExists"})
        self.asked.append(f"{request.method} {request.path}")
        if len(self.asked) <= self.broken and request.transport is not None:
            request.transport.close()
        headers = {"Retry-After": self.retry_after} if self.retry_after else {}
        code = "ResourceNotFound" if self.status == 404 else "ServerBusy"
        return web.Response(status=self.status, headers={**headers, "x-ms-error-code": code})

    @asynccontextmanager
    async def storage(self) -> AsyncIterator[Storage]:
        """The app's connection to it."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/busy"
        endpoints = "".join(f"{name}Endpoint={url};" for name in ("Blob", "Queue", "Table"))
        connection = f"AccountName=busy;AccountKey=bm9uZQ==;{endpoints}"
        try:
            async with Storage(StorageSettings(connection, "", "", ""), NoToken()) as storage:
                yield storage
        finally:
            await runner.cleanup()
