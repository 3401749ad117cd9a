"""Registering: the integration stands, its first jobs are sent, and nobody is registered twice."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from shared.jobs.message import decode
from shared.jobs.queue import JobQueue
from shared.model.integration import IntegrationStatus
from shared.model.jobs import Cause, Phase, Step
from shared.onboarding.register import Registrar
from shared.onboarding.request import InvalidRequestError, Registration
from shared.store.integrations import AlreadyRegisteredError, IntegrationStore
from shared.store.storage import Storage
from tests.helpers.facts import CUSTOMER_TENANT, NOW, OTHER_TENANT, PROVIDER_TENANT, settings

_LEAST = Registration("contoso", CUSTOMER_TENANT, None, None, None, None, None)


def _at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


@pytest.fixture
def registrar(storage: Storage) -> Registrar:
    known = settings(LIGHTKEEPER_HOME_REGION="uksouth", LIGHTKEEPER_SUBSCRIPTION_CAP="77")
    return Registrar(IntegrationStore(storage), JobQueue(storage), known, _at(NOW))


async def test_what_a_request_leaves_out_comes_from_the_settings(registrar: Registrar) -> None:
    integration = await registrar.register(_LEAST)
    assert integration.customer == integration.display_name == "contoso"
    assert (integration.home_region, integration.subscription_cap) == ("uksouth", 77)
    assert (integration.status, integration.created_at) == (IntegrationStatus.PROVISIONING, NOW)


async def test_what_a_request_names_is_taken(registrar: Registrar) -> None:
    request = replace(_LEAST, display_name="Contoso Ltd", home_region="eastus", subscription_cap=5)
    integration = await registrar.register(request)
    assert integration.display_name == "Contoso Ltd"
    assert (integration.home_region, integration.subscription_cap) == ("eastus", 5)


async def test_a_registered_integration_is_stored(registrar: Registrar, storage: Storage) -> None:
    integration = await registrar.register(_LEAST)
    assert await IntegrationStore(storage).get(integration.id) == integration


async def test_registering_sets_the_first_jobs_going(registrar: Registrar, storage: Storage) -> None:
    await registrar.register(_LEAST)
    for step in (Step.EVENT_HUBS, Step.SUBSCRIPTIONS):
        message = await (await storage.queue(step.queue)).receive_message()
        assert message is not None
        job = decode(base64.b64decode(message.content))
        assert (job.step, job.phase, job.cause) == (step, Phase.PLAN, Cause.ONBOARDING)


async def test_our_own_tenant_is_nobodys_customer(registrar: Registrar) -> None:
    with pytest.raises(InvalidRequestError, match="tenantId"):
        await registrar.register(replace(_LEAST, tenant_id=PROVIDER_TENANT))


@pytest.mark.parametrize(
    ("second", "field"),
    [
        (replace(_LEAST, tenant_id=OTHER_TENANT), "customer"),
        (replace(_LEAST, customer="fabrikam"), "tenantId"),
    ],
)
async def test_a_customer_and_a_tenant_are_registered_once(
    registrar: Registrar, storage: Storage, second: Registration, field: str
) -> None:
    await registrar.register(_LEAST)
    queue = await storage.queue(Step.SUBSCRIPTIONS.queue)
    await queue.clear_messages()

    with pytest.raises(AlreadyRegisteredError) as raised:
        await registrar.register(second)

    assert raised.value.field == field
    assert await queue.receive_message() is None, "a refused registration starts nothing"
