"""Namespaces are long operations: begun, come back to, and blocked with a reason when Azure cannot."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

import pytest

from local.azure.estate import add_customer
from local.azure.faults import Fault, FaultKind
from shared.model.hubs import HubAssignment, HubState
from shared.model.integration import Integration
from shared.model.jobs import Cause, Step
from shared.model.reasons import Reason
from shared.model.upkeep import Coverage
from shared.store.hubs import HubStore
from shared.store.tables import ConflictError, Stored
from shared.sync.event_hubs import EventHubsStep
from tests.helpers.lab import Lab, open_lab

_NAME = "lightkeeper-westeurope-1"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_PUT_NAMESPACE = f"PUT {_GROUP}/providers/Microsoft.EventHub/namespaces/{{namespace}}"
_TARGET = f"westeurope/{_NAME}"


async def _customer(lab: Lab, name: str = "contoso") -> Integration:
    return await lab.integrate(name, add_customer(lab.world, name, 1).tenant_id)


async def _visit(lab: Lab) -> None:
    """One visit at the namespace; the job that comes back stays on the queue."""
    await lab.run(lab.job(Step.EVENT_HUBS, _TARGET, cause=Cause.ONBOARDING))


async def _assign(lab: Lab) -> None:
    """Make the assignments, and leave the namespaces alone."""
    await lab.run(lab.job(Step.EVENT_HUBS, cause=Cause.ONBOARDING))


async def _hubs(lab: Lab) -> list[HubAssignment]:
    return [row.fact for row in await lab.context.hubs.list()]


async def test_a_namespace_takes_several_visits_and_none_of_them_waits(lab: Lab) -> None:
    await _customer(lab)
    await _assign(lab)
    states = []
    for seconds in (0, 10, 10, 10, 10, 10):
        lab.world.clock.move(seconds)
        await _visit(lab)
        (hub,) = await _hubs(lab)
        states.append(hub.state)

    assert states == [*[HubState.CREATING] * 4, HubState.READY, HubState.READY]
    assert lab.azure.counts.by_kind[_PUT_NAMESPACE] == 1


async def test_while_the_hub_is_not_ready_no_setting_is_written(lab: Lab) -> None:
    integration = await _customer(lab)
    await lab.cycle(Step.SUBSCRIPTIONS, Step.SUBSCRIPTION_SETTINGS)
    assert set((await lab.coverages(integration)).values()) == {Coverage.PENDING}
    assert lab.writes() == 0


async def test_a_hub_that_becomes_ready_starts_its_customers_settings(lab: Lab) -> None:
    integration = await _customer(lab)
    await lab.cycle(Step.SUBSCRIPTIONS)

    await lab.cycle(Step.EVENT_HUBS)

    assert set((await lab.coverages(integration)).values()) == {Coverage.CONFIGURED}


async def test_a_namespace_that_takes_too_long_is_given_up_until_the_next_cycle(
    account: str,
) -> None:
    async with open_lab(account, LIGHTKEEPER_MAX_ATTEMPTS="5") as lab:
        lab.world.namespace_seconds = 10_000
        integration = await _customer(lab)

        await lab.cycle(Step.EVENT_HUBS)

        (hub,) = await _hubs(lab)
        assert (hub.state, hub.reason) == (HubState.BLOCKED, Reason.NAMESPACE_FAILED)
        (problem,) = await lab.problems(integration)
        assert problem.where == f"{_NAME}/contoso"

        lab.world.clock.move(10_000)
        await lab.cycle(Step.EVENT_HUBS)
        assert await lab.problems(integration) == []
        (hub,) = await _hubs(lab)
        assert hub.state is HubState.READY


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.DROP_AFTER, "PUT", f"/namespaces/{_NAME}", calls=1),
        Fault(FaultKind.STALE_READ, "GET", f"/namespaces/{_NAME}", calls=1, skip=1),
    ],
)
async def test_a_namespace_that_is_begun_twice_is_no_problem(lab: Lab, fault: Fault) -> None:
    integration = await _customer(lab)
    await _assign(lab)
    lab.azure.faults.switch_on("once", fault)
    for _ in range(2):
        await _visit(lab)
        (hub,) = await _hubs(lab)
        assert hub.state is HubState.CREATING
    assert lab.azure.counts.by_kind[_PUT_NAMESPACE] == 2
    assert await lab.problems(integration) == []
    lab.world.clock.move(60)
    await _visit(lab)
    await _visit(lab)
    (hub,) = await _hubs(lab)
    assert hub.state is HubState.READY


async def test_a_name_that_somebody_else_holds_is_a_problem_until_it_is_free(lab: Lab) -> None:
    integration = await _customer(lab)
    lab.world.taken_names.add(_NAME)

    await lab.cycle()

    (hub,) = await _hubs(lab)
    assert (hub.state, hub.reason) == (HubState.BLOCKED, Reason.NAMESPACE_NAME_TAKEN)
    (problem,) = await lab.problems(integration)
    assert problem.reason is Reason.NAMESPACE_NAME_TAKEN

    lab.world.taken_names.clear()
    await lab.cycle()
    assert await lab.problems(integration) == []
    assert set((await lab.coverages(integration)).values()) == {Coverage.CONFIGURED}


async def test_a_group_that_is_not_there_is_a_problem_with_what_azure_said(lab: Lab) -> None:
    integration = await _customer(lab)
    lab.world.groups.clear()

    await lab.cycle(Step.EVENT_HUBS)

    (problem,) = await lab.problems(integration)
    assert problem.reason is Reason.REFUSED
    assert "ResourceGroupNotFound" in problem.detail


async def test_an_outage_in_the_middle_is_tried_again_and_leaves_no_trace(lab: Lab) -> None:
    integration = await _customer(lab)
    await _assign(lab)
    await _visit(lab)
    lab.world.clock.move(60)
    lab.azure.faults.switch_on("down", Fault(FaultKind.ERROR_503, "PUT", "/eventhubs/", calls=1))
    await _visit(lab)
    (hub,) = await _hubs(lab)
    assert hub.state is HubState.CREATING
    assert await lab.problems(integration) == []

    await _visit(lab)
    await _visit(lab)
    (hub,) = await _hubs(lab)
    assert hub.state is HubState.READY


async def test_a_hub_that_azure_does_not_keep_is_never_ready(account: str) -> None:
    async with open_lab(account, LIGHTKEEPER_MAX_ATTEMPTS="5") as lab:
        integration = await _customer(lab)
        lab.azure.faults.switch_on("nothing", Fault(FaultKind.KEEP_NOTHING, "PUT", "/eventhubs/"))
        await lab.cycle()
        (hub,) = await _hubs(lab)
        assert hub.state is HubState.BLOCKED
        assert len(await lab.problems(integration)) == 1

        lab.azure.faults.switch_off()
        await lab.cycle()
        (hub,) = await _hubs(lab)
        assert hub.state is HubState.READY
        assert await lab.problems(integration) == []


async def test_an_identity_that_was_detached_is_attached_and_others_stay(lab: Lab) -> None:
    await _customer(lab)
    await lab.cycle()
    other = lab.context.settings.capture_identity_id.replace("lightkeeper-capture", "other")
    lab.world.identities.add(other)
    namespace = lab.world.namespaces[_NAME]
    body = {**namespace.body, "identity": {"type": "UserAssigned", "userAssignedIdentities": {other: {}}}}
    lab.world.namespaces[_NAME] = replace(namespace, body=body)

    await lab.cycle(seconds=3601)

    attached = lab.world.namespaces[_NAME].body["identity"]["userAssignedIdentities"]
    assert set(attached) == {other, lab.context.settings.capture_identity_id}


async def test_a_namespace_that_takes_no_keys_any_more_takes_them_again(lab: Lab) -> None:
    await _customer(lab)
    await lab.cycle()
    namespace = lab.world.namespaces[_NAME]
    body = {
        **namespace.body,
        "sku": {"name": "Standard", "tier": "Standard", "capacity": 7},
        "properties": {**namespace.body["properties"], "disableLocalAuth": True},
    }
    lab.world.namespaces[_NAME] = replace(namespace, body=body)

    await lab.cycle(seconds=3601)

    mended = lab.world.namespaces[_NAME].body
    assert mended["properties"]["disableLocalAuth"] is False
    assert mended["sku"]["capacity"] == 7, "Azure added units by itself, and they are needed"
    (hub,) = await _hubs(lab)
    assert hub.state is HubState.READY


async def test_an_outage_makes_no_ready_hub_unready(lab: Lab) -> None:
    integration = await _customer(lab)
    await lab.cycle()
    lab.azure.faults.switch_on("down", Fault(FaultKind.ERROR_503, path="/namespaces/"))
    last = lab.context.settings.max_attempts - 1

    await lab.run(replace(lab.job(Step.EVENT_HUBS, _TARGET), attempt=last))

    (hub,) = await _hubs(lab)
    assert hub.state is HubState.READY
    (problem,) = await lab.problems(integration)
    assert (problem.reason, problem.where) == (Reason.UNREACHABLE, f"{_NAME}/contoso")

    lab.azure.faults.switch_off()
    await lab.cycle(Step.EVENT_HUBS)
    assert await lab.problems(integration) == []
    (hub,) = await _hubs(lab)
    assert (hub.state, hub.reason) == (HubState.READY, None)


async def test_jobs_that_assign_at_once_agree(lab: Lab) -> None:
    integrations = [await _customer(lab, f"customer-{number:02d}") for number in range(12)]

    async def assign() -> None:
        # As the Functions host does: a job that failed is delivered again.
        for _ in range(5):
            with suppress(ConflictError):
                return await _assign(lab)
        raise AssertionError("the job never comes to an end")

    await asyncio.gather(*(assign() for _ in range(4)))

    hubs = await _hubs(lab)
    assert {hub.integration_id for hub in hubs} == {each.id for each in integrations}
    assert len(hubs) == 12
    assert sorted(sum(hub.shard == shard for hub in hubs) for shard in (1, 2)) == [2, 10]


class _EndedError(BaseException):
    """The process ended."""


class _Ending(HubStore):
    """The process ends right after assignments became ready."""

    async def save(self, assignments: Iterable[Stored[HubAssignment]]) -> None:
        written = list(assignments)
        await super().save(written)
        if any(stored.fact.state is HubState.READY for stored in written):
            raise _EndedError


async def test_a_job_that_ends_right_after_writing_has_settled_its_problems(lab: Lab) -> None:
    integration = await _customer(lab)
    lab.world.taken_names.add(_NAME)
    await lab.cycle(Step.EVENT_HUBS)
    assert await lab.problems(integration)
    lab.world.taken_names.clear()
    ending = EventHubsStep(replace(lab.context, hubs=_Ending(lab.storage)))
    job = lab.job(Step.EVENT_HUBS, _TARGET)

    async def until_it_ends() -> None:
        for _ in range(5):
            await ending.run(job)
            lab.world.clock.move(60)

    with pytest.raises(_EndedError):
        await until_it_ends()

    assert await lab.problems(integration) == []


@pytest.mark.parametrize("cycles", [1, 3])
async def test_an_assignment_never_moves(lab: Lab, cycles: int) -> None:
    await _customer(lab)
    await lab.cycle()
    before = {hub.customer: hub.namespace for hub in await _hubs(lab)}
    for number in range(cycles):
        await _customer(lab, f"later-{number}")
        await lab.cycle()
    after = {hub.customer: hub.namespace for hub in await _hubs(lab)}
    assert before.items() <= after.items()
