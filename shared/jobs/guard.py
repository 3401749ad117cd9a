"""Keeps the steps away from integrations that are being offboarded, in one place for all of them."""

import logging

from shared.arm.errors import ArmError
from shared.jobs.runner import Handler
from shared.model.jobs import Job
from shared.store.integrations import IntegrationStore

_log = logging.getLogger(__name__)


class OnlyKept:
    """A step that works for integrations that are to be kept, and for no others.

    Args:
        step: does the jobs.
        integrations: know which are to be kept.
    """

    def __init__(self, step: Handler, integrations: IntegrationStore) -> None:
        self._step = step
        self._integrations = integrations

    async def run(self, job: Job) -> float | None:
        """Do the job, unless its integration is being offboarded.

        Raises:
            ArmError, ConflictError: it can only be tried again later.
        """
        return await self._step.run(job) if await self._is_kept(job) else None

    async def give_up(self, job: Job, error: ArmError | None) -> None:
        """Take down that the job was tried too often."""
        if await self._is_kept(job):
            await self._step.give_up(job, error)

    async def _is_kept(self, job: Job) -> bool:
        if not job.integration_id:
            return True
        integration = await self._integrations.get(job.integration_id)
        if integration is None or integration.kept:
            return True
        _log.info("left undone: integration=%s is %s", integration.id, integration.status.value)
        return False
