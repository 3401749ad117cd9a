"""Workers that take turns in an order drawn from a seed, and die between any two calls.

Every call to Azure, to a table and to a queue waits for its turn, and only one is under way at a time, so
that jobs run into each other and yet the same seed gives the same run.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from random import Random
from typing import Any, Self

from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpTransport
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient

from shared.settings import StorageSettings
from shared.store.storage import Storage
from tests.helpers.accounts import NoToken


class WorkerDiedError(BaseException):
    """The process of a worker has ended; nothing in it catches this."""


@dataclass(slots=True)
class Worker:
    """One process that runs some jobs.

    Attributes:
        dies_at: the number of the call at which it dies; negative for one that lives.
        after: whether that call is done before it dies.
        repeats: the number of a call whose answer is lost, so that the client makes it once more.
    """

    dies_at: int = -1
    after: bool = False
    repeats: int = -1
    calls: int = 0
    dead: bool = False


_worker: ContextVar[Worker | None] = ContextVar("worker", default=None)


class Turnstile:
    """Lets one call through at a time, in an order drawn from a source of chance."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._waiting: list[asyncio.Future[None]] = []
        self._passed = asyncio.Event()
        self.calls = 0

    async def call[T](self, make: Callable[[], Awaitable[T]]) -> T:
        """Make a call when its turn comes; whoever is no worker need not wait.

        Raises:
            WorkerDiedError: the worker dies before it or after it, or is dead already.
        """
        worker = _worker.get()
        if worker is None:
            return await make()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn
        try:
            return await self._called(worker, make)
        finally:
            self._passed.set()

    async def _called[T](self, worker: Worker, make: Callable[[], Awaitable[T]]) -> T:
        if worker.dead:
            raise WorkerDiedError
        self.calls += 1
        dies = worker.calls == worker.dies_at
        repeats = worker.calls == worker.repeats
        worker.calls += 1
        worker.dead = dies
        if dies and not worker.after:
            raise WorkerDiedError
        if repeats:
            with suppress(AzureError):
                await make()
        answer = await make()
        if dies:
            raise WorkerDiedError
        return answer

    async def run(
        self, worker: Worker, jobs: Sequence[Coroutine[Any, Any, None]]
    ) -> list[BaseException | None]:
        """Have a worker run jobs side by side; gives what ended each of them, None if it was done."""
        return await self.run_beside([(worker, job) for job in jobs])

    async def run_beside(
        self, jobs: Sequence[tuple[Worker, Coroutine[Any, Any, None]]]
    ) -> list[BaseException | None]:
        """Have workers run their jobs side by side; gives what ended each of them, None if it was done."""
        tasks = [asyncio.create_task(_as(worker, job)) for worker, job in jobs]
        while True:
            await _idle()
            if self._waiting:
                self._passed.clear()
                self._waiting.pop(self._random.randrange(len(self._waiting))).set_result(None)
                await self._passed.wait()
            elif all(task.done() for task in tasks):
                return [task.exception() for task in tasks]


async def _as(worker: Worker, job: Coroutine[Any, Any, None]) -> None:
    _worker.set(worker)
    await job


async def _idle() -> None:
    """Come back when nothing else can go on by itself."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110 - nothing tells when a loop has nothing to do
        await asyncio.sleep(0)


class TakingTurns(AsyncHttpTransport[Any, Any]):
    """A transport whose calls take turns, and whose retries do not wait.

    Args:
        inner: carries the calls; it stays open.
        turnstile: says whose turn it is.
    """

    def __init__(self, inner: AsyncHttpTransport[Any, Any], turnstile: Turnstile) -> None:
        self._inner = inner
        self._turnstile = turnstile

    async def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401 - as the SDK has it
        """Send when it is this call's turn."""
        return await self._turnstile.call(lambda: self._inner.send(request, **options))

    async def sleep(self, duration: float) -> None:
        """Waiting says nothing where time does not pass."""
        del duration

    async def open(self) -> None:
        """The inner one is open."""

    async def close(self) -> None:
        """The inner one stays open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """The inner one stays open."""


@dataclass(frozen=True, slots=True)
class Account:
    """A storage account that nobody else uses, and the transport that leads to it."""

    connection_string: str
    inner: AioHttpTransport


@asynccontextmanager
async def empty_storage(account: Account, turnstile: Turnstile) -> AsyncIterator[Storage]:
    """A storage account whose calls take turns, with no tables and containers in it."""
    connection_string = account.connection_string
    storage = Storage(StorageSettings(connection_string, "", "", ""), NoToken())
    await storage.close()
    transport = TakingTurns(account.inner, turnstile)
    storage._tables = TableServiceClient.from_connection_string(connection_string, transport=transport)
    storage._blobs = BlobServiceClient.from_connection_string(connection_string, transport=transport)
    async for table in storage._tables.list_tables():
        await storage._tables.delete_table(table.name)
    async for container in storage._blobs.list_containers():
        await storage._blobs.delete_container(container.name)
    yield storage
