"""What was written is read back once, when Azure has had its time, by as few jobs as that takes."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from local.azure.estate import Customer, add_customer
from shared.model.hubs import HubState
from shared.model.integration import Integration
from shared.model.jobs import Cause, Job, Step
from shared.model.resource import ListedResource, Resource
from shared.model.upkeep import Coverage, Upkeep
from shared.store.tables import Stored
from shared.sync.resource_settings import ResourceSettingsStep, last_written
from shared.sync.visits import Visit
from tests.helpers.facts import INTEGRATION, NOW, a_guid
from tests.helpers.lab import Lab
from tests.helpers.swift_lab import open_swift_lab

_EARLIER, _LATER = NOW - timedelta(seconds=8), NOW - timedelta(seconds=3)


def _resource(number: int, coverage: Coverage, written_at: datetime | None) -> Resource:
    listed = ListedResource(f"/r/{number}", "microsoft.keyvault/vaults", "westeurope", a_guid(1))
    return Resource(INTEGRATION, listed, "", upkeep=Upkeep(coverage, written_at=written_at))


@pytest.mark.parametrize(
    ("before", "after", "last"),
    [
        ([], [], None),
        ([(1, Coverage.CONFIGURED, _LATER)], [], None),
        ([(1, Coverage.WRITTEN, _EARLIER)], [], _EARLIER),
        ([(1, Coverage.WRITTEN, _EARLIER), (2, Coverage.WRITTEN, _LATER)], [], _LATER),
        ([(1, Coverage.WRITTEN, _LATER)], [(1, Coverage.CONFIGURED, _LATER)], None),
        ([(1, Coverage.PENDING, None)], [(1, Coverage.WRITTEN, NOW)], NOW),
        ([(1, Coverage.WRITTEN, None)], [], None),
    ],
)
def test_the_read_back_comes_when_the_last_that_was_written_is_due(
    before: list[tuple[int, Coverage, datetime | None]],
    after: list[tuple[int, Coverage, datetime | None]],
    last: datetime | None,
) -> None:
    changed = [(Stored(_resource(*each), ""), _resource(*each)) for each in after]
    assert last_written([_resource(*each) for each in before], Visit(changed)) == last


@pytest.fixture
async def lab():  # noqa: ANN201 - an async generator of `Lab`
    async with open_swift_lab(LIGHTKEEPER_READ_BACK_SECONDS="10") as opened:
        opened.steps = (*opened.steps, Step.RESOURCES, Step.RESOURCE_SETTINGS)
        yield opened


async def _with_vaults(lab: Lab, count: int) -> tuple[Customer, Integration]:
    customer = add_customer(lab.world, "contoso", 1, vaults=count, regions=("westeurope",))
    integration = await lab.integrate("contoso", customer.tenant_id)
    return customer, integration


async def test_what_was_written_is_read_back_once(lab: Lab) -> None:
    _, integration = await _with_vaults(lab, 5)
    await lab.cycle()
    rows = [row.fact for row in await lab.context.resources.list(integration.id)]
    assert {row.upkeep.coverage for row in rows} == {Coverage.CONFIGURED}
    assert lab.calls("GET", "/providers/microsoft.insights/diagnosticSettings/") == 5 + 1


async def test_what_cannot_be_reached_is_not_read_back_again_and_again(lab: Lab) -> None:
    customer, integration = await _with_vaults(lab, 1)
    await lab.cycle()
    (hub,) = await lab.context.hubs.list()
    await lab.context.hubs.save([replace(hub, fact=replace(hub.fact, state=HubState.BLOCKED))])
    (row,) = await lab.context.resources.list(integration.id)
    written = replace(row.fact, upkeep=replace(row.fact.upkeep, coverage=Coverage.WRITTEN))
    await lab.context.resources.save([replace(row, fact=written)])
    lab.handled.clear()

    job: Job = lab.job(Step.RESOURCE_SETTINGS, customer.delegated[0], integration.id, Cause.RETRY)
    await ResourceSettingsStep(lab.context).run(job)
    await lab.drain()

    assert lab.handled == []
