"""What an operator can ask for: a cycle now, and the end of an integration."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Final, Protocol

from shared.model.answers import Answer, answer, problem_answer
from shared.model.ids import normal_guid
from shared.model.integration import Integration, IntegrationStatus
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.portal.views import integration_view
from shared.store.claims import ClaimStore
from shared.store.integrations import IntegrationStore
from shared.store.problems import ProblemStore
from shared.store.tables import ConflictError

_log = logging.getLogger(__name__)

_MOST_TRIES: Final = 5


class JobSink(Protocol):
    """Takes jobs."""

    async def send_once(self, job: Job) -> None:
        """Send a job, unless one for the same target waits already."""


class Commands:
    """Starts what an operator asks for; the jobs do it.

    Args:
        integrations: all of them.
        claims: say which jobs wait already.
        problems: of an integration, which end with it.
        jobs: takes jobs.
        clock: the present (UTC).
    """

    def __init__(
        self,
        *,
        integrations: IntegrationStore,
        claims: ClaimStore,
        problems: ProblemStore,
        jobs: JobSink,
        clock: Callable[[], datetime],
    ) -> None:
        self._integrations = integrations
        self._claims = claims
        self._problems = problems
        self._jobs = jobs
        self._clock = clock

    async def sync(self, integration_id: str) -> Answer:
        """Start a cycle of every step now: 202 with its stamp, 404, or 409 if nothing is watched any more.

        While the first jobs wait, asking again starts nothing, and gives the stamp of those that wait.
        """
        integration = await self._find(integration_id)
        if integration is None:
            return not_found()
        if not integration.kept:
            detail = f"The integration is {integration.status.value}."
            return problem_answer(HTTPStatus.CONFLICT, "Not watched any more", detail)
        now = self._clock()
        steps = [step for step in Step if step is not Step.OFFBOARDING]
        first = _planning(steps[0], cycle_stamp(now), integration)
        stamp = await self._claims.waiting(first, now) or first.cycle
        for step in steps:
            await self._jobs.send_once(_planning(step, stamp, integration))
        # Of two that ask at the same moment, one was first.
        stamp = await self._claims.waiting(first, now) or stamp
        _log.info("cycle %s started by an operator integration=%s", stamp, integration.id)
        return answer(HTTPStatus.ACCEPTED, {"cycle": stamp, "steps": [step.value for step in steps]})

    async def offboard(self, integration_id: str) -> Answer:
        """Begin to offboard an integration: 202 with its state, also if that has begun already; or 404."""
        integration = await self._begin(integration_id)
        if integration is None:
            return not_found()
        if integration.status is IntegrationStatus.OFFBOARDING:
            stamp = cycle_stamp(self._clock())
            await self._jobs.send_once(_planning(Step.OFFBOARDING, stamp, integration))
        location = f"/api/integrations/{integration.id}/offboarding"
        return answer(HTTPStatus.ACCEPTED, integration_view(integration), headers={"Location": location})

    async def _begin(self, integration_id: str) -> Integration | None:
        for _ in range(_MOST_TRIES):
            found = await self._find(integration_id)
            if found is None or not found.kept:
                return found
            stored = await self._integrations.read(found.id)
            if stored is None or not stored.fact.kept:
                continue
            now = self._clock()
            after = replace(stored.fact, status=IntegrationStatus.OFFBOARDING, offboarding_at=now)
            try:
                await self._integrations.save(after, stored.etag)
            except ConflictError:
                continue
            # What stood in the way of coverage no longer matters.
            await self._problems.settle_all(after.id, now)
            _log.info("offboarding begins integration=%s customer=%s", after.id, after.customer)
            return after
        raise ConflictError

    async def _find(self, integration_id: str) -> Integration | None:
        try:
            return await self._integrations.get(normal_guid(integration_id))
        except ValueError:
            return None


def not_found() -> Answer:
    """404: there is no such integration."""
    return problem_answer(HTTPStatus.NOT_FOUND, "Not found", "There is no integration of that id.")


def _planning(step: Step, cycle: str, integration: Integration) -> Job:
    return Job(step, Phase.PLAN, cycle, Cause.OPERATOR, integration.id)
