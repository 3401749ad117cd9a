"""Invocations: each with its id, its time limit and one line in the log."""

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping

from local.host.functions import FunctionDescription
from local.host.protos import RpcException, TypedData
from local.host.worker import Answer, Worker

_logger = logging.getLogger(__name__)


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

        Raises:
            asyncio.CancelledError: the host stops and the function was still running.
        """
        invocation_id = str(uuid.uuid4())
        started = time.monotonic()
        work = self._worker.invoke(function, invocation_id, data, metadata or {})
        task = asyncio.create_task(work, name=f"{function.name} {invocation_id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            answer = await self._await(task)
        except asyncio.CancelledError:
            task.cancel()
            _log(function, invocation_id, started, "cancelled")
            raise
        result = "succeeded" if answer.error is None else "failed"
        _log(function, invocation_id, started, result, answer.error)
        return answer

    async def drain(self, seconds: float) -> None:
        """Wait until nothing runs any more; what still runs after the time is cancelled."""
        self._draining = True
        if self._running:
            _logger.info("waiting running=%d", len(self._running))
            await asyncio.wait(self._running, timeout=seconds)
        for task in self._running:
            task.cancel()

    async def _await(self, task: asyncio.Task[Answer]) -> Answer:
        done, _ = await asyncio.wait({task}, timeout=self._timeout)
        if not done:
            task.cancel()
            return Answer(error=RpcException(f"Timeout of {self._timeout:g} s (functionTimeout) exceeded"))
        if task.cancelled() and not self._draining:
            return Answer(error=RpcException("CancelledError: the function cancelled itself"))
        return task.result()


def _log(
    function: FunctionDescription,
    invocation_id: str,
    started: float,
    result: str,
    error: RpcException | None = None,
) -> None:
    line = "invocation function=%s trigger=%s id=%s duration_ms=%.0f result=%s"
    values: tuple[object, ...] = (
        function.name,
        function.trigger_type.removesuffix("Trigger"),
        invocation_id,
        (time.monotonic() - started) * 1000,
        result,
    )
    if error is None:
        _logger.info(line, *values)
    else:
        _logger.error(line, *values)
        _logger.error("%s\n%s", invocation_id, (error.stack_trace or error.message).rstrip())
