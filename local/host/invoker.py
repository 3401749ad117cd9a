"""Invocations: each with its id, its time limit and one line in the log."""

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.host.functions import FunctionDescription
from local.host.protos import RpcException, TypedData
from local.host.worker import Answer, Worker

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Invocation:
    function: FunctionDescription
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.monotonic)


class Invoker:
    """Runs functions, knows which are running, and ends those that take too long.

    Args:
        worker: holds the app.
        timeout_seconds: the limit of one invocation; None for none. The cloud ends the whole worker
            process when a function exceeds it; here the function's task is cancelled.
    """

    def __init__(self, worker: Worker, timeout_seconds: float | None) -> None:
        self._worker = worker
        self._timeout = timeout_seconds
        self._running: set[asyncio.Task[Answer]] = set()
        self._draining = False

    async def run(
        self,
        function: FunctionDescription,
        data: TypedData,
        metadata: Mapping[str, TypedData] | None = None,
    ) -> Answer:
        """Run the function once. What it raises, or running out of time, is in the answer.

        Cancelling the caller does not end the function: only its time limit and `drain` do.
        """
        invocation = _Invocation(function)
        work = self._worker.invoke(function, invocation.id, data, metadata or {})
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(lambda ended: self._ended(invocation, ended))
        done, _ = await asyncio.wait({task}, timeout=self._timeout)
        if not done:
            task.cancel()
            return Answer(error=RpcException(f"not done within {self._timeout:g} s (functionTimeout)"))
        return self._answer(task)

    async def drain(self, seconds: float) -> None:
        """Wait until nothing runs any more; what still runs after the time is cancelled."""
        self._draining = True
        if self._running:
            _logger.info("waiting running=%d", len(self._running))
            await asyncio.wait(self._running, timeout=seconds)
        for task in self._running:
            task.cancel()

    def _answer(self, task: asyncio.Task[Answer]) -> Answer:
        if task.cancelled():
            return Answer(error=RpcException("the function was cancelled"), abandoned=self._draining)
        return task.result()

    def _ended(self, invocation: _Invocation, task: asyncio.Task[Answer]) -> None:
        self._running.discard(task)
        answer = self._answer(task)
        result = "succeeded" if answer.error is None else "failed"
        _logger.log(
            logging.INFO if answer.error is None else logging.ERROR,
            "invocation function=%s trigger=%s id=%s duration_ms=%.0f result=%s",
            invocation.function.name,
            invocation.function.trigger_type.removesuffix("Trigger"),
            invocation.id,
            (time.monotonic() - invocation.started) * 1000,
            "cancelled" if task.cancelled() else result,
        )
        if answer.error is not None and answer.error.stack_trace:
            _logger.error("%s\n%s", invocation.id, answer.error.stack_trace.rstrip())
