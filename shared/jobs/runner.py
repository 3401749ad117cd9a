"""Runs one message of a step's queue: parse, hand over, and put back what has to wait."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from azure.core.exceptions import AzureError

from shared.arm.errors import ArmError, ThrottledError
from shared.jobs.busy import LEAST_BACK_OFF, MOST_BACK_OFF, is_passing, pause
from shared.jobs.message import MalformedMessageError, decode
from shared.jobs.queue import JobQueue
from shared.jobs.spread import after, back_off
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.model.problem import PROVIDER, Problem
from shared.model.reasons import Reason
from shared.store.claims import ClaimStore
from shared.store.problems import ProblemStore
from shared.store.tables import ConflictError

_log = logging.getLogger(__name__)

_CONFLICT_SECONDS = 1.0
_MOST_LAST_WORDS = 5
"""How often a job that meets others while it is given up comes back; then theirs is the last word."""


class Handler(Protocol):
    """A step, as the runner sees it."""

    async def run(self, job: Job) -> float | None:
        """Do the job.

        Returns:
            None when done, else the seconds after which the job is to come back.

        Raises:
            ArmError, ConflictError: it can only be tried again later.
        """

    async def give_up(self, job: Job, error: ArmError | None) -> None:
        """Take down that the job was tried too often; `error` is what stood in the way last.

        Raises:
            ConflictError: somebody else changed the row in the meantime; the job is tried once more.
        """


class JobRunner:
    """Runs messages.

    Args:
        handlers: one per step.
        queue: takes jobs that come back.
        problems: takes messages that cannot be read.
        claims: says which targets wait for a job.
        max_attempts: how often a job comes back at most.
        clock: the present (UTC).
    """

    def __init__(
        self,
        handlers: Mapping[Step, Handler],
        *,
        queue: JobQueue,
        problems: ProblemStore,
        claims: ClaimStore,
        max_attempts: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._handlers = handlers
        self._queue = queue
        self._problems = problems
        self._claims = claims
        self._max_attempts = max_attempts
        self._clock = clock

    async def run(self, queue_name: str, text: bytes) -> None:
        """Run one message.

        A job for which the storage account has no time comes back, as one for which Azure has none. What is
        raised besides, and storage that has no time at the last attempt either, goes on to the Functions
        host, which delivers the message again and finally moves it to the poison queue.
        """
        try:
            job = decode(text)
        except MalformedMessageError as error:
            await self._set_aside(queue_name, text, str(error))
            return
        try:
            await self._work(job)
        except AzureError as error:
            if not is_passing(error) or job.attempt + 1 >= self._max_attempts:
                raise
            seconds = pause(error, job.attempt, job.target)
            _log.warning("storage: %s, again in %.0f s %s", type(error).__name__, seconds, describe(job))
            await self._queue.send(job.again(), seconds)

    async def _work(self, job: Job) -> None:
        await self._claims.drop(job)
        is_cycle = job.phase is Phase.PLAN and job.cause is Cause.CYCLE
        if is_cycle and await self._claims.planned(job) > job.cycle:
            # Made before another one looked, so that one saw all there was to see.
            _log.info("overtaken %s", describe(job))
            return
        began = cycle_stamp(self._clock())
        hindrance, seconds = await self._attempt(job)
        if seconds is None:
            if is_cycle:
                await self._claims.note_planned(job, began)
            _log.info("done %s", describe(job))
        elif job.attempt + 1 >= self._max_attempts:
            await self._give_up(job, hindrance)
        else:
            _log.info("again in %.0f s %s", seconds, describe(job))
            await self._queue.send(job.again(), seconds)

    async def _attempt(self, job: Job) -> tuple[ArmError | None, float | None]:
        try:
            return None, await self._handlers[job.step].run(job)
        except ThrottledError as error:
            return error, after(error.retry_after, job.target, str(job.attempt))
        except ConflictError:
            # Somebody else changed the row in the meantime: look again at what is there now.
            return None, _CONFLICT_SECONDS
        except ArmError as error:
            _log.warning("%s %s", error.detail, describe(job))
            return error, back_off(job.attempt, LEAST_BACK_OFF, MOST_BACK_OFF, job.target)

    async def _give_up(self, job: Job, hindrance: ArmError | None) -> None:
        try:
            await self._handlers[job.step].give_up(job, hindrance)
        except ConflictError:
            # Whoever changed the row may have found the object well: try once more before saying otherwise.
            if job.attempt + 1 < self._max_attempts + _MOST_LAST_WORDS:
                await self._queue.send(job.again(), _CONFLICT_SECONDS)
                return
        _log.warning("given up %s", describe(job))

    async def _set_aside(self, queue_name: str, text: bytes, reason: str) -> None:
        _log.error("set aside a message of %s: %s", queue_name, reason)
        await self._problems.report(
            Problem(PROVIDER, Reason.MALFORMED_MESSAGE, queue_name, reason, self._clock())
        )
        await self._queue.set_aside(queue_name, text, reason)


def describe(job: Job) -> str:
    """The job's identifiers for a log line."""
    return (
        f"step={job.step.value} phase={job.phase.value} integration={job.integration_id or '-'} "
        f"target={job.target or '-'} cycle={job.cycle} attempt={job.attempt} reason={job.cause.value}"
    )
