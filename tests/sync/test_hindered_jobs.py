"""A job that Azure hinders comes again; it does not become several."""

from local.azure.estate import add_customer
from local.azure.faults import Fault, FaultKind
from shared.model.jobs import Cause, Step
from shared.model.upkeep import Coverage
from tests.helpers.lab import Lab

_STEPS = (
    Step.EVENT_HUBS,
    Step.SUBSCRIPTIONS,
    Step.RESOURCES,
    Step.RESOURCE_SETTINGS,
)


async def _waiting(lab: Lab, step: Step) -> int:
    queue = await lab.storage.queue(step.queue)
    properties = await queue.get_queue_properties()
    return properties.approximate_message_count or 0


async def test_a_read_back_that_fails_again_and_again_stays_one_job(lab: Lab) -> None:
    lab.steps = _STEPS
    customer = add_customer(lab.world, "contoso", 1, vaults=3)
    integration = await lab.integrate("contoso", customer.tenant_id)
    lab.azure.faults.switch_on("silent", Fault(FaultKind.DROP, "GET", "/diagnosticSettings/"))
    await lab.cycle()
    written = [row.fact.upkeep.coverage for row in await lab.context.resources.list(integration.id)]
    assert written == [Coverage.WRITTEN] * 3
    before = await _waiting(lab, Step.RESOURCE_SETTINGS)
    job = lab.job(Step.RESOURCE_SETTINGS, customer.delegated[0], integration.id, Cause.RETRY)

    for _ in range(3):
        await lab.run(job)

    assert before <= 1
    assert await _waiting(lab, Step.RESOURCE_SETTINGS) == before + 3
