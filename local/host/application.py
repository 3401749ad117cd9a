"""The host as a whole: one app, its listeners and its web server in one event loop."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from local.host.admin import Admin
from local.host.event_grid import EventGridWebhook
from local.host.functions import FunctionDescription, StartError, connection_string, prepare
from local.host.hostjson import HostSettings, read_host_settings
from local.host.http_trigger import HttpFunctions
from local.host.invoker import Invoker
from local.host.keys import Keys
from local.host.queues import LEASE_SECONDS, QueueListener
from local.host.timer_status import TimerStatusStore
from local.host.timers import TimerListener
from local.host.worker import Worker

_LARGEST_BODY = 100 * 1024 * 1024

# Whoever waits for this process to end does so for a few seconds only.
_GRACE_SECONDS = 2.5

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How a host is started.

    Attributes:
        app_dir: folder with function_app.py and host.json.
        port: on 127.0.0.1; 0 for any free one.
        lease_seconds: for how long a queue message is hidden between renewals.
    """

    app_dir: Path
    port: int = 0
    lease_seconds: int = LEASE_SECONDS


class Application:
    """A running host; an async context manager, running from enter to exit.

    Attributes:
        url: where it serves, known once entered.
        functions: what it runs.
    """

    def __init__(
        self,
        options: Options,
        settings: HostSettings,
        worker: Worker,
        keys: Keys,
        environment: Mapping[str, str],
    ) -> None:
        self.functions = [prepare(function, environment) for function in worker.functions]
        self.url = ""
        self._options = options
        self._settings = settings
        self._environment = environment
        self._invoker = Invoker(worker, settings.function_timeout_seconds)
        self._runner = web.AppRunner(self._web(keys), access_log=None, shutdown_timeout=0.5)
        self._clients = contextlib.AsyncExitStack()
        self._queues: list[QueueListener] = []
        self._listening: list[asyncio.Task[None]] = []

    @classmethod
    async def load(cls, options: Options, keys: Keys, environment: Mapping[str, str]) -> Self:
        """Read host.json and load the app, without starting anything.

        Raises:
            StartError: the app cannot be started as it is.
        """
        settings = read_host_settings(options.app_dir, environment)
        worker = await Worker.load(options.app_dir)
        return cls(options, settings, worker, keys, environment)

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            StartError: a trigger is wrong, or the port is taken.
        """
        try:
            timers = self._timer_listeners()
            self._queues = self._queue_listeners()
            await self._serve()
        except BaseException:
            await self._close()
            raise
        listeners: list[TimerListener | QueueListener] = [*timers, *self._queues]
        self._listening = [asyncio.create_task(listener.run()) for listener in listeners]
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stop listening, give running functions a few seconds, hand queue messages back."""
        for site in list(self._runner.sites):
            await site.stop()
        for task in self._listening:
            task.cancel()
        await self._invoker.drain(_GRACE_SECONDS)
        await asyncio.gather(*self._listening, return_exceptions=True)
        for queue in self._queues:
            await queue.finish()
        await self._close()
        _logger.info("stopped")

    async def watch(self) -> None:
        """Wait until a listener ends by itself, which is an error of this host and is raised."""
        if not self._listening:
            await asyncio.Event().wait()
        done, _ = await asyncio.wait(self._listening, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    def _web(self, keys: Keys) -> web.Application:
        prefix = self._settings.route_prefix
        functions = HttpFunctions(self.functions, prefix, keys, self._invoker)
        webhook = EventGridWebhook(self.functions, keys, self._invoker)
        application = web.Application(client_max_size=_LARGEST_BODY)
        Admin(self.functions, prefix, keys, self._invoker).register(application.router)
        application.router.add_route("*", "/runtime/webhooks/{extension:(?i:eventgrid)}", webhook.handle)
        application.router.add_route("*", "/{path:.*}", functions.handle)
        return application

    async def _serve(self) -> None:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", self._options.port).start()
        except OSError as error:
            raise StartError(f"cannot listen on port {self._options.port}: {error.strerror}") from error
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    def _timer_listeners(self) -> list[TimerListener]:
        functions = self._with_trigger("timerTrigger")
        connection = self._environment.get("AzureWebJobsStorage")
        store = None
        if functions and connection:
            service = BlobServiceClient.from_connection_string(connection)
            self._clients.push_async_callback(service.close)
            identity = hashlib.sha256(str(self._options.app_dir).encode()).hexdigest()
            store = TimerStatusStore(service, identity[:32])
        return [TimerListener(function, self._invoker, store) for function in functions]

    def _queue_listeners(self) -> list[QueueListener]:
        services: dict[str, QueueServiceClient] = {}
        listeners = []
        for function in self._with_trigger("queueTrigger"):
            connection = connection_string(function, self._environment)
            if connection not in services:
                try:
                    services[connection] = QueueServiceClient.from_connection_string(connection)
                except ValueError as error:
                    raise StartError(f"function {function.name}: malformed connection string") from error
                self._clients.push_async_callback(services[connection].close)
            listeners.append(
                QueueListener(
                    services[connection],
                    function,
                    self._settings.queues,
                    self._invoker,
                    self._options.lease_seconds,
                )
            )
        return listeners

    def _with_trigger(self, trigger: str) -> Sequence[FunctionDescription]:
        return [function for function in self.functions if function.trigger_type == trigger]

    async def _close(self) -> None:
        await self._runner.cleanup()
        await self._clients.aclose()
