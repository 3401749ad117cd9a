"""The queues of the steps."""

import asyncio
import json
import math
from collections.abc import Iterable
from itertools import batched

from shared.jobs.message import encode
from shared.jobs.spread import MOST_DELAY
from shared.model.jobs import Job
from shared.store.storage import Storage

_AT_ONCE = 32
_NO_END = -1
"""A message without this is thrown away after seven days (Queue service)."""


class JobQueue:
    """Sends jobs."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def send(self, job: Job, delay: float = 0.0) -> None:
        """Put a job on its step's queue, to be seen after `delay` seconds."""
        queue = await self._storage.queue(job.step.queue)
        await queue.send_message(encode(job), visibility_timeout=min(math.ceil(delay), MOST_DELAY))

    async def send_all(self, jobs: Iterable[tuple[Job, float]]) -> None:
        """Put many jobs on their queues, each with its delay in seconds."""
        for chunk in batched(jobs, _AT_ONCE, strict=False):
            await asyncio.gather(*(self.send(job, delay) for job, delay in chunk))

    async def set_aside(self, queue_name: str, text: bytes, reason: str) -> None:
        """Put a message that nobody can handle on the step's poison queue, with its reason."""
        queue = await self._storage.queue(f"{queue_name}-poison")
        message = json.dumps({"reason": reason, "message": text.decode("utf-8", "replace")})
        await queue.send_message(message, time_to_live=_NO_END)
