"""The health of the whole deployment, and what can be done about poison messages."""

import asyncio
from collections import Counter
from http import HTTPStatus
from typing import Final

from shared.jobs.poison import QUEUES, Poison, PoisonMessage, Taken
from shared.model.answers import Answer, answer, problem_answer
from shared.model.ids import normal_guid
from shared.model.integration import IntegrationStatus
from shared.model.jobs import Job
from shared.model.problem import PROVIDER
from shared.portal.views import Json, problem_view, time_view
from shared.store.integrations import IntegrationStore
from shared.store.problems import ProblemStore

_RETRY_SECONDS: Final = "5"


class HealthApi:
    """Shows what is broken on the provider's side, and replays or discards messages."""

    def __init__(self, poison: Poison, problems: ProblemStore, integrations: IntegrationStore) -> None:
        self._poison = poison
        self._problems = problems
        self._integrations = integrations

    async def health(self) -> Answer:
        """Problems that concern no single customer, poison messages, and integrations by status."""
        queues, problems, integrations = await asyncio.gather(
            self._poison.look(), self._problems.list(PROVIDER), self._integrations.list_all()
        )
        by_status = Counter(integration.status for integration in integrations)
        return answer(
            HTTPStatus.OK,
            {
                "healthy": not problems and not any(queue.count for queue in queues),
                "problems": [problem_view(problem) for problem in problems],
                "poison": {
                    "count": sum(queue.count for queue in queues),
                    "messages": [poison_view(message) for queue in queues for message in queue.messages],
                },
                "integrations": {status.value: by_status[status] for status in IntegrationStatus},
            },
        )

    async def replay(self, queue: str, message_id: str) -> Answer:
        """Put a poison message back on its queue: 202, 404, or 409 while somebody else is at the queue."""
        message = _valid(queue, message_id)
        if message is None:
            return _no_message()
        taken = await self._poison.replay(queue, message)
        done = answer(HTTPStatus.ACCEPTED, {"queue": queue, "id": message, "replayed": True})
        return _answer(taken, done)

    async def discard(self, queue: str, message_id: str) -> Answer:
        """Throw a poison message away: 204, 404, or 409 while somebody else is at the queue."""
        message = _valid(queue, message_id)
        if message is None:
            return _no_message()
        return _answer(await self._poison.discard(queue, message), Answer(HTTPStatus.NO_CONTENT, ""))


def poison_view(message: PoisonMessage) -> Json:
    """One message on a poison queue."""
    return {
        "queue": message.queue,
        "id": message.id,
        "insertedAt": time_view(message.inserted_at),
        "reason": message.why,
        "job": None if message.job is None else _job_view(message.job),
        "file": message.file or None,
    }


def _job_view(job: Job) -> Json:
    return {
        "step": job.step.value,
        "phase": job.phase.value,
        "integrationId": job.integration_id or None,
        "target": job.target or None,
        "cycle": job.cycle,
        "cause": job.cause.value,
        "attempt": job.attempt,
    }


def _valid(queue: str, message_id: str) -> str | None:
    """The message's id in its one spelling; None if there can be no such queue or message."""
    try:
        return normal_guid(message_id) if queue in QUEUES else None
    except ValueError:
        return None


def _answer(taken: Taken, done: Answer) -> Answer:
    match taken:
        case Taken.DONE:
            return done
        case Taken.NOT_FOUND:
            return _no_message()
        case Taken.BUSY:
            busy = problem_answer(
                HTTPStatus.CONFLICT, "Busy", "Somebody else is looking through the queue; ask again."
            )
            return Answer(busy.status, busy.body, busy.content_type, {"Retry-After": _RETRY_SECONDS})


def _no_message() -> Answer:
    return problem_answer(
        HTTPStatus.NOT_FOUND, "Not found", "There is no such message on a poison queue of that name."
    )
