"""A webhook that answers the validation handshake and keeps what it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


async def until(condition: Callable[[], object]) -> None:
    """Return when a condition holds that something in the background brings about."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.02)


@dataclass
class Webhook:
    """What came, and how it answers: with the next status in line, else 202."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    validates: bool = True

    async def handle(self, request: web.Request) -> web.Response:
        [event] = await request.json()
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            code = event["data"]["validationCode"] if self.validates else "wrong"
            return web.json_response({"validationResponse": code})
        self.events.append(event)
        return web.Response(status=self.statuses.pop(0) if self.statuses else 202)

    async def wait_for(self, count: int) -> None:
        """Return when so many events have come."""
        await until(lambda: len(self.events) >= count)


@asynccontextmanager
async def listening() -> AsyncIterator[Webhook]:
    """A webhook on an ephemeral port."""
    webhook = Webhook()
    application = web.Application()
    application.router.add_post("/hook", webhook.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    webhook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield webhook
    finally:
        await runner.cleanup()
