"""One history of the capture step, drawn from a seed: many files, several workers, and what may go wrong.

Every storage call waits for its turn, and only one is under way at a time, so that workers meet at every call
and yet the same seed gives the same history. Workers die between two calls, answers get lost so that a call
is made twice, files are delivered twice or not at all, and the clock jumps from one event to the next.
"""

import asyncio
import heapq
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from shared.capture.correlator import ContendedError
from shared.capture.entries import CONDENSED
from shared.capture.parts import PART
from shared.capture.sweep import Sweep
from shared.model.captures import CaptureFile, Counts
from shared.settings import StorageSettings
from shared.store.blobs import ContainerName
from shared.store.capture_blobs import CaptureBlobs
from shared.store.captures import LeasedError
from shared.store.leftovers import Leftovers
from shared.store.operations import BUCKETS, OperationStore
from shared.store.storage import Storage
from shared.store.tables import ConflictError
from shared.store.wish import View
from tests.capture.activity_log import exact, members
from tests.capture.app import START, App, HubListing
from tests.helpers.accounts import NoToken
from tests.helpers.chaos_worker import TakingTurns, Turnstile, Worker, WorkerDiedError
from tests.helpers.exact_memory import MemoryAccount
from tests.helpers.exact_stream import WINDOW, File, draw_files

WAIT: Final = timedelta(hours=2)
"""Long enough for all that goes wrong with a file, so that only what is drawn to be late is too late."""

RETENTION: Final = timedelta(days=1)
_DEATHS, _LOST_ANSWERS, _REPEATS, _NO_NEWS = 0.25, 0.15, 0.2, 0.1
_MOST_CALLS = 22
_MOST_DEATHS = 3

_EXPECTED: Final = (WorkerDiedError, LeasedError, ContendedError, ConflictError)

_FLUSH, _SWEEP = "flush", "sweep"

type _What = File | str
type _Event = tuple[float, int, _What]
type Found = dict[str, tuple[Counter[str], int, str]]


class Inline(ThreadPoolExecutor):
    """Runs everything at once, so that nothing depends on how threads are scheduled."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - goes to whoever waits
            done.set_exception(error)
        return done


@dataclass
class World:
    """A history, and what came of it.

    Attributes:
        busy: whether much happens.
        part_bytes: how much of a file a worker holds in memory.
        history: what was done, one line each.
        records: by uid the members, attempts and outcome of the record of the highest revision.
        passed: what passed through.
        counts: of the whole ledger.
        unfinished: capture files that are not done in the ledger.
        still_waiting: entries that wait when everything should have left.
        remains: what is kept of operations when everything should be forgotten.
    """

    random: Random
    app: App
    turnstile: Turnstile
    files: list[File]
    busy: bool
    part_bytes: int
    captures: dict[int, CaptureFile] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    records: Found = field(default_factory=dict)
    passed: Counter[str] = field(default_factory=Counter)
    counts: Counts = field(default_factory=Counts)
    unfinished: list[str] = field(default_factory=list)
    still_waiting: int = 0
    remains: list[str] = field(default_factory=list)
    _events: list[_Event] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)
    _troubles: Counter[int] = field(default_factory=Counter)
    _at: float = 0.0

    async def play(self) -> None:
        """Live through the whole history, and let everything leave."""
        random = self.random
        for file in self.files:
            moment = START + timedelta(seconds=(file.window + 1) * WINDOW)
            self.captures[id(file)] = await self.app.upload(
                file.data, partition=file.partition, moment=moment
            )
            at = (file.window + 1) * WINDOW + random.random() * 9
            if random.random() < _NO_NEWS:
                self._expect(at + 15 * 60, _SWEEP)
                continue
            self._expect(at, file)
            if random.random() < _REPEATS:
                self._expect(at + random.choice((0, 30, 900)), file)
        end = max((at for at, _, _ in self._events), default=0.0)
        flush = 0.0
        while flush < end:
            flush += random.choice((60, 240, 900) if self.busy else (60, 900, 3600))
            self._expect(flush, _FLUSH)
        while self._events:
            await self._together(random.choice((0, 20, 100, 300)))
        await self._settle()

    def _expect(self, at: float, what: _What) -> None:
        heapq.heappush(self._events, (at, next(self._order), what))

    async def _together(self, seconds: float) -> None:
        """Let everything that is due within some seconds happen at the same moment."""
        at = self._events[0][0]
        due: list[_What] = []
        while self._events and self._events[0][0] <= at + seconds and len(due) < 6:
            at, _, what = heapq.heappop(self._events)
            due.append(what)
        self.app.now = max(self.app.now, START + timedelta(seconds=at))
        self._at = at
        workers = [self._worker(what) for what in due]
        jobs = [self._job(what) for what in due]
        ends = await self.turnstile.run_beside(list(zip(workers, jobs, strict=True)))
        for what, end in zip(due, ends, strict=True):
            name = self.captures[id(what)].path[-27:] if isinstance(what, File) else what
            self.history.append(f"{at:7.1f} {name} {'done' if end is None else repr(end)}")
            if end is None:
                continue
            if isinstance(end, _EXPECTED) or (
                isinstance(end, BaseExceptionGroup) and end.split(_EXPECTED)[1] is None
            ):
                self._troubles[id(what)] += 1
                if what != _FLUSH:
                    self._expect(at + self.random.choice((40, 200, 400)), what)
            else:
                raise end

    def _worker(self, what: _What) -> Worker:
        random = self.random
        worker = Worker()
        if self._troubles[id(what)] < _MOST_DEATHS and random.random() < _DEATHS:
            worker.dies_at = random.randrange(_MOST_CALLS)
            worker.after = random.random() < 0.5
        if random.random() < _LOST_ANSWERS:
            worker.repeats = random.randrange(_MOST_CALLS)
        return worker

    def _operations(self) -> OperationStore:
        roomy = self.random.choice((600, 3_000, 500_000))
        return OperationStore(self.app.storage, self.app.blobs, WAIT, RETENTION, roomy=roomy, large=roomy)

    async def _job(self, what: _What) -> None:
        if isinstance(what, File):
            handler = self.app.new_handler(self._operations(), self.part_bytes)
            await handler.handle_file(self.captures[id(what)])
        elif what == _FLUSH:
            await self._flush()
        else:
            await self._sweep()

    async def send(self, path: str) -> None:
        """Have a file handled that a sweep found."""
        self._expect(self._at + 1, next(file for file in self.files if self.captures[id(file)].path == path))

    async def _sweep(self) -> None:
        app = self.app
        sweep = Sweep(
            blobs=CaptureBlobs(app.storage),
            captures=app.captures,
            hubs=HubListing(app.assignment),
            files=self,
            reach=WAIT,
            clock=lambda: app.now,
        )
        await sweep.sweep()

    async def _flush(self) -> None:
        await self.app.new_flusher(self._operations()).flush()

    async def _settle(self) -> None:
        """When nothing goes wrong any more everything leaves, and later is forgotten."""
        app = self.app
        for _ in range(3):
            app.now += WAIT
            await self._flush()
        await self._read()
        app.now += 2 * RETENTION
        await self._flush()
        app.now += WAIT
        await app.operations.forget(app.integration, app.now, app.now)
        self.counts = await app.captures.totals(app.integration)
        for file in self.captures.values():
            row = await app.captures.read(app.integration, file.written_at, file.id)
            if row is None or not row.done:
                self.unfinished.append(file.path)
        self.still_waiting = await app.operations.waiting(app.integration)
        kept = await app.operations.load(
            app.integration, dict.fromkeys(range(BUCKETS), ()), View("", app.now)
        )
        self.remains = [f"bucket {number}" for number, one in kept.items() if one.etag]
        await Leftovers(app.storage, app.blobs).remove(datetime(2100, 1, 1, tzinfo=UTC))
        container = await app.storage.container(ContainerName.PARKED)
        self.remains += [blob.name async for blob in container.list_blobs(name_starts_with=app.integration)]

    async def _read(self) -> None:
        latest: dict[str, dict[str, Any]] = {}
        for lines in (await self.app.condensed()).values():
            for line in lines:
                facts = line.get(CONDENSED)
                if facts is None:
                    self.passed[exact(json.dumps(line))] += 1
                elif (
                    facts["uid"] not in latest
                    or latest[facts["uid"]][CONDENSED]["revision"] < facts["revision"]
                ):
                    latest[facts["uid"]] = line
                elif latest[facts["uid"]][CONDENSED]["revision"] == facts["revision"]:
                    raise AssertionError(f"two records are revision {facts['revision']} of {facts['uid']}")
        for uid, line in latest.items():
            facts = line[CONDENSED]
            self.records[uid] = (members(json.dumps(line)), facts["attempts"], facts["outcome"])


async def _played(seed: int, connection_string: str | None) -> World:
    asyncio.get_running_loop().set_default_executor(Inline(1))
    random = Random(seed)  # noqa: S311 - histories, not secrets
    busy = is_busy(seed)
    files = draw_files(random, int(WAIT.total_seconds()), busy=busy)
    turnstile = Turnstile(random)
    async with AsyncExitStack() as stack:
        if connection_string is None:
            storage: Storage = MemoryAccount(turnstile)
            await storage.close()
        else:
            storage = await stack.enter_async_context(_azurite(connection_string, turnstile))
        app = App(storage, WAIT)
        app.customer, app.integration = f"seed-{seed}", str(UUID(int=seed))
        world = World(random, app, turnstile, files, busy, random.choice((1, 1_000, PART)))
        await world.play()
    return world


@asynccontextmanager
async def _azurite(connection_string: str, turnstile: Turnstile) -> AsyncIterator[Storage]:
    """A storage account over HTTP whose calls take turns."""
    async with AioHttpTransport() as inner:
        storage = Storage(StorageSettings(connection_string, "", "", ""), NoToken())
        await storage.close()
        transport = TakingTurns(inner, turnstile)
        storage._tables = TableServiceClient.from_connection_string(connection_string, transport=transport)
        storage._blobs = BlobServiceClient.from_connection_string(connection_string, transport=transport)
        storage._queues = QueueServiceClient.from_connection_string(connection_string, transport=transport)
        yield storage


def is_busy(seed: int) -> bool:
    """Whether the history of a seed is a long one."""
    return seed % 4 == 3


def play(seed: int, connection_string: str | None = None) -> World:
    """Play the history of a seed, in memory or on the storage account of that connection string."""
    return asyncio.run(_played(seed, connection_string))
