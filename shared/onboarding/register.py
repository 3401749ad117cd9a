"""Registering a customer tenant."""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime

from shared.jobs.queue import JobQueue
from shared.model.integration import Integration, IntegrationStatus
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.onboarding.request import FieldError, InvalidRequestError, Registration
from shared.settings import Settings
from shared.store.integrations import IntegrationStore

_log = logging.getLogger(__name__)


class Registrar:
    """Registers integrations and sets the first jobs going."""

    def __init__(
        self,
        integrations: IntegrationStore,
        queue: JobQueue,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._integrations = integrations
        self._queue = queue
        self._settings = settings
        self._clock = clock

    async def register(self, registration: Registration) -> Integration:
        """Add the integration and start its provisioning.

        Raises:
            InvalidRequestError: the tenant is the provider's own.
            AlreadyRegisteredError: the customer slug or the tenant has an integration already.
        """
        if registration.tenant_id == self._settings.provider_tenant_id:
            raise InvalidRequestError([FieldError("tenantId", "must be a customer's tenant, not our own")])
        integration = Integration(
            id=str(uuid.uuid4()),
            customer=registration.customer,
            tenant_id=registration.tenant_id,
            display_name=registration.display_name or registration.customer,
            home_region=registration.home_region or self._settings.home_region,
            management_group_id=registration.management_group_id,
            workspace_resource_id=registration.workspace_resource_id,
            subscription_cap=registration.subscription_cap or self._settings.subscription_cap,
            status=IntegrationStatus.PROVISIONING,
            created_at=self._clock(),
        )
        await self._integrations.register(integration)
        _log.info("registered integration=%s customer=%s", integration.id, integration.customer)
        cycle = cycle_stamp(integration.created_at)
        for step in (Step.EVENT_HUBS, Step.SUBSCRIPTIONS):
            await self._queue.send(Job(step, Phase.PLAN, cycle, Cause.ONBOARDING))
        return integration
