"""A queue that delivers twice, late and out of order, as drawn from a seed; in virtual time."""

import itertools
from collections.abc import Iterable
from random import Random

from local.azure.clock import Clock
from shared.jobs.queue import JobQueue
from shared.model.jobs import Job
from tests.helpers.chaos_worker import Turnstile

_TICK = 0.001
_TWINS = 4
"""Attempts of a job that may be delivered twice: of twins at every attempt there would be thousands."""


class ChaosQueue(JobQueue):
    """Keeps jobs until their moment on a clock.

    Args:
        clock: the one clock.
        random: draws what goes wrong.
        turnstile: sending is a call like any other.
    """

    def __init__(self, clock: Clock, random: Random, turnstile: Turnstile) -> None:
        self._clock = clock
        self._random = random
        self._turnstile = turnstile
        self._waiting: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        self.aside: list[tuple[str, bytes]] = []
        """Messages that were set aside, by the queue that they were on."""
        self.disorder = 0.0
        """How often a message is delivered twice, or late."""

    async def send(self, job: Job, delay: float = 0.0) -> None:
        """Keep a job for `delay` seconds, or longer, or twice."""

        async def kept() -> None:
            self.put(job, delay)
            if job.attempt < _TWINS and self._random.random() < self.disorder:
                self.put(job, delay + self._random.choice((0, 1, 30, 600)))

        if self._random.random() < self.disorder:
            delay += self._random.choice((1, 20, 400))
        await self._turnstile.call(kept)

    async def send_all(self, jobs: Iterable[tuple[Job, float]]) -> None:
        """Keep many."""
        for job, delay in jobs:
            await self.send(job, delay)

    async def set_aside(self, queue_name: str, text: bytes, reason: str) -> None:
        """Keep what nobody can read apart."""
        assert reason
        self.aside.append((queue_name, text))

    def put(self, job: Job, delay: float) -> None:
        """Keep a message, without fail."""
        self._waiting.append((self._clock.seconds() + delay, next(self._numbers), job))

    def due_at(self) -> float | None:
        """When the next job is due."""
        return min(self._waiting)[0] if self._waiting else None

    def take(self, most: int) -> list[Job]:
        """Some of the jobs that are due now, so many at the most; in any order if there is disorder."""
        now = self._clock.seconds() + _TICK
        due = sorted((entry for entry in self._waiting if entry[0] <= now), key=lambda entry: entry[:2])
        if self._random.random() < self.disorder * 2:
            self._random.shuffle(due)
        taken = due[:most]
        for entry in taken:
            self._waiting.remove(entry)
        return [job for _, _, job in taken]
